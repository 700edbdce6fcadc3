import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createApiKeys, type KeyLookup, type KeyRecord, MemoryKeyStore } from '../../lib/index.ts';
import { KEY_INPUT } from '../support/open-keys.ts';

const STORE_TIMEOUT_MS = 100;

/** Answers from outside of this thread, as a database does, however busy this one is. */
let outside: Worker;

beforeAll(() => {
  const answerSoon = `const { parentPort } = require('node:worker_threads');
    parentPort.on('message', (text) => setTimeout(() => parentPort.postMessage(text), ${STORE_TIMEOUT_MS / 5}));`;
  outside = new Worker(answerSoon, { eval: true });
});

afterAll(() => outside.terminate());

function askOutside(text: string): Promise<string> {
  return new Promise((resolve) => {
    outside.once('message', resolve);
    outside.postMessage(text);
  });
}

test('a store that answered in time is believed by a process that was too busy to listen', async () => {
  const real = new MemoryKeyStore();
  const { key } = await createApiKeys({ store: real }).create(KEY_INPUT);
  const store: KeyLookup = {
    async findByDigest(digests): Promise<KeyRecord | undefined> {
      await askOutside('awake?');
      return real.findByDigest(digests);
    },
  };
  await askOutside('awake?'); // a worker takes its time to start
  const apiKeys = createApiKeys({ store, storeTimeoutMs: STORE_TIMEOUT_MS });

  const verdict = apiKeys.verify(key);
  // Just before the loop begins anew, where timers that are due come before anything that has arrived.
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4 * STORE_TIMEOUT_MS));

  expect(await verdict).toMatchObject({ ok: true });
  await apiKeys.close();
});
