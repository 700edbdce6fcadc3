import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CommandLine } from '../support/command-line.ts';

let cli: CommandLine;

beforeAll(() => {
  cli = new CommandLine();
});
afterAll(() => cli.remove());

test.each(['a%20b.db', 'a#1.db', 'a?b.db'])('the file of an SQLite store may be called %s', async (name) => {
  const env = { KEYSTILE_STORE: `sqlite:${name}` };
  expect(await cli.here(['migrate'], { env })).toMatchObject({ code: 0, stderr: '' });
  expect(existsSync(cli.path(name))).toBe(true);
  expect(await cli.here(['list'], { env })).toMatchObject({ code: 0, stderr: '' });
});
