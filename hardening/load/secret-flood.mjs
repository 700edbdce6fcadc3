// Wrong secrets for the id of one pair, in large numbers and at once: from one address, and from many.
import { apiKeyAuth, createApiKeys, keyPairs, MemoryKeyStore } from 'keystile';
import { seededRandom } from '../../bench/contest/rounds.mjs';
import { askAtOnce, countStatuses } from './asking.mjs';
import { CountingStore } from './counting-store.mjs';
import { PREFIX, wrongSecret } from './key-texts.mjs';

const MOST_SECRETS = 20_000;
const LEAST_SECRETS = 500;
const PER_MINUTE = 20;
const MINUTE_MS = 60_000;
const organization = { id: 'org_1' };

/** @param {import('../parts.mjs').Plan} plan */
export async function secretFlood({ seed, scale, say }) {
  const count = Math.max(LEAST_SECRETS, Math.round(MOST_SECRETS * scale));
  say(`${count} wrong secrets`);
  const random = seededRandom(seed);
  const store = new CountingStore(new MemoryKeyStore());
  // On a busy machine, all the secrets take longer than ten seconds.
  const cache = { ttlMs: 40_000, staleIfErrorMs: 0 };
  const apiKeys = createApiKeys({ store, prefix: PREFIX, verifiers: [keyPairs()], cache });
  const used = await makePair(apiKeys);
  const fresh = await makePair(apiKeys);
  const bystander = await makePair(apiKeys);
  const auth = apiKeyAuth(apiKeys);
  const problems = [];
  const ask = async (pair, address) => (await askAtOnce(auth, [pair.text], address)[0]).status;
  const demand = async (what, pair, address, status) => {
    const got = await ask(pair, address);
    if (got !== status) problems.push(`${what}: ${got} and not ${status}`);
  };
  await ask(used, '192.0.2.1');
  const counts = [];
  for (const { id } of [used, fresh]) {
    const before = store.calls;
    const guesses = Array.from({ length: count }, () => `${id}.${wrongSecret(random)}`);
    const answers = countStatuses(await Promise.all(askAtOnce(auth, guesses, '192.0.2.1')));
    counts.push(answers);
    const isRight = answers[401] === PER_MINUTE && answers[429] === count - PER_MINUTE;
    if (!isRight || store.calls - before !== PER_MINUTE) {
      problems.push(`${JSON.stringify(answers)} with ${store.calls - before} store calls`);
    }
  }
  await demand('the good secret, which is in the cache, from the same address', used, '192.0.2.1', 200);
  await demand('the good secret, which is in no cache, from the same address', fresh, '192.0.2.1', 429);
  await demand('another id from the same address', bystander, '192.0.2.1', 200);
  await demand('the good secret from elsewhere', fresh, '192.0.2.2', 200);
  await apiKeys.close();
  return [
    {
      name: 'wrong secrets for one id',
      iterations: 2 * count,
      falseAccepts: counts.reduce((sum, answers) => sum + (answers[200] ?? 0), 0),
      details: `${PER_MINUTE} a minute reach the store, the others are 429`,
      problems,
    },
    await afterAMinute(random),
  ];
}

/** The good secret is taken from the same address once the minute is over. */
async function afterAMinute(random) {
  const store = new CountingStore(new MemoryKeyStore());
  const apiKeys = createApiKeys({ store, prefix: PREFIX, verifiers: [keyPairs()] });
  const { id, text } = await makePair(apiKeys);
  const auth = apiKeyAuth(apiKeys);
  const guesses = Array.from({ length: 2 * PER_MINUTE }, () => `${id}.${wrongSecret(random)}`);
  await Promise.all(askAtOnce(auth, guesses, '192.0.2.1'));
  const statuses = [];
  for (const ms of [MINUTE_MS - 1_000, MINUTE_MS]) {
    const askLater = () => askAtOnce(auth, [text], '192.0.2.1')[0];
    statuses.push((await withProcessTime(ms, askLater)).status);
  }
  await apiKeys.close();
  return {
    name: 'the right secret after wrong ones',
    iterations: guesses.length,
    falseAccepts: 0,
    falseRefusals: statuses[1] === 401 ? 1 : 0,
    details: '429 within the minute, 200 after it',
    problems: statuses.join() === '429,200' ? [] : [`within the minute and after it: ${statuses.join(', ')}`],
  };
}

/** As if the process had run for so much longer already. */
async function withProcessTime(ms, act) {
  const real = performance.now.bind(performance);
  Object.defineProperty(performance, 'now', { value: () => real() + ms, configurable: true, writable: true });
  try {
    return await act();
  } finally {
    Reflect.deleteProperty(performance, 'now');
  }
}

async function makePair(apiKeys) {
  const { key: id, secret } = await apiKeys.create({ kind: 'pair', name: 'pair', organization });
  return { id, text: `${id}.${secret}` };
}
