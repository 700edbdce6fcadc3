import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from '@libsql/client';
import { createApiKeys, type KeyLookup, type KeyStore, MemoryKeyStore } from '../../lib/index.ts';
import { keyStoreCases } from '../../lib/testing/key-store-cases.ts';
import { root } from '../support/built-package.ts';
import { codeBlocks, readPage } from '../support/markdown.ts';

const page = readPage('docs/writing-a-store.md');

/** The block that exports this name. */
function blockWith(name: string): string {
  const found = codeBlocks(page).filter(({ code }) => new RegExp(`^export \\w+ ${name}\\b`, 'm').test(code));
  expect(found).toHaveLength(1);
  return found[0]?.code ?? '';
}

/** What a block exports, as whoever copies it has it. */
async function load<T>(name: string): Promise<T> {
  const folder = `${root}.cache/documented-stores`;
  mkdirSync(folder, { recursive: true });
  const path = `${folder}/${name}-${process.pid}.ts`;
  writeFileSync(path, blockWith(name));
  return ((await import(path)) as Record<string, T>)[name] as T;
}

describe('the store that does everything', () => {
  let MapKeyStore: new () => KeyStore;
  beforeAll(async () => {
    MapKeyStore = await load('MapKeyStore');
  });

  const cases = keyStoreCases(() => ({ store: new MapKeyStore() }));
  const abilities = ['delete', 'recordUse'];

  test('has the abilities that the page names', () => {
    const others = ['delete', 'recordUse', 'watch', 'close'].filter((name) => name in MapKeyStore.prototype);
    expect(others).toEqual(abilities);
  });

  test.each(cases.filter(({ needs }) => needs === undefined || abilities.includes(needs)))(
    '$name',
    async ({ run }) => expect(await run()).toBeUndefined(),
  );

  test('issues, finds and revokes keys', async () => {
    const apiKeys = createApiKeys({ store: new MapKeyStore() });
    const { key, apiKey } = await apiKeys.create({ name: 'CI', organization: { id: 'org_1' } });
    expect(await apiKeys.verify(key)).toMatchObject({ ok: true });
    await apiKeys.revoke(apiKey.id);
    expect(await apiKeys.verify(key)).toMatchObject({ ok: false, reason: 'revoked' });
    await apiKeys.close();
  });
});

describe('the store that reads', () => {
  const database = createClient({ url: ':memory:' });
  let store: KeyLookup;

  beforeAll(async () => {
    const tenantKeys = await load<(client: typeof database) => KeyLookup>('tenantKeys');
    store = tenantKeys(database);
    await database.execute(
      'CREATE TABLE tenant_keys (id TEXT, key_sha256 TEXT, tenant_id TEXT, scopes TEXT, disabled INTEGER, expires_at INTEGER)',
    );
  });
  afterAll(() => database.close());

  test('is as short as it is said to be', () => {
    expect(blockWith('tenantKeys').trimEnd().split('\n').length).toBeLessThan(40);
  });

  async function issue(id: string, disabled: 0 | 1, expiresAt: number | null): Promise<string> {
    const issuing = createApiKeys({ store: new MemoryKeyStore() });
    const { key } = await issuing.create({ name: id, organization: { id: 'anything' } });
    await issuing.close();
    const hash = createHash('sha256').update(key).digest('hex');
    const values = [id, hash, 'tenant_7', 'reports:read  invoices:*', disabled, expiresAt];
    await database.execute({ sql: 'INSERT INTO tenant_keys VALUES (?, ?, ?, ?, ?, ?)', args: values });
    return key;
  }

  test('lets its keys in, with what the table says of them', async () => {
    const apiKeys = createApiKeys({ store });
    const end = Date.now() + 60_000;
    const key = await issue('k1', 0, end);
    expect(await apiKeys.verify(key)).toMatchObject({
      ok: true,
      apiKey: { id: 'k1', organization: { id: 'tenant_7' }, scopes: ['reports:read', 'invoices:*'] },
    });
    const verdict = await apiKeys.verify(key);
    expect(verdict.apiKey?.expiresAt?.getTime()).toBe(end);
    await apiKeys.close();
  });

  test.each([
    ['disabled', 'k2', 1 as const, null],
    ['expired', 'k3', 0 as const, 1_000],
  ])('says of a key that it is %s', async (reason, id, disabled, expiresAt) => {
    const apiKeys = createApiKeys({ store });
    const key = await issue(id, disabled, expiresAt);
    expect(await apiKeys.verify(key)).toMatchObject({ ok: false, reason });
    await apiKeys.close();
  });

  test('knows no other keys, and no digests of another kind', async () => {
    const other = createHash('sha256').update('other').digest('base64url');
    expect(await store.findByDigest([`sha256:${other}`])).toBeUndefined();
    expect(await store.findByDigest(['jwt:k1:1'])).toBeUndefined();
  });

  test('does not choose between two keys', async () => {
    const keys = [await issue('k4', 0, null), await issue('k5', 0, null)];
    const digests = keys.map((key) => `sha256:${createHash('sha256').update(key).digest('base64url')}`);
    await expect(store.findByDigest(digests)).rejects.toThrow('two records for one text');
  });
});
