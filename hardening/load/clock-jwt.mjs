// A JWT says itself when it was made. What is made later than now was not made by this clock, so one that was set back
// refuses it by choice, as docs/credentials.md says: from the next time that it is read, and until the clock is right.
import { createApiKeys, MemoryKeyStore } from 'keystile';
import { jwtKeys } from 'keystile/jwt';
import { jwtOptions } from '../../bench/jwt-options.mjs';
import { PREFIX } from './key-texts.mjs';
import { VirtualTime } from './virtual-time.mjs';

const START_MS = Date.UTC(2026, 10, 20);
const HOUR_MS = 3_600_000;
const TTL_MS = 10_000;
const LEEWAY_MS = 5_000;
const organization = { id: 'org_1' };

/** What happens to the clocks, and whether the key is accepted then. */
const STEPS = [
  ['new', () => undefined, true],
  ['the clock is set back by less than the leeway', (time) => time.stepWall(-LEEWAY_MS), true],
  ['an hour, while the key is in the cache', (time) => time.stepWall(-HOUR_MS), true],
  ['once it is read again', (time) => time.advance(TTL_MS), false],
  ['the clock is right again', (time) => time.stepWall(HOUR_MS + LEEWAY_MS), true],
  ['past its end', (time) => time.stepWall(2 * HOUR_MS), false],
  ['set back from there', (time) => time.stepWall(-2 * HOUR_MS), true],
];

export async function jwtAfterSteps() {
  const time = new VirtualTime(START_MS);
  const problems = [];
  let falseAccepts = 0;
  try {
    const apiKeys = createApiKeys({
      store: new MemoryKeyStore(),
      prefix: PREFIX,
      now: () => time.wall,
      verifiers: [jwtKeys(jwtOptions(HOUR_MS))],
    });
    const { key } = await apiKeys.create({ kind: 'jwt', name: 'key', organization });
    for (const [what, step, isAccepted] of STEPS) {
      await step(time);
      const { ok } = await apiKeys.verify(key);
      if (ok === isAccepted) continue;
      if (ok) falseAccepts += 1;
      problems.push(`${what}: ${ok ? 'accepted' : 'refused'}`);
    }
    await apiKeys.close();
  } finally {
    time.release();
  }
  return {
    name: 'a JWT under a clock that jumps',
    iterations: STEPS.length,
    falseAccepts,
    details: 'refused while it is dated more than 5 s ahead, by choice',
    problems,
  };
}
