import * as crypto from 'node:crypto';
import { expect, jest, test } from '@jest/globals';

// No test can see how long a comparison takes: the machine is never quiet enough. What can be seen is who decides, as
// Node's own timingSafeEqual() can be made to say no.
const compare = jest.fn(crypto.timingSafeEqual);
jest.unstable_mockModule('node:crypto', () => ({ ...crypto, timingSafeEqual: compare }));

const { createApiKeys, keyPairs, MemoryKeyStore } = await import('../../lib/index.ts');

const kinds = [
  { what: 'a key', kind: 'opaque', peppers: [] },
  { what: 'a key under a pepper', kind: 'opaque', peppers: [{ id: 'p1', secret: 'x'.repeat(32) }] },
  { what: 'a pair', kind: 'pair', peppers: [] },
] as const;

test.each(kinds)('$what is accepted only where timingSafeEqual() says so', async ({ kind, peppers }) => {
  const verifiers = [keyPairs()];
  const apiKeys = createApiKeys({ store: new MemoryKeyStore(), cache: false, verifiers, peppers });
  const organization = { id: 'org_1' };
  const { key, secret } = await apiKeys.create({ name: 'CI', organization, kind });
  const verify = async () => (secret === undefined ? apiKeys.verify(key) : apiKeys.verifyPair(key, secret));

  compare.mockImplementation(crypto.timingSafeEqual);
  expect(await verify()).toMatchObject({ ok: true });

  compare.mockReturnValue(false);
  await expect(verify()).rejects.toMatchObject({ code: 'temporarily_unavailable' });
});
