// A process of bench/scaling-check.mjs: asks about keys at random moments, by rank, and counts what its store is asked.
import { createApiKeys } from 'keystile';
import { SqlKeyStore } from 'keystile/stores/sql';
import pg from 'pg';
import { seededRandom } from './contest/rounds.mjs';
import { exponential } from './scaling/simulation.mjs';
import { zipfRanks } from './scaling/zipf.mjs';

const [url, seed] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: url });
// A server that stops ends connections that are idle.
pool.on('error', () => undefined);
const store = new SqlKeyStore(pool, { watch: false });
let lookUps = 0;
let requests = 0;
const counting = {
  findByDigest(digests) {
    lookUps += 1;
    return store.findByDigest(digests);
  },
};
const lastTaken = new Map();
let apiKeys;
let timer;

process.on('message', ({ type, texts, plan }) => {
  if (type === 'begin') begin(texts, plan);
  else if (type === 'count') process.send({ lookUps, requests });
  else if (type === 'end') void end();
});
process.on('disconnect', () => process.exit());
process.send({});

function begin(texts, { skew, perSecond, ttlMs, maxEntries }) {
  apiKeys = createApiKeys({ store: counting, prefix: 'acme', cache: { ttlMs, maxEntries } });
  const random = seededRandom(Number(seed));
  const nextRank = zipfRanks(texts.length, skew, random);
  let due = performance.now();
  timer = setInterval(() => {
    const now = performance.now();
    while (due < now) {
      due += exponential(1_000 / perSecond, random);
      void ask(texts, nextRank() - 1);
    }
  }, 1);
}

async function ask(texts, number) {
  requests += 1;
  const { ok } = await apiKeys.verify(texts[number]);
  if (ok) lastTaken.set(number, Date.now());
}

async function end() {
  clearInterval(timer);
  await apiKeys.close();
  await pool.end();
  process.send({ lastTaken: [...lastTaken] });
}
