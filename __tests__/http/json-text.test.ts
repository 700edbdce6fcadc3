import { describe, expect, test } from '@jest/globals';
import { readJson } from '../../lib/http/json-text.ts';

const DEPTH = 8;

function problemOf(text: string): string | undefined {
  const reading = readJson(text, DEPTH);
  return reading.ok ? undefined : reading.problem;
}

function nested(depth: number, open: string, close: string): string {
  return `${open.repeat(depth)}${close.repeat(depth)}`;
}

describe('JSON that all readers read alike is taken as JSON.parse takes it:', () => {
  test.each([
    ['null', 'null'],
    ['a number', '-1.5e3'],
    ['a text', '"a"'],
    ['white space around everything', ' \t\r\n{ "a" : [ 1 , true ] } \n'],
    ['text beyond ASCII', '{"é":"🗝"}'],
    ['a pair of surrogates in escapes', '"\\ud83d\\udddd"'],
    ['brackets, colons and quotes inside texts', '{"a:{[":"}]\\":{","b":"\\\\"}'],
    ['one name in two objects', '{"a":{"a":1},"b":{"a":2}}'],
    ['one name in two objects of an array', '[{"a":1},{"a":2}]'],
    ['a text that is equal to a name', '{"a":"a","b":["a","a"]}'],
    ['names that differ in case', '{"a":1,"A":2}'],
    ['names that differ in their form of Unicode', '{"\u00e9":1,"e\u0301":2}'],
    ['an empty name', '{"":1}'],
    ['as many objects inside one another as may be', nested(DEPTH - 1, '{"a":', '}').replace(':}', ':{}}')],
    ['as many arrays inside one another as may be', nested(DEPTH, '[', ']')],
  ])('%s', (_what, text) => {
    expect(readJson(text, DEPTH)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  test('a member called __proto__ is a member and no prototype', () => {
    const reading = readJson('{"__proto__":{"admin":true}}', DEPTH);
    const value = reading.ok ? (reading.value as object) : {};
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toEqual({});
    expect((value as { admin?: unknown }).admin).toBeUndefined();
  });
});

describe('what is no JSON is refused:', () => {
  test.each([
    ['nothing', ''],
    ['white space alone', ' '],
    ['a byte order mark', '\ufeff{}'],
    ['half an object', '{"a":1'],
    ['something behind it', '{} {}'],
    ['a comma too many', '{"a":1,}'],
    ['quotes of the other kind', "{'a':1}"],
    ['a comment', '{/**/}'],
    ['a raw NUL in a text', '{"a":"\0"}'],
    ['a raw line break in a text', '{"a":"\n"}'],
    ['another word for no number', 'NaN'],
    ['an octal number', '01'],
  ])('%s', (_what, text) => {
    expect(problemOf(text)).toBe('is not JSON');
  });
});

describe('what two readers could read differently is refused:', () => {
  test.each([
    ['at the top', '{"a":1,"a":1}'],
    ['in between others', '{"a":1,"b":{"c":[]},"a":2}'],
    ['deep inside', '{"x":[{"y":{"a":1,"a":2}}]}'],
    ['after an object that has it too', '{"a":{"a":1},"a":2}'],
    ['once in escapes', '{"secret":1,"\\u0073ecret":2}'],
    ['with white space before the colon', '{"a" :1,"a"\n:2}'],
    ['called __proto__', '{"__proto__":1,"__proto__":2}'],
    ['with a name that has escaped quotes', '{"\\"":1,"\\u0022":2}'],
  ])('two members of one name, %s', (_where, text) => {
    expect(problemOf(text)).toBe('has two members of one name');
  });

  test.each([
    ['U+0000', '{"a":"\\u0000"}'],
    ['U+0000 in a name', '{"a\\u0000":1}'],
    ['U+FFFD in an escape', '["\\ufffd"]'],
    ['U+FFFD as it stands', '["\ufffd"]'],
    ['the first half of a pair', '"\\ud800"'],
    ['the second half of a pair', '"\\udc00"'],
    ['two halves in the wrong order', '"\\udc00\\ud800"'],
    ['half a pair as it stands', '"\ud800"'],
    ['half a pair in a name', '{"\\ud800":1}'],
  ])('a text with %s', (_what, text) => {
    expect(problemOf(text)).toBe('has a text with U+0000, U+FFFD or half of a surrogate pair');
  });
});

describe('what is too deep is refused:', () => {
  test.each([
    ['arrays', nested(DEPTH + 1, '[', ']')],
    ['objects', `${'{"a":'.repeat(DEPTH)}{}${'}'.repeat(DEPTH)}`],
    ['arrays and objects by turns', `${'[{"a":'.repeat(4)}[]${'}]'.repeat(4)}`],
    ['so much that recursion would fail', nested(100_000, '[', ']')],
  ])('%s', (_what, text) => {
    expect(problemOf(text)).toBe('is more than 8 levels deep');
  });

  test('many beside one another are not deep', () => {
    expect(problemOf(`[${'[],{},'.repeat(5_000)}0]`)).toBeUndefined();
  });
});

test('no problem quotes the text', () => {
  const secret = 'sEcReT-0123456789';
  const texts = [
    secret,
    `{"${secret}":1,"${secret}":2}`,
    `"${secret}\\u0000"`,
    `${'['.repeat(9)}"${secret}"`,
  ];
  for (const text of [...texts, `${'['.repeat(9)}"${secret}"${']'.repeat(9)}`]) {
    const problem = problemOf(text);
    expect(problem).toBeDefined();
    expect(problem).not.toContain(secret);
  }
});
