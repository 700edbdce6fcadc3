// Changes of a text, described as JSON, so that what failed can be had again over another text.

/**
 * @typedef {readonly [how: string, at?: number, more?: string | number]} TextEdit
 * `at` is a share of the text's length, from 0 to 1.
 */

/** @type {Readonly<Record<string, (text: string, at: number, more: any) => string>>} */
const EDITS = {
  put: (text, at, more) => text.slice(0, at) + more + text.slice(at + 1),
  insert: (text, at, more) => text.slice(0, at) + more + text.slice(at),
  drop: (text, at) => text.slice(0, at) + text.slice(at + 1),
  cut: (text, at) => text.slice(0, at),
  tail: (text, at) => text.slice(at),
  double: (text) => text + text,
  repeat: (text, at, more) => text.slice(0, at) + (text[at] ?? 'A').repeat(more) + text.slice(at),
  swap: (text, at) => text.slice(0, at) + (text[at + 1] ?? '') + (text[at] ?? '') + text.slice(at + 2),
  turnCase: (text, at) => text.slice(0, at) + turned(text[at] ?? '') + text.slice(at + 1),
  upper: (text) => text.toUpperCase(),
  lower: (text) => text.toLowerCase(),
  before: (text, _at, more) => more + text,
  after: (text, _at, more) => text + more,
  reverse: (text) => [...text].reverse().join(''),
  encode: (text) => encodeURIComponent(text.toWellFormed?.() ?? text),
  base64: (text) => Buffer.from(text).toString('base64'),
  wide: (text) => text.replace(/[!-~]/g, (one) => String.fromCharCode(one.charCodeAt(0) + 0xfee0)),
};

/** @param {string} character */
function turned(character) {
  const upper = character.toUpperCase();
  return character === upper ? character.toLowerCase() : upper;
}

/** Six times what Node.js takes of all headers together. */
const LONGEST = 100_000;

/** @param {string} text @param {readonly TextEdit[]} edits */
export function edited(text, edits) {
  let made = text;
  for (const [how, at = 0, more] of edits) {
    made = EDITS[how]?.(made, Math.min(made.length, Math.floor(at * made.length)), more) ?? made;
  }
  return made.slice(0, LONGEST);
}

const SHORT_OF_LIMIT = [1, 100, 460, 465, 510, 512, 513, 8_200];
const ENDS = [' ', '\n', '\0', '=', '==', '%00', '.', ',', ';', "'", '"', ' OR 1=1', '\u0301', '\r\nX: y'];

/** @param {import('./choices.mjs').Choices} choose @returns {TextEdit[]} */
export function makeTextEdits(choose) {
  const count = choose.chance(0.7) ? 1 : 1 + choose.below(4);
  return Array.from({ length: count }, () => makeTextEdit(choose));
}

/** @param {import('./choices.mjs').Choices} choose @returns {TextEdit} */
function makeTextEdit(choose) {
  const how = choose.pick(HOW);
  const at = choose.below(1_000) / 1_000;
  if (how === 'put' || how === 'insert') return [how, at, choose.chance(0.5) ? choose.text(1) : choose.odd()];
  if (how === 'before' || how === 'after') return [how, 0, choose.pick(ENDS)];
  if (how === 'repeat') return [how, at, choose.pick(SHORT_OF_LIMIT)];
  return [how, at];
}

// What changes little is likelier to get far.
const RARE = ['double', 'repeat', 'upper', 'lower', 'reverse', 'encode', 'base64', 'wide', 'tail', 'cut'];
const OFTEN = ['put', 'insert', 'drop', 'swap', 'turnCase', 'before', 'after'];
const HOW = [...OFTEN, ...OFTEN, ...OFTEN, ...RARE];
