// Very many requests at one moment for one key that the cache does not hold, of each kind of key.
import { createHash } from 'node:crypto';
import { apiKeyAuth, createApiKeys, foreignKeys, keyPairs, MemoryKeyStore } from 'keystile';
import { jwtKeys } from 'keystile/jwt';
import { seededRandom } from '../../bench/contest/rounds.mjs';
import { jwtOptions } from '../../bench/jwt-options.mjs';
import { askAtOnce, countStatuses } from './asking.mjs';
import { CountingStore } from './counting-store.mjs';
import { PREFIX, unknownKeyText } from './key-texts.mjs';

const COLD = 5_000;
const UNKNOWN = 1_000;
const LEAST = 500;
const HOUR_MS = 3_600_000;
/** All requests begin in one go, which keeps the process busy for longer than the deadline of a store call. */
const STORE_TIMEOUT_MS = 60_000;
const organization = { id: 'org_1' };

/** @param {import('../parts.mjs').Plan} plan */
export async function coldBursts({ seed, scale, say }) {
  const random = seededRandom(seed);
  const verifiers = [keyPairs(), foreignKeys(legacyKeys()), jwtKeys(jwtOptions(HOUR_MS))];
  const rows = [];
  for (const [kind, make] of Object.entries(KINDS)) {
    say(`${kind} keys`);
    const memory = new MemoryKeyStore();
    const maker = createApiKeys({ store: memory, prefix: PREFIX, verifiers });
    const texts = await make(maker, random);
    const burst = async (text, most, status) => {
      const store = new CountingStore(memory);
      const options = { store, prefix: PREFIX, verifiers, storeTimeoutMs: STORE_TIMEOUT_MS };
      const apiKeys = createApiKeys(options);
      const count = Math.max(LEAST, Math.round(most * Math.min(1, scale)));
      const answers = countStatuses(
        await Promise.all(askAtOnce(apiKeyAuth(apiKeys), Array(count).fill(text))),
      );
      const calls = store.calls;
      await apiKeys.close();
      return { count, calls, answers, isRight: calls === 1 && answers[status] === count };
    };
    const cold = await burst(texts.cold, COLD, 200);
    const unknown = await burst(texts.unknown, UNKNOWN, 401);
    await maker.close();
    const told = `cold ${JSON.stringify(cold)}, unknown ${JSON.stringify(unknown)}`;
    rows.push({
      name: `one cold and one unknown key at once: ${kind}`,
      iterations: cold.count + unknown.count,
      falseAccepts: unknown.answers[200] ?? 0,
      falseRefusals: cold.answers[401] ?? 0,
      details: `${cold.calls} and ${unknown.calls} store calls`,
      problems: cold.isRight && unknown.isRight ? [] : [told],
    });
  }
  return rows;
}

/** For each kind a good key that is stored, and a sound text that is not. */
const KINDS = {
  async opaque(apiKeys, random) {
    const { key } = await apiKeys.create({ name: 'cold', organization });
    return { cold: key, unknown: unknownKeyText(random) };
  },
  async pair(apiKeys) {
    const { key: id, secret } = await apiKeys.create({ kind: 'pair', name: 'cold', organization });
    return { cold: `${id}.${secret}`, unknown: `${id}.${secret.slice(1)}x` };
  },
  async foreign(apiKeys, random) {
    const [cold, unknown] = [unknownKeyText(random), unknownKeyText(random)].map((text) => `old-${text}`);
    const digest = legacyDigest(cold);
    await apiKeys.import([{ name: 'cold', organization, digest, randomBits: 190 }]);
    return { cold, unknown };
  },
  async jwt(apiKeys) {
    const { key: cold } = await apiKeys.create({ kind: 'jwt', name: 'cold', organization });
    const { key: unknown, apiKey } = await apiKeys.create({ kind: 'jwt', name: 'gone', organization });
    await apiKeys.delete(apiKey.id);
    return { cold, unknown };
  },
};

function legacyKeys() {
  return {
    name: 'legacy',
    matches: /old-\w{48}/,
    examples: [`old-${'a'.repeat(48)}`],
    digests: (text) => [legacyDigest(text)],
  };
}

function legacyDigest(text) {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
