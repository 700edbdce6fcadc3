import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { tableLines } from '../../lib/cli/table.ts';
import { printable, widthOf } from '../../lib/cli/terminal.ts';
import { durationWords } from '../../lib/cli/words.ts';
import { BUILD_TIMEOUT_MS, CommandLine } from '../support/command-line.ts';

const ESCAPE = '\x1B';

let cli: CommandLine;
const env = { KEYSTILE_STORE: 'sqlite:keys.db' };

beforeAll(async () => {
  cli = new CommandLine();
  await cli.build();
  await cli.here(['migrate'], { env });
}, BUILD_TIMEOUT_MS);

afterAll(() => cli.remove());

async function create(name = 'CI'): Promise<{ id: string; key: string }> {
  const { stdout } = await cli.here(['create', '--name', name, '--organization', 'org_1', '--json'], { env });
  const { key, apiKey } = JSON.parse(stdout);
  return { key, id: apiKey.id };
}

describe('on a terminal', () => {
  test('a table fits the width, in colour unless NO_COLOR is set', async () => {
    await create('A name that is far too long for a column of a table of eighty columns');
    const { screen, code } = await cli.onTerminal(['list'], { env });
    expect(code).toBe(0);
    expect(screen).toContain(`${ESCAPE}[1mID `);
    const plain = (await cli.onTerminal(['list'], { env: { ...env, NO_COLOR: '1' } })).screen;
    expect(plain).not.toContain(ESCAPE);
    const lines = plain.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(2);
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(80);
    expect(plain).toContain('…');
  });

  test('a table is whole and without colour in a pipe', async () => {
    const name = 'Another name that is far too long for a column of a table of eighty columns';
    await create(name);
    const { stdout } = await cli.run(['list'], { env });
    expect(stdout).toContain(name);
    expect(stdout).not.toContain(ESCAPE);
    expect((await cli.run(['list'], { env: { ...env, FORCE_COLOR: '1' } })).stdout).toContain(ESCAPE);
  });

  test('a name cannot rewrite the screen', async () => {
    const { id } = await create(`${ESCAPE}[2J\u202Eevil\nline`);
    const { stdout } = await cli.here(['show', id], { env });
    expect(stdout).toContain('\\u{1b}[2J\\u{202e}evil\\u{a}line');
    expect(stdout).not.toContain(ESCAPE);
  });

  test('nor can it in JSON, which says the same all the same', async () => {
    const name = `${ESCAPE}[2J\u009B2J\u202Eevil\n\u{E0041}`;
    const { id } = await create(name);
    const { stdout } = await cli.here(['show', id, '--json'], { env });
    expect(JSON.parse(stdout).name).toBe(name);
    expect(stdout).toContain('\\u001b[2J\\u009b2J\\u202eevil\\n\\udb40\\udc41');
    expect(stdout).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
  });

  test.each(['n', '', 'yeah'])('what cannot be undone is not done for the answer "%s"', async (answer) => {
    const { id, key } = await create();
    const options = { env, input: `${answer}\r`, typedAt: '[y/N]' };
    const { code, screen } = await cli.onTerminal(['delete', id], options);
    expect(screen).toContain('Delete it? [y/N]');
    expect(screen).toContain('Nothing was done.');
    expect(code).toBe(1);
    expect(await cli.here(['verify'], { env, input: key })).toMatchObject({ code: 0 });
  });

  test('what cannot be undone is done for yes', async () => {
    const { id } = await create();
    const { code, screen } = await cli.onTerminal(['revoke', id], { env, input: 'yes\r', typedAt: '[y/N]' });
    expect(screen).toContain(`Revoked ${id}.`);
    expect(code).toBe(0);
  });

  test('a key that is typed is not shown', async () => {
    const { key } = await create();
    const { code, screen } = await cli.onTerminal(['verify'], {
      env,
      input: `${key}\r`,
      typedAt: 'not shown',
    });
    expect(screen).toContain('Accepted.');
    expect(screen).not.toContain(key.slice(12, -4));
    expect(code).toBe(0);
  });

  test('a long import shows how far it is, how fast, and how long it will take', async () => {
    const rows = Array.from({ length: 6_000 }, (_, index) => {
      const digest = `sha256:${createHash('sha256').update(String(index)).digest('hex')}`;
      return JSON.stringify({
        id: `k${index}`,
        digest,
        randomBits: 160,
        name: 'n',
        organization: { id: 'o' },
      });
    });
    writeFileSync(cli.path('many.jsonl'), rows.join('\n'));
    const { screen, code } = await cli.onTerminal(['import', 'many.jsonl'], { env });
    expect(screen).toMatch(/1,000 rows {2}\d+ % {2}[\d,]+ a second {2}about [\d,]+ \w+ left/);
    expect(screen).toContain('6,000 rows: 6,000 imported, 0 unchanged, 0 rejected');
    expect(code).toBe(0);
  });
});

describe('a table', () => {
  const columns = [{ title: 'A' }, { title: 'B', least: 3 }, { title: 'C' }];

  test('leaves out what finds no room, and cuts what may be cut', () => {
    const rows = [['aaaa', 'bbbbbbbb', 'cc']];
    expect(tableLines(columns, rows, undefined)).toEqual(['A     B         C', 'aaaa  bbbbbbbb  cc']);
    expect(tableLines(columns, rows, 14)).toEqual(['A     B     C', 'aaaa  bbb…  cc']);
    expect(tableLines(columns, rows, 10)).toEqual(['A     B', 'aaaa  bbb…']);
    expect(tableLines(columns, rows, 4)).toEqual(['A', 'aaaa']);
  });

  test('counts the columns that characters take', () => {
    expect(['鍵', 'e\u0301', '🔑', 'ab'].map(widthOf)).toEqual([2, 1, 2, 2]);
    expect(printable('a\tb\u2066c')).toBe('a\\u{9}b\\u{2066}c');
  });
});

test.each([
  [0, '0 seconds'],
  [1_000, '1 second'],
  [50_000, '50 seconds'],
  [60_000, '1 minute'],
  [90_000, '90 seconds'],
  [7_199_900, '2 hours'],
  [86_400_000, '1 day'],
  [30 * 86_400_000, '30 days'],
])('%d ms is %s', (ms, words) => {
  expect(durationWords(ms)).toBe(words);
});
