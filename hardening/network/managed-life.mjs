// Management calls over a store that fails, each held against what the real store has afterwards.
import { createHash } from 'node:crypto';
import { newSubject, turnTo } from './judge.mjs';
import { oneOf } from './store-calls.mjs';
import { SCOPE } from './traffic.mjs';

export const ORGANIZATIONS = ['org_1', 'org_2', 'org_3', 'org_4'];

/** Nothing else may be thrown: the key was changed, or is gone, or the store failed. */
const EXPECTED_CODES = ['temporarily_unavailable', 'conflict', 'not_found', 'duplicate_key'];

export function someInput(random) {
  const id = oneOf(ORGANIZATIONS, random);
  return { name: 'Key', organization: { id }, scopes: [SCOPE], metadata: { of: id } };
}

/**
 * @typedef {object} Bench
 * @property {import('keystile').ApiKeys} apiKeys - over the store that fails
 * @property {import('keystile').KeyStore} real - the store behind it
 * @property {() => number} random
 * @property {import('./judge.mjs').Judge} judge
 * @property {import('./judge.mjs').Subject[]} subjects - of good keys; what is created is added
 */

/**
 * Each answers once it is done, and is true then: what follows from it is looked up in the real store.
 *
 * @type {Record<string, (bench: Bench, subject: import('./judge.mjs').Subject) => Promise<unknown>>}
 */
export const CALLS = {
  async create({ apiKeys, real, random, judge, subjects }) {
    const { key, apiKey } = await apiKeys.create(someInput(random));
    const record = await real.findById(apiKey.id);
    if (record?.digest !== digestOf(key)) judge.problem(`create() answered ${apiKey.id}, which is not there`);
    subjects.push(newSubject(key, apiKey.id));
  },

  async get({ apiKeys, judge }, { id }) {
    const apiKey = await apiKeys.get(id);
    if (apiKey !== undefined && apiKey.id !== id) judge.problem(`get(${id}) answered ${apiKey.id}`);
  },

  async list({ apiKeys, random, judge }) {
    const organizationId = oneOf(ORGANIZATIONS, random);
    const { apiKeys: listed } = await apiKeys.list({ organizationId, limit: 20 });
    const stranger = listed.find(({ organization }) => organization.id !== organizationId);
    if (stranger === undefined) return;
    judge.falseAccepts += 1;
    judge.problem(`list() of ${organizationId} answered ${stranger.id} of ${stranger.organization.id}`);
  },

  async update({ apiKeys, real, random, judge }, { id }) {
    const name = `Name ${Math.floor(random() * 1e9)}`;
    await apiKeys.update(id, { name });
    const record = await real.findById(id);
    if (record?.name !== name) judge.problem(`update(${id}) answered, and the name is ${record?.name}`);
  },

  async revoke({ apiKeys, real, judge }, subject) {
    turnTo(subject, 'perhaps');
    await apiKeys.revoke(subject.id);
    turnTo(subject, 'refused');
    const record = await real.findById(subject.id);
    if (record?.revokedAt === undefined)
      judge.problem(`revoke(${subject.id}) answered, and it is not revoked`);
  },

  async disable({ apiKeys, real, judge }, subject) {
    turnTo(subject, 'perhaps');
    await apiKeys.disable(subject.id);
    turnTo(subject, 'refused');
    const record = await real.findById(subject.id);
    if (record?.enabled !== false) judge.problem(`disable(${subject.id}) answered, and it is enabled`);
  },

  async rotate({ apiKeys, real, random, judge, subjects }, subject) {
    const gracePeriodMs = random() < 0.5 ? 0 : 86_400_000;
    turnTo(subject, 'perhaps');
    const { key } = await apiKeys.rotate(subject.id, { gracePeriodMs });
    turnTo(subject, gracePeriodMs === 0 ? 'refused' : 'perhaps');
    const record = await real.findById(subject.id);
    if (record?.digest !== digestOf(key)) judge.problem(`rotate(${subject.id}) answered another key`);
    subjects.push(newSubject(key, subject.id));
  },

  async delete({ apiKeys, real, judge }, subject) {
    turnTo(subject, 'perhaps');
    const deleted = await apiKeys.delete(subject.id);
    if (!deleted) return;
    turnTo(subject, 'refused');
    const record = await real.findById(subject.id);
    if (record !== undefined) judge.problem(`delete(${subject.id}) answered, and it is there`);
  },
};

const NAMES = Object.keys(CALLS);

/** One call, chosen at random. */
export async function manage(bench, subject) {
  const name = oneOf(NAMES, bench.random);
  try {
    await CALLS[name](bench, subject);
  } catch (error) {
    if (EXPECTED_CODES.includes(error?.code)) return;
    bench.judge.problem(`${name}() failed with ${error?.stack ?? String(error)}`);
  }
}

function digestOf(key) {
  return `sha256:${createHash('sha256').update(key).digest('base64url')}`;
}
