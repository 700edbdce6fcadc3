import { Worker } from 'node:worker_threads';
import { jest } from '@jest/globals';
import bcrypt from 'bcryptjs';
import { type BcryptSecretsOptions, bcryptSecrets } from '../../lib/authentication/bcrypt-secrets.ts';
import {
  type ApiKeys,
  type ApiKeysOptions,
  createApiKeys,
  type KeyRecord,
  keyRecord,
  MemoryKeyStore,
} from '../../lib/index.ts';
import { FaultStore } from './fault-store.ts';

export const ID = 'acct_1';
export const SECRET = 'open sesame';
export const IDS: RegExp = /^acct_\d+$/;

export function bcryptDigest(secret: string, tag = '2b', cost = 4): string {
  const hash = bcrypt.hashSync(secret, bcrypt.genSaltSync(cost));
  return `bcrypt:$${tag}${hash.slice(3)}`;
}

export interface BcryptBench {
  readonly apiKeys: ApiKeys;
  readonly store: FaultStore;
  record(): Promise<KeyRecord>;
  /** Another process over the same records, with a verifier of its own. */
  otherProcess(): Omit<BcryptBench, 'otherProcess' | 'record'>;
}

export interface BcryptBenchOptions extends Partial<ApiKeysOptions> {
  /** Of the one record in the store. */
  readonly record?: Partial<KeyRecord>;
  readonly bcrypt?: Partial<BcryptSecretsOptions>;
}

/** Keys over a store with one record, whose secret is {@link SECRET} under bcrypt. */
export function openBcrypt({
  record,
  bcrypt: own,
  verifiers = [],
  ...rest
}: BcryptBenchOptions = {}): BcryptBench {
  const fields = { id: ID, digest: bcryptDigest(SECRET), organization: { id: 'org_1' } };
  const memory = new MemoryKeyStore([keyRecord({ ...fields, ...record })]);
  const open = () => {
    const store = new FaultStore(memory, { without: ['watch'] });
    const ours = bcryptSecrets({ ids: IDS, ...own });
    return { store, apiKeys: createApiKeys({ store, verifiers: [...verifiers, ours], ...rest }) };
  };
  return { ...open(), otherProcess: open, record: async () => (await memory.findById(ID)) as KeyRecord };
}

/** What was handed to threads to be compared since, and to which thread. */
export interface Comparisons {
  readonly hashes: readonly string[];
  readonly threads: readonly Worker[];
}

/** Calls of Node's own class are noted and carried out; `jest.restoreAllMocks()` ends it. */
export function watchComparisons(): Comparisons {
  const { mock } = jest.spyOn(Worker.prototype, 'postMessage');
  return {
    get hashes() {
      return mock.calls.map(([question]) => (question as { hash: string }).hash);
    },
    get threads() {
      return [...new Set(mock.contexts as Worker[])];
    },
  };
}
