import { TAIL_LENGTH } from './key-text.ts';

/**
 * What keeps a text from having the form of a key of this prefix, in words that hold nothing of the text; `undefined` where
 * nothing does. Its checksum is not looked at.
 */
export function keyTextProblem(text: string, prefix: string): string | undefined {
  const start = `${prefix}_`;
  if (!text.startsWith(start)) return `it does not begin with "${start}"`;
  const environment = /^(?:live|test)_/.exec(text.slice(start.length))?.[0];
  if (environment === undefined) return 'behind the prefix stands neither "live_" nor "test_"';
  const length = start.length + environment.length + TAIL_LENGTH;
  if (text.length !== length)
    return `it has ${text.length} characters, and keys of this prefix have ${length}`;
  const tailAt = length - TAIL_LENGTH;
  const strange = text.slice(tailAt).search(/[^0-9A-Za-z]/);
  if (strange === -1) return undefined;
  return `character ${tailAt + strange + 1} is none of 0-9, A-Z and a-z`;
}

/** What commonly comes along when a key is copied; in words that hold nothing of the text. */
export function copyingProblem(text: string): string | undefined {
  if (text === '') return 'it is empty';
  if (/^\s|\s$/.test(text)) return 'white space stands before or behind it';
  if (/^["'`]|["'`]$/.test(text)) return 'a quotation mark stands before or behind it';
  if (/^(?:Bearer|Basic|Api-?Key) /i.test(text)) return 'the scheme of the header field stands before it';
  if (/[^\x21-\x7E]/.test(text)) return 'it holds a character that no header field may carry in a key';
  return undefined;
}
