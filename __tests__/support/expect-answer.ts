import { expect } from '@jest/globals';
import type { CountedAnswer } from './arrangement.ts';
import type { Expected } from './corpus.ts';
import { filled } from './placeholders.ts';
import type { RawAnswer } from './raw-http.ts';

/** Checks all of an expectation that binds. */
export function expectAnswer(
  answer: CountedAnswer,
  expected: Expected,
  texts: ReadonlyMap<string, string>,
): void {
  const { status, error, headers = {}, storeLookups, json } = expected;
  expect([status].flat()).toContain(answer.status);
  if (error !== null) {
    expect(valuesOf(answer, 'content-type')).toEqual(['application/problem+json']);
    expect(JSON.parse(answer.body)).toMatchObject({ status: answer.status, code: error });
  }
  if (storeLookups !== undefined) expect(answer.lookups).toBe(storeLookups);
  if (json !== undefined) expect(JSON.parse(answer.body)).toMatchObject(withAnyTexts(json));
  for (const [name, beginning] of Object.entries(headers)) {
    expectField(valuesOf(answer, name), beginning === null ? null : withFixtures(beginning, texts));
  }
}

function valuesOf({ headers }: RawAnswer, name: string): string[] {
  return headers.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);
}

const PRESENT = '{{present}}';
const WHOLE_NUMBER = '{{int>=1}}';

function withFixtures(text: string, texts: ReadonlyMap<string, string>): string {
  return text === PRESENT || text === WHOLE_NUMBER ? text : filled(text, texts, 0);
}

/** A field that comes on several lines is asked for by its first one. */
function expectField(values: readonly string[], beginning: string | null): void {
  const [value = ''] = values;
  if (beginning === null) expect(values).toEqual([]);
  else if (beginning === PRESENT) expect(value).not.toBe('');
  else if (beginning === WHOLE_NUMBER) expect(value).toMatch(/^[1-9]\d*$/);
  else {
    expect(value.slice(0, beginning.length)).toBe(beginning);
    // A bare challenge is one without an error code.
    expect(value.includes('error=')).toBe(beginning.includes('error='));
  }
}

function withAnyTexts(json: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(json).map(([name, value]) => [
    name,
    value === '{{string}}' ? expect.any(String) : value,
  ]);
  return Object.fromEntries(entries);
}
