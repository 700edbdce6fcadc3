import type { Json } from '../keys/metadata.ts';

/**
 * JSON in the one reading that all readers share. JSON.parse keeps the last of two members with one name where others
 * keep the first, and lets through characters that databases and hash functions take for something else: whatever
 * two programs could read differently is refused.
 */
export type JsonReading =
  | { readonly ok: true; readonly value: Json }
  /** `problem` ends a sentence about the text, and holds nothing of it. */
  | { readonly ok: false; readonly problem: string };

const NOT_JSON: JsonReading = { ok: false, problem: 'is not JSON' };
const TWICE: JsonReading = { ok: false, problem: 'has two members of one name' };
const AMBIGUOUS_TEXT: JsonReading = {
  ok: false,
  problem: 'has a text with U+0000, U+FFFD or half of a surrogate pair',
};

/** Only ever run over a text that is JSON, where no quotation mark is left open. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]]/g;

/** U+FFFD is what broken bytes become, so that different inputs would meet in it; half a pair has no UTF-8. */
const AMBIGUOUS = /[\0\ufffd]|\p{Surrogate}/u;

/** @param maxDepth - how many objects and arrays may stand inside one another */
export function readJson(text: string, maxDepth: number): JsonReading {
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    // Its message quotes the text.
    return NOT_JSON;
  }
  return problemIn(text, maxDepth) ?? { ok: true, value };
}

function problemIn(json: string, maxDepth: number): JsonReading | undefined {
  /** The names in each object that is open; `undefined` stands for an array. */
  const open: (Set<string> | undefined)[] = [];
  for (const { 0: token, index } of json.matchAll(TOKENS)) {
    let problem: JsonReading | undefined;
    if (!token.startsWith('"')) problem = step(open, token, maxDepth);
    else problem = textProblem(token, isName(json, index + token.length) ? open.at(-1) : undefined);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function step(open: (Set<string> | undefined)[], bracket: string, maxDepth: number): JsonReading | undefined {
  if (bracket === '}' || bracket === ']') {
    open.pop();
    return undefined;
  }
  const depth = open.push(bracket === '{' ? new Set() : undefined);
  return depth > maxDepth ? { ok: false, problem: `is more than ${maxDepth} levels deep` } : undefined;
}

function textProblem(token: string, names: Set<string> | undefined): JsonReading | undefined {
  const text: string = JSON.parse(token);
  if (AMBIGUOUS.test(text)) return AMBIGUOUS_TEXT;
  if (names?.has(text)) return TWICE;
  names?.add(text);
  return undefined;
}

/** Whether a text that ends before `end` names a member. */
function isName(json: string, end: number): boolean {
  let i = end;
  while (i < json.length && json.charCodeAt(i) <= 0x20) i += 1;
  return json.charAt(i) === ':';
}
