import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createClient } from '@libsql/client';
import { boundCheck, clockCheck, persistenceCheck } from '../../lib/cli/doctor-checks.ts';
import type { Settings } from '../../lib/cli/settings.ts';
import { BUILD_TIMEOUT_MS, CommandLine } from '../support/command-line.ts';

const SECRET = 'hunter22'.repeat(5);

let cli: CommandLine;
let folder: string;
let count = 0;

beforeAll(async () => {
  cli = new CommandLine();
  await cli.build();
}, BUILD_TIMEOUT_MS);

afterAll(() => cli.remove());

/** Each test has a folder of its own, for its configuration. */
beforeEach(() => {
  count += 1;
  folder = cli.path(`doctor-${count}`);
  mkdirSync(folder);
});

interface Report {
  readonly settings: readonly { name: string; value: string; source: string }[];
  readonly checks: readonly { name: string; status: string; message: string; advice?: string }[];
}

async function examine(
  env: Record<string, string> = {},
  ...args: string[]
): Promise<Report & { code: number | null }> {
  const { code, stdout, stderr } = await cli.here(['doctor', '--json', ...args], { env, cwd: folder });
  expect(stdout + stderr).not.toContain('hunter22');
  return { code, ...(JSON.parse(stdout) as Report) };
}

function configure(members: object): void {
  writeFileSync(join(folder, 'keystile.config.json'), JSON.stringify(members));
}

function statusOf({ checks }: Report): Record<string, string> {
  return Object.fromEntries(checks.map(({ name, status }) => [name, status]));
}

describe('settings', () => {
  test('come from flags, then the environment, then the file, then the defaults', async () => {
    configure({ store: 'sqlite:file.db', prefix: 'file', environment: 'test', table: 'file_keys' });
    const { settings } = await examine(
      { KEYSTILE_PREFIX: 'env', KEYSTILE_TABLE: 'env_keys' },
      '--table',
      'flag_keys',
    );
    expect(settings).toEqual([
      { name: 'store', value: 'sqlite:file.db', source: 'keystile.config.json' },
      { name: 'table', value: 'flag_keys', source: '--table' },
      { name: 'prefix', value: 'env', source: 'KEYSTILE_PREFIX' },
      { name: 'environment', value: 'test', source: 'keystile.config.json' },
      { name: 'peppers', value: 'none', source: 'default' },
      { name: 'durable', value: 'true', source: 'default' },
      { name: 'cache', value: 'as it comes', source: 'keystile.config.json' },
    ]);
  });

  test('show no password and no pepper', async () => {
    const { settings } = await examine({
      KEYSTILE_STORE: `postgres://me:${SECRET}@127.0.0.1:1/db?password=${SECRET}`,
      KEYSTILE_PEPPERS: `b:${SECRET},a:${SECRET}`,
    });
    expect(settings[0]?.value).toBe('postgres://me:***@127.0.0.1:1/db?password=***');
    expect(settings[4]?.value).toBe('b:***, a:***');
  });

  test('are those of another file, if one is named', async () => {
    writeFileSync(join(folder, 'other.json'), JSON.stringify({ prefix: 'other' }));
    const { settings } = await examine({}, '--config', 'other.json');
    expect(settings[2]).toEqual({ name: 'prefix', value: 'other', source: 'other.json' });
  });

  test.each<[string, string, string]>([
    ['a member that is not known', '{"stroe":"x"}', 'unknown option "stroe"; did you mean "store"?'],
    ['a member of another type', '{"store":1}', '"store" must be a text'],
    ['no JSON', `{"peppers": ${SECRET}`, 'keystile.config.json cannot be read as JSON'],
  ])('are refused with %s', async (_case, text, message) => {
    writeFileSync(join(folder, 'keystile.config.json'), text);
    const { code, stderr } = await cli.here(['doctor'], { cwd: folder });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain(SECRET);
    expect(code).toBe(2);
  });
});

describe('doctor', () => {
  const env = { KEYSTILE_STORE: 'sqlite:keys.db' };

  test('finds nothing wrong with a store that was made by migrate', async () => {
    await cli.here(['migrate'], { env, cwd: folder });
    const report = await examine(env);
    expect(statusOf(report)).toEqual({
      driver: 'ok',
      connection: 'ok',
      clock: 'ok',
      file: 'ok',
      table: 'ok',
      peppers: 'ok',
      revocation: 'ok',
    });
    expect(report.code).toBe(0);
    const { stdout } = await cli.here(['doctor'], { env, cwd: folder });
    expect(stdout).toMatch(/^store {2,}sqlite:keys\.db {2,}KEYSTILE_STORE$/m);
    expect(stdout).toMatch(/^ok {7}table: keystile_keys has all \d+ columns$/m);
  });

  test('says that there is no store, no file and no table, and what to do', async () => {
    expect(await examine()).toMatchObject({ code: 1, checks: [{ name: 'connection', status: 'wrong' }] });
    const { checks } = await examine(env);
    expect(checks[0]?.message).toContain('keystile migrate makes it');
    writeFileSync(join(folder, 'keys.db'), '');
    const report = await examine(env);
    expect(report.code).toBe(1);
    expect(report.checks.find(({ name }) => name === 'table')).toMatchObject({
      status: 'wrong',
      message: 'there is no table keystile_keys',
      advice: expect.stringContaining('keystile migrate'),
    });
  });

  test('names the columns that a table lacks', async () => {
    await cli.here(['migrate'], { env, cwd: folder });
    const client = createClient({ url: `file:${join(folder, 'keys.db')}` });
    await client.execute('ALTER TABLE keystile_keys DROP COLUMN revocation_reason');
    client.close();
    const { checks } = await examine(env);
    expect(checks.find(({ name }) => name === 'table')?.message).toBe(
      'the table keystile_keys lacks revocation_reason',
    );
  });

  test('warns of a database that others may read', async () => {
    await cli.here(['migrate'], { env, cwd: folder });
    chmodSync(join(folder, 'keys.db'), 0o644);
    const report = await examine(env);
    expect(statusOf(report)).toMatchObject({ file: 'warning' });
    expect(report.code).toBe(0);
  });

  test('finds keys whose pepper is not there', async () => {
    const peppered = { ...env, KEYSTILE_PEPPERS: `2026:${SECRET}` };
    await cli.here(['migrate'], { env, cwd: folder });
    await cli.here(['create', '--name', 'n', '--organization', 'o'], { env: peppered, cwd: folder });
    expect(statusOf(await examine(peppered))).toMatchObject({ peppers: 'ok' });
    const without = await examine(env);
    expect(without.checks.find(({ name }) => name === 'peppers')).toMatchObject({
      status: 'wrong',
      message: expect.stringContaining('under 2026, which is not among the peppers'),
    });
    expect(without.code).toBe(1);
    const swapped = await examine({ ...env, KEYSTILE_PEPPERS: `${SECRET}:2026` });
    expect(swapped.settings.find(({ name }) => name === 'peppers')?.value).toBe('***');
    const short = await examine({ ...env, KEYSTILE_PEPPERS: '2026:hunter22' });
    expect(short.checks.find(({ name }) => name === 'peppers')?.message).toContain('at least 32 bytes');
  });

  test('warns of a cache that lets a revoked key live long', async () => {
    await cli.here(['migrate'], { env, cwd: folder });
    configure({ cache: { ttlMs: 600_000 } });
    const { checks } = await examine(env);
    expect(checks.find(({ name }) => name === 'revocation')).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('within 11 minutes where a process cannot reach the store'),
    });
  });

  test('says that nobody answers', async () => {
    const { code, checks } = await examine({ KEYSTILE_STORE: `postgres://me:${SECRET}@127.0.0.1:1/db` });
    expect(checks.at(-1)).toMatchObject({ name: 'connection', status: 'wrong' });
    expect(checks.at(-1)?.message).toContain('ECONNREFUSED');
    expect(code).toBe(1);
  });
});

test.each([
  ['postgres://h/d', 'the package pg or postgres: npm install pg'],
  ['mysql://h/d', 'the package mysql2: npm install mysql2'],
  ['redis://h', 'the package redis or ioredis: npm install redis'],
])('for %s a command says what to install, where it is not', async (address, advice) => {
  // Outside of this repository, where none of its packages is found.
  const elsewhere = mkdtempSync(join(tmpdir(), 'keystile-cli-'));
  const { code, stdout, stderr } = await cli.run(['list', '--store', address], { cwd: elsewhere });
  expect(stderr).toContain(`${address} needs ${advice} (looked for in ${elsewhere}).`);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
});

describe('what is judged', () => {
  const settings = { cache: { value: undefined, source: '' } } as unknown as Settings;

  test.each([
    [0, 'ok'],
    [1_999, 'ok'],
    [-2_000, 'warning'],
    [60_000, 'wrong'],
  ])('clocks that are %d ms apart are %s', (skewMs, status) => {
    expect(clockCheck(skewMs).status).toBe(status);
  });

  test.each([
    ['aof_enabled:1\r\naof_last_write_status:ok\r\nmaxmemory_policy:noeviction', true, 'ok'],
    ['aof_enabled:0\r\nmaxmemory_policy:noeviction', true, 'wrong'],
    ['aof_enabled:0', false, 'warning'],
    ['aof_enabled:1\r\naof_last_write_status:err', true, 'wrong'],
    ['aof_enabled:1\r\naof_last_write_status:ok\r\nmaxmemory_policy:allkeys-lru', true, 'wrong'],
    ['', true, 'wrong'],
  ])('a Redis that says %j, where that must be durable: %s, is %s', (info, isDurable, status) => {
    expect(persistenceCheck(info, isDurable).status).toBe(status);
  });

  test('without a watch a revocation takes as long as an entry of the cache lives', () => {
    expect(boundCheck(settings, true).message).toContain('within 5 seconds');
    expect(boundCheck(settings, false).message).toContain('within 10 seconds');
  });
});
