import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { BUILD_TIMEOUT_MS, CommandLine, type Ran } from '../support/command-line.ts';

/** Many rows, and processes that a busy machine is slow to start. */
const LONG_MS = 120_000;

let cli: CommandLine;
let count = 0;
let env: Record<string, string>;

beforeAll(async () => {
  cli = new CommandLine();
  await cli.build();
}, BUILD_TIMEOUT_MS);

afterAll(() => cli.remove());

beforeEach(async () => {
  count += 1;
  env = { KEYSTILE_STORE: `sqlite:keys-${count}.db` };
  await run(['migrate']);
});

function run(args: readonly string[], input = ''): Promise<Ran> {
  return cli.here(args, { env, input });
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('base64url')}`;
}

function row(number: number, members: object = {}): string {
  const given = {
    id: `k-${number}`,
    digest: digestOf(`key ${number}`),
    randomBits: 160,
    name: `Key ${number}`,
  };
  return JSON.stringify({ ...given, organization: { id: 'org_1' }, ...members });
}

function rows(to: number): string {
  return Array.from({ length: to }, (_, index) => `${row(index + 1)}\n`).join('');
}

function write(name: string, text: string): string {
  writeFileSync(cli.path(name), text);
  return name;
}

async function exported(...flags: string[]): Promise<string> {
  return (await run(['export', ...flags])).stdout;
}

const FULL = {
  kind: 'pair',
  name: '=HYPERLINK("http://example.org","x"), "quoted"\r\nsecond line',
  environment: 'test',
  organization: { id: 'org_1', slug: "'+1" },
  owner: { type: 'user', id: '@u' },
  scopes: ['a:read', 'b:*'],
  enabled: false,
  createdAt: '2025-01-01T00:00:00.001Z',
  createdBy: "''=x",
  expiresAt: '2030-01-01T00:00:00+02:00',
  notBefore: '2025-02-01T00:00:00Z',
  lastUsedAt: '2025-03-01T00:00:00Z',
  revokedAt: '2025-04-01T00:00:00Z',
  revocationReason: '\tleaked – löst auf 鍵',
  start: 'sk_live_abcd',
  end: 'wxyz',
  metadata: { a: [1, { b: null }], ключ: '"' },
};

describe('import', () => {
  test('takes what is there once, however often it is run', async () => {
    const file = write('three.jsonl', rows(3));
    expect(await run(['import', file])).toMatchObject({
      code: 0,
      stdout: '3 rows: 3 imported, 0 unchanged, 0 rejected\n',
      stderr: '',
    });
    const before = await exported();
    const again = await run(['import', file, '--json']);
    expect(JSON.parse(again.stdout)).toEqual({ imported: 0, unchanged: 3, rejected: 0 });
    expect(await exported()).toBe(before);
  });

  test('reads standard input, and null as absent', async () => {
    expect(await run(['import'], `${row(1, { owner: null, expiresAt: null })}\n\n${row(2)}`)).toMatchObject({
      code: 0,
      stdout: '2 rows: 2 imported, 0 unchanged, 0 rejected\n',
    });
  });

  test('writes what it cannot take to a file, by line, member and reason, and takes the rest', async () => {
    const wrong = [
      'no json',
      '[]',
      row(2, { scopes: ['*'] }),
      row(3, { randomBits: 64 }),
      row(4, { digest: 'sha256:hunter22hunter22' }),
      row(5, { organization: 'hunter22hunter22' }),
      row(6, { expiresAt: 'hunter22hunter22' }),
      row(7, { digset: 'hunter22hunter22' }),
      row(8, { [digestOf('hunter22')]: 1 }),
      row(9, { digest: digestOf('key 1') }),
    ];
    const file = write('wrong.jsonl', `${row(1)}\n${wrong.join('\n')}\n${row(10)}\n`);
    const { code, stdout, stderr } = await run(['import', file, '--rejects', 'rejects.jsonl']);
    expect(code).toBe(1);
    expect(stdout).toBe('12 rows: 2 imported, 0 unchanged, 10 rejected\n');
    const text = readFileSync(cli.path('rejects.jsonl'), 'utf8');
    const rejects = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rejects.map(({ line, field }) => [line, field])).toEqual([
      [2, undefined],
      [3, undefined],
      [4, '/scopes/0'],
      [5, '/randomBits'],
      [6, '/digest'],
      [7, '/organization'],
      [8, '/expiresAt'],
      [9, '/digset'],
      [10, undefined],
      [11, '/digest'],
    ]);
    expect(rejects.every(({ reason }) => typeof reason === 'string' && reason.length > 5)).toBe(true);
    expect(text + stderr).not.toContain('hunter22');
    for (const digest of [digestOf('hunter22'), digestOf('key 1')])
      expect(text + stderr).not.toContain(digest);
    expect(statSync(cli.path('rejects.jsonl')).mode & 0o077).toBe(0);
  });

  test('says nothing that could move the cursor, whatever a member of the file is called', async () => {
    const { stderr } = await run(['import'], row(1, { '\u001B[2J\u009Bm': 1 }));
    expect(stderr).toContain('line 1: /\\u{1b}[2J\\u{9b}m is not known');
    expect(stderr).not.toContain('\u001B');
  });

  test.each<[string, readonly string[], string]>([
    ['by its name', ['same.jsonl', '--rejects', './same.jsonl'], ''],
    ['by another name', ['same.jsonl', '--rejects', 'link.jsonl'], ''],
    ['on standard input', ['--rejects', 'same.jsonl'], ' < same.jsonl'],
  ])('does not empty the file that it reads, %s', async (_case, args, from) => {
    write('same.jsonl', rows(2));
    rmSync(cli.path('link.jsonl'), { force: true });
    symlinkSync('same.jsonl', cli.path('link.jsonl'));
    const { code, stderr } = await cli.shell(`"$0" import ${args.join(' ')}${from}`, { env });
    expect(stderr).toContain('--rejects names the file that is read');
    expect(code).toBe(2);
    expect(readFileSync(cli.path('same.jsonl'), 'utf8')).toBe(rows(2));
  });

  test('says the first rejects where no file takes them', async () => {
    const { stderr } = await run(['import'], 'x\n'.repeat(12));
    expect(stderr).toContain('line 10: is not JSON\nand 2 more rows; --rejects FILE takes them all\n');
  });

  test('refuses a key that is another one under the same id', async () => {
    await run(['import'], row(1));
    const { code, stderr } = await run(['import'], row(1, { organization: { id: 'org_2' } }));
    expect(code).toBe(1);
    expect(stderr).toContain('line 1: /id is that of a key with another organization or owner');
    expect(await exported()).toContain('"organization":{"id":"org_1"}');
  });

  test.each<[string, string, string]>([
    ['no file', 'nothing.jsonl', 'There is no file nothing.jsonl.'],
    ['an unknown column', 'columns.csv', 'column 2 "digset" is not known. Did you mean "digest"?'],
    ['a key in place of the names', 'headless.csv', 'column 1 is not known'],
  ])('says what is wrong with %s, and quotes no digest', async (_case, file, message) => {
    write('columns.csv', 'id,digset\n1,2\n');
    write('headless.csv', `${digestOf('a')},org_1\n`);
    const { code, stderr } = await run(['import', file]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain(digestOf('a'));
  });

  test('takes CSV with quotes, line ends of both kinds, and cells left empty', async () => {
    const lines = [
      '\uFEFFid,name,organizationId,digest,randomBits,scopes,expiresAt,enabled\r',
      `a,"Ann, ""A""`,
      `line 2",org_1,${digestOf('a')},160,a:read b:read,,\r`,
      '',
      `b,B,org_1,${digestOf('b')},160,,2030-01-01,false`,
      `c,C,org_1`,
      `d,"D"x,org_1,${digestOf('d')},160,,,`,
    ];
    const file = write('some.csv', lines.join('\n'));
    const { stdout, stderr } = await run(['import', file]);
    expect(stdout).toBe('4 rows: 2 imported, 0 unchanged, 2 rejected\n');
    expect(stderr).toContain('line 6: has 3 cells, and the first line has 8');
    expect(stderr).toContain('line 7: text stands behind a closing quote');
    const { apiKeys } = JSON.parse((await run(['list', '--json', '--oldest'])).stdout);
    expect(apiKeys).toMatchObject([
      { id: 'a', name: 'Ann, "A"\nline 2', scopes: ['a:read', 'b:read'], enabled: true },
      { id: 'b', scopes: [], enabled: false, expiresAt: '2030-01-01T00:00:00.000Z' },
    ]);
  });

  test(
    'loses and doubles nothing when it is killed and run again',
    async () => {
      const total = 6_000;
      const file = write('many.jsonl', rows(total));
      let killed = 0;
      for (let tries = 0; tries < 3; tries += 1) {
        const { child, ended } = cli.start(['import', file], { env });
        await untilSome();
        await sleep(200 * tries);
        child.kill('SIGKILL');
        if ((await ended).code === null) killed += 1;
      }
      expect(killed).toBeGreaterThan(0);
      const { stdout } = await run(['import', file, '--json']);
      const { imported, unchanged, rejected } = JSON.parse(stdout);
      expect([imported + unchanged, rejected]).toEqual([total, 0]);
      expect(unchanged).toBeGreaterThan(0);
      const ids = (await exported())
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id);
      expect(new Set(ids).size).toBe(total);
      expect(ids).toHaveLength(total);
    },
    LONG_MS,
  );

  test(
    'ends after the rows under way on SIGINT, and says where to go on',
    async () => {
      const total = 20_000;
      const file = write('interrupted.jsonl', rows(total));
      const { child, ended } = cli.start(['import', file, '--json'], { env });
      await untilSome();
      child.kill('SIGINT');
      const { code, stdout, stderr } = await ended;
      expect(code).toBe(1);
      const [, line = '', from = ''] = /Stopped after line (\d+)\. .*--from-line (\d+)/.exec(stderr) ?? [];
      expect(Number(from)).toBe(Number(line) + 1);
      expect(JSON.parse(stdout).imported).toBe(Number(line));
      const rest = await run(['import', file, '--from-line', from, '--json']);
      expect(JSON.parse(rest.stdout)).toEqual({ imported: total - Number(line), unchanged: 0, rejected: 0 });
    },
    LONG_MS,
  );

  /** Until the import has written some rows. Whoever looks ends at once, and with it what he has locked. */
  async function untilSome(): Promise<void> {
    for (let found = ''; !found.includes('k-1'); await sleep(20)) {
      found = (await cli.run(['list', '--oldest', '--limit', '1'], { env })).stdout;
    }
  }
});

describe('export', () => {
  test.each(['jsonl', 'csv'])('as %s comes back as it was, formulas and all', async (format) => {
    const input = [
      row(1, FULL),
      row(2),
      row(3, { digest: `bcrypt:$2b$12$${'a'.repeat(53)}`, randomBits: null }),
    ];
    expect(await run(['import'], input.join('\n'))).toMatchObject({ code: 0 });
    const first = await exported('--format', format);
    const asJson = await exported();
    env = { KEYSTILE_STORE: `sqlite:other-${count}.db` };
    await run(['migrate']);
    expect(await run(['import', '--format', format], first)).toMatchObject({ code: 0, stderr: '' });
    expect(await exported('--format', format)).toBe(first);
    expect(await exported()).toBe(asJson);
    expect(JSON.parse(asJson.split('\n')[0] ?? '')).toMatchObject({
      ...FULL,
      expiresAt: '2029-12-31T22:00:00.000Z',
      notBefore: '2025-02-01T00:00:00.000Z',
      lastUsedAt: '2025-03-01T00:00:00.000Z',
      revokedAt: '2025-04-01T00:00:00.000Z',
    });
  });

  test('as CSV has no cell that a spreadsheet takes for a formula', async () => {
    await run(['import'], row(1, FULL));
    const csv = await exported('--format', 'csv');
    expect(csv).toContain(`"'=HYPERLINK(""http`);
    expect(csv).not.toMatch(/(?:^|,|\n)"?[=+\-@\t\r]/);
  });

  test('goes to a new file for its owner alone, and is nothing until it is whole', async () => {
    await run(['import'], rows(2));
    const { code, stdout, stderr } = await run(['export', '--output', `out-${count}.csv`]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toContain('Exported 2 keys');
    expect(readFileSync(cli.path(`out-${count}.csv`), 'utf8')).toMatch(/^id,digest,/);
    expect(statSync(cli.path(`out-${count}.csv`)).mode & 0o077).toBe(0);
    expect(readdirSync(cli.folder).filter((one) => one.endsWith('.partial'))).toEqual([]);
    expect(await run(['export', '--output', `out-${count}.csv`])).toMatchObject({ code: 1 });
  });

  test('writes into no file and through no link that somebody has put in its way', async () => {
    await run(['import'], rows(2));
    const name = `trap-${count}.jsonl`;
    writeFileSync(cli.path('elsewhere'), 'precious');
    symlinkSync('elsewhere', cli.path(`${name}.partial`));
    expect(await run(['export', '--output', name])).toMatchObject({ code: 0 });
    expect(readFileSync(cli.path('elsewhere'), 'utf8')).toBe('precious');
    expect(lstatSync(cli.path(name)).isFile()).toBe(true);
    expect(statSync(cli.path(name)).mode & 0o077).toBe(0);
  });

  test('leaves nothing behind where it fails', async () => {
    await run(['import'], rows(2));
    const name = `failed-${count}.jsonl`;
    const { code } = await cli.shell(`ulimit -f 0; trap '' XFSZ; "$0" export --output ${name}`, { env });
    expect(code).toBe(1);
    expect(readdirSync(cli.folder).filter((one) => one.startsWith('failed-'))).toEqual([]);
  });

  test('takes the keys of one organization, and says what stays behind', async () => {
    const { stdout } = await run(['create', '--name', 'n', '--organization', 'org_2', '--json']);
    await run(['rotate', JSON.parse(stdout).apiKey.id]);
    await run(['import'], rows(2));
    const some = await run(['export', '--organization', 'org_2']);
    expect(some.stdout.trim().split('\n')).toHaveLength(1);
    expect(some.stderr).toContain('1 old key in a grace period did not come along.');
  });

  test('ends quietly when nobody reads on', async () => {
    await run(['import'], rows(3_000));
    const { code, stdout, stderr } = await cli.shell('"$0" export | head -n 1; exit "$PIPESTATUS"', {
      env,
    });
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });
});
