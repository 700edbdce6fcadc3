// What a check answers of an input: nothing where all is well, otherwise what is wrong.

/** Stands within every secret here; nothing that comes out may hold it. */
export const MARKER = 'CANARY';

/**
 * @typedef {object} Finding
 * @property {'false accept' | 'false refusal' | 'wrong'} kind
 * @property {string} text
 */

/** @param {string} text @returns {Finding} */
export const falseAccept = (text) => ({ kind: 'false accept', text });

/** @param {string} text @returns {Finding} */
export const falseRefusal = (text) => ({ kind: 'false refusal', text });

/** @param {string} text @returns {Finding} */
export const wrong = (text) => ({ kind: 'wrong', text });

/** @param {unknown} thrown @returns {string} of whatever was thrown, cut short */
export function describeThrown(thrown) {
  const text = thrown instanceof Object && 'stack' in thrown ? String(thrown.stack) : String(thrown);
  return text.slice(0, 500);
}
