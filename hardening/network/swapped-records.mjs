// A store that hands over the record of another key for one look-up in ten, as a connection does that has mixed up its replies.
import { createApiKeys } from 'keystile';
import { faultStore } from 'keystile/testing';
import { seededRandom } from '../../bench/contest/rounds.mjs';
import { startGauges } from '../gauges.mjs';
import { Judge, newSubject, turnTo } from './judge.mjs';
import { someInput } from './managed-life.mjs';
import { oneOf } from './store-calls.mjs';
import { openTraffic } from './traffic.mjs';

const REQUESTS = 100_000;
const SHARE = 0.1;
const KEYS = 64;
const REVOKED = 8;
const UNKNOWN = 8;

/** @returns {Promise<import('../parts.mjs').Row>} */
export async function swappedRecordsRow({ seed, scale, say }, kind, store) {
  const name = `${kind.name}: another key's record for one look-up in ten`;
  const judge = new Judge(`--seed ${seed} --scale ${scale}, ${name}`);
  const random = seededRandom(seed);
  const owner = createApiKeys({ store, prefix: 'acme', storeTimeoutMs: 30_000, cache: false });
  const { subjects, records, subjectOf } = await fill(owner, store, random);
  const faulty = faultStore(store);
  const swapped = new Set();
  faulty.always('findByDigest', async (real) => {
    const [digest] = faulty.asked('findByDigest').at(-1)[0];
    if (random() >= SHARE) return real();
    const other = oneOf(records, random);
    if (other.digest === digest) return real();
    swapped.add(subjectOf.get(digest));
    return other;
  });
  const apiKeys = createApiKeys({ store: faulty, prefix: 'acme', cache: false });
  const traffic = await openTraffic(apiKeys, judge);
  const gauges = startGauges();
  const wanted = Math.max(500, Math.round(REQUESTS * scale));
  let swaps = 0;
  while (judge.answers < wanted) {
    swapped.clear();
    const statuses = await Promise.all(
      subjects.map(async (subject) => [subject, (await traffic.ask(subject)).status]),
    );
    for (const [subject, status] of statuses) {
      if (swapped.has(subject) && status !== 503)
        judge.problem(`${subject.id} was answered ${status} by another record`);
    }
    swaps += swapped.size;
  }
  if (swaps < wanted * SHARE * 0.5) judge.problem(`only ${swaps} look-ups were given another record`);
  const row = judge.row(name, gauges.read(), [`${swaps} swapped`]);
  await traffic.close();
  await Promise.all([apiKeys.close(), owner.close()]);
  say(`${row.name}: ${row.details}`);
  return row;
}

/** Keys of several organizations, some of them revoked, some erased. */
async function fill(owner, store, random) {
  const subjects = [];
  const records = [];
  const subjectOf = new Map();
  for (let i = 0; i < KEYS; i += 1) {
    const { key, apiKey } = await owner.create(someInput(random));
    const subject = newSubject(key, apiKey.id);
    subjects.push(subject);
    if (i < REVOKED) await owner.revoke(apiKey.id);
    const record = await store.findById(apiKey.id);
    records.push(record);
    subjectOf.set(record.digest, subject);
    if (i >= REVOKED && i < REVOKED + UNKNOWN) await owner.delete(apiKey.id);
    if (i < REVOKED + UNKNOWN) turnTo(subject, 'refused');
  }
  return { subjects, records, subjectOf };
}
