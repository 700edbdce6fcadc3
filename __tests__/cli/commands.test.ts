import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BUILD_TIMEOUT_MS, CommandLine, type Ran } from '../support/command-line.ts';
import { createDatabase, type Database, SERVER_TIMEOUT_MS, withoutServers } from '../support/servers.ts';

const PEPPER = 'p'.repeat(40);

let cli: CommandLine;
let database: Database | undefined;

beforeAll(async () => {
  if (!withoutServers) database = await createDatabase('postgres');
  cli = new CommandLine();
}, SERVER_TIMEOUT_MS);

afterAll(async () => {
  cli.remove();
  await database?.drop();
});

const STORES: readonly [string, () => string][] = [
  ['sqlite', () => 'sqlite:keys.db'],
  ...(withoutServers ? [] : [['postgres', () => database?.url ?? ''] as [string, () => string]]),
];

describe.each(STORES)('over %s', (_name, addressOf) => {
  const env = () => ({
    KEYSTILE_STORE: addressOf(),
    KEYSTILE_PREFIX: 'acme',
    KEYSTILE_PEPPERS: `2026:${PEPPER}`,
  });
  const run = (args: readonly string[], input = ''): Promise<Ran> => cli.here(args, { env: env(), input });
  const json = async (args: readonly string[]) => JSON.parse((await run([...args, '--json'])).stdout);

  beforeAll(async () => {
    expect(await run(['migrate'])).toMatchObject({ code: 0 });
  });

  async function create(...flags: string[]): Promise<{ id: string; key: string }> {
    const { key, apiKey } = await json(['create', '--name', 'CI', '--organization', 'org_1', ...flags]);
    return { key, id: apiKey.id };
  }

  test('migrate may run again', async () => {
    expect(await run(['migrate'])).toMatchObject({ code: 0, stderr: '' });
  });

  test('create prints the key alone on standard output, and says the rest beside it', async () => {
    const { code, stdout, stderr } = await run(['create', '--name', 'CI', '--organization', 'org_1']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^acme_live_[0-9A-Za-z]{38}\n$/);
    expect(stderr).toMatch(/^Created [0-9a-f-]{36}\. The key is shown this once/);
    expect(stderr).not.toContain(stdout.trim().slice(14, -4));
  });

  test('create takes all that a key can have', async () => {
    const owner = ['--owner', 'user:u_1', '--organization-slug', 'acme'];
    const scopes = ['--scope', 'a:read', '--scope', 'b:*'];
    const ends = ['--expires', '90d', '--not-before', '2026-01-01'];
    const { id } = await create(
      ...owner,
      ...scopes,
      ...ends,
      '--metadata',
      '{"a":[1]}',
      '--created-by',
      'me',
    );
    const apiKey = await json(['show', id]);
    expect(apiKey).toMatchObject({
      organization: { id: 'org_1', slug: 'acme' },
      owner: { type: 'user', id: 'u_1' },
      scopes: ['a:read', 'b:*'],
      notBefore: '2026-01-01T00:00:00.000Z',
      metadata: { a: [1] },
      createdBy: 'me',
    });
    expect(Date.parse(apiKey.expiresAt) - Date.parse(apiKey.createdAt)).toBeGreaterThan(89.9 * 86_400_000);
  });

  test('a pair is created as one text, and verified as that', async () => {
    const { stdout } = await run(['create', '--name', 'P', '--organization', 'o', '--kind', 'pair']);
    expect(stdout).toMatch(/^[0-9a-f-]{36}\.\S+\n$/);
    expect(await run(['verify'], stdout)).toMatchObject({ code: 0 });
  });

  test('list filters, pages and tells where to go on', async () => {
    for (const name of ['L1', 'L2', 'L3'])
      await run(['create', '--name', name, '--organization', 'org_list']);
    const { stdout, stderr } = await run(['list', '--organization', 'org_list', '--limit', '2']);
    expect(stdout.split('\n')).toHaveLength(4);
    expect(stdout).toContain('L3');
    const cursor = /--cursor (\S+),/.exec(stderr)?.[1] ?? '';
    const rest = await json(['list', '--organization', 'org_list', '--cursor', cursor]);
    expect(rest.apiKeys.map(({ name }: { name: string }) => name)).toEqual(['L1']);
    const all = await json(['list', '--organization', 'org_list', '--all', '--oldest']);
    expect(all.apiKeys.map(({ name }: { name: string }) => name)).toEqual(['L1', 'L2', 'L3']);
  });

  test('update, disable and enable change a key, if it has the version that is named', async () => {
    const { id } = await create('--scope', 'a');
    expect(await json(['update', id, '--name', 'New', '--scope', 'b'])).toMatchObject({
      name: 'New',
      scopes: ['b'],
    });
    expect(await run(['update', id, '--no-scopes', '--if-version', '1'])).toMatchObject({
      code: 1,
      stdout: '',
    });
    expect(await json(['disable', id])).toMatchObject({ enabled: false });
    expect(await json(['enable', id, '--if-version', '3'])).toMatchObject({ enabled: true, version: 4 });
  });

  test('what the keys themselves refuse is told by the flag it came from', async () => {
    const { id } = await create();
    const { code, stderr } = await run(['update', id, '--scope', '*']);
    expect(stderr).toMatch(/^keystile: --scope /);
    expect(code).toBe(2);
    expect(await run(['show', 'nobody'])).toMatchObject({ code: 1, stdout: '' });
  });

  test('rotate prints the new key, and the old one works on', async () => {
    const { id, key } = await create();
    const { stdout, stderr } = await run(['rotate', id, '--grace', '2h']);
    expect(stderr).toContain('The old key works for 2 hours.');
    expect(await run(['verify'], stdout)).toMatchObject({ code: 0, stderr: 'Accepted.\n' });
    expect((await run(['verify'], key)).stderr).toMatch(/^Accepted as the old key, until /);
  });

  test('verify tells why a key is not accepted, by exit code 1', async () => {
    const { id, key } = await create();
    expect(await run(['verify'], `${key}\n`)).toMatchObject({ code: 0 });
    expect(await run(['revoke', id, '--yes', '--reason', 'leaked'])).toMatchObject({ code: 0 });
    const refused = await run(['verify', '--json'], key);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ ok: false, reason: 'revoked', apiKey: { id } });
    expect(await run(['verify'], 'nonsense')).toMatchObject({ code: 1, stdout: '' });
    expect(await run(['verify'])).toMatchObject({ code: 2 });
  });

  test('verify notes no use, as looking is none', async () => {
    const { id, key } = await create();
    await run(['verify'], key);
    expect(await json(['show', id])).not.toHaveProperty('lastUsedAt');
  });

  test.each<[string, (id: string) => string[]]>([
    ['revoke', (id) => ['revoke', id]],
    ['revoke of all', () => ['revoke', '--organization', 'org_1']],
    ['delete', (id) => ['delete', id]],
    ['prune', () => ['prune']],
    ['rotate without grace', (id) => ['rotate', id, '--grace', '0s']],
  ])('%s is refused where nobody can be asked and --yes is missing', async (_case, args) => {
    const { id, key } = await create();
    const { code, stdout, stderr } = await run(args(id));
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('add --yes');
    expect(await run(['verify'], key)).toMatchObject({ code: 0 });
  });

  test('revoke, prune and delete end keys: all of an owner, the old ones, and one', async () => {
    const mine = await create('--owner', 'user:leaver');
    const other = await create('--owner', 'user:stayer');
    expect(await json(['revoke', '--owner', 'user:leaver', '--yes'])).toEqual({ revoked: 1 });
    expect(await run(['verify'], other.key)).toMatchObject({ code: 0 });
    expect(await json(['prune', '--yes'])).toEqual({ deleted: 0 });
    expect((await json(['prune', '--yes', '--revoked-before', '0s'])).deleted).toBeGreaterThanOrEqual(1);
    expect(await run(['show', mine.id])).toMatchObject({ code: 1 });
    expect(await run(['delete', other.id, '--yes'])).toMatchObject({
      code: 0,
      stdout: `Deleted ${other.id}.\n`,
    });
    expect(await run(['delete', other.id, '--yes'])).toMatchObject({ code: 1 });
  });

  test('no secret comes out but the key of create and rotate', async () => {
    const { id, key } = await create();
    const outputs = await Promise.all([
      run(['verify'], key),
      run(['show', id]),
      run(['list', '--json']),
      run(['doctor']),
      run(['revoke', id, '--yes']),
    ]);
    const words = JSON.stringify(outputs);
    expect(words).toContain('acme_live_');
    expect(words).not.toContain(key.slice(14, -4));
    expect(words).not.toContain(PEPPER);
    expect(words).not.toContain('hmac-sha256:');
  });
});

test(
  'every command does the same as a process of its own',
  async () => {
    await cli.build();
    const env = { KEYSTILE_STORE: 'sqlite:walk.db', KEYSTILE_PREFIX: 'acme' };
    const ended: Record<string, number | null> = {};
    const run = async (args: readonly string[], input = ''): Promise<Ran> => {
      const ran = await cli.run(args, { env, input });
      ended[args[0] as string] = ran.code;
      return ran;
    };
    await run(['migrate']);
    const { stdout: key } = await run(['create', '--name', 'CI', '--organization', 'org_1']);
    const { stdout: listed } = await run(['list', '--json']);
    const { id } = JSON.parse(listed).apiKeys[0];
    for (const name of ['show', 'disable', 'enable']) await run([name, id]);
    await run(['update', id, '--name', 'New']);
    await run(['rotate', id, '--grace', '1h']);
    expect((await run(['verify'], key)).stderr).toMatch(/^Accepted as the old key/);
    await run(['why'], key);
    const { stdout: rows } = await run(['export']);
    await run(['import'], rows);
    await run(['doctor']);
    await run(['openapi']);
    await run(['revoke', id, '--yes']);
    await run(['prune', '--yes']);
    await run(['delete', id, '--yes']);
    expect((await run(['show', id])).code).toBe(1);
    const names = (await cli.run(['--help'])).stdout.match(/^ {2}[a-z]+(?= )/gm) ?? [];
    expect(Object.keys(ended).sort()).toEqual(names.map((name) => name.trim()).sort());
    expect(ended).toMatchObject(
      Object.fromEntries(names.map((name) => [name.trim(), name.trim() === 'show' ? 1 : 0])),
    );
  },
  BUILD_TIMEOUT_MS,
);
