import type { ApiKeys } from '../api-keys.ts';
import type { IssuedKey } from '../issuance/issuer.ts';
import type { CreateInput } from '../issuance/key-input.ts';
import type { Organization } from '../keys/api-key.ts';

/** As for `create()`, with nothing that has to be given. */
export type TestKeyInput = Omit<CreateInput, 'name' | 'organization'> & {
  /** @default 'test key' */
  name?: string | undefined;
  /** @default { id: 'org_test' } */
  organization?: Organization | undefined;
};

/** Issues a key for a test. It is a real key of these keys: a request can carry it, and it can be revoked. */
export function testKey(apiKeys: ApiKeys, input: TestKeyInput = {}): Promise<IssuedKey> {
  const { name = 'test key', organization = { id: 'org_test' } } = input;
  return apiKeys.create({ ...input, name, organization });
}
