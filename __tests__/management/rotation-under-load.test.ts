import { afterEach, expect, test } from '@jest/globals';
import { Tally, Texts } from '../../bench/rotation-load.mjs';
import { apiKeyAuth } from '../../lib/index.ts';
import { closeManagement, openManagement, SESSIONS } from '../support/management-bench.ts';

afterEach(closeManagement);

const ROTATIONS = 50;
const CLIENTS = 8;
const ANSWERS_BETWEEN = 12;

/** A day (which the next rotation cuts short), none, and as long as what is let pass between two rotations. */
const GRACES_MS = [86_400_000, 0, 5_000];

test('while a key is rotated under load, no valid text is refused and no ended one accepted', async () => {
  const bench = await openManagement({
    management: { authorize: () => SESSIONS['anna'] },
    before: (apiKeys) => [
      (req, res, next) => {
        if (req.path !== '/protected') next();
        else apiKeyAuth(apiKeys)(req, res, () => res.end());
      },
    ],
  });
  const { id, key } = await bench.make();
  const texts = new Texts(() => bench.clock.ms);
  texts.add(key);
  const tally = new Tally();
  let isOver = false;
  const send = async (text: string) => {
    const headers = { authorization: `Bearer ${text}` };
    return (await fetch(`http://127.0.0.1:${bench.port}/protected`, { headers })).status;
  };

  let turn = 0;
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!isOver) await tally.ask(texts, turn++, send);
  });
  const answers = async (count: number) => {
    const wanted = tally.accepted + tally.refused + count;
    while (tally.accepted + tally.refused < wanted) await new Promise((resolve) => setImmediate(resolve));
  };
  for (let count = 0; count < ROTATIONS; count += 1) {
    await answers(ANSWERS_BETWEEN);
    const gracePeriodMs = GRACES_MS[count % GRACES_MS.length] as number;
    await texts.rotate(gracePeriodMs, async () => {
      const { body } = await bench.ask('POST', `/keys/${id}/rotate`, { body: { gracePeriodMs } });
      const { grace } = body.apiKey;
      return { key: body.key, graceEndsAt: grace === undefined ? undefined : Date.parse(grace.expiresAt) };
    });
    await answers(ANSWERS_BETWEEN);
    bench.clock.ms += 5_000;
  }
  await answers(ANSWERS_BETWEEN);
  isOver = true;
  await Promise.all(clients);

  expect(tally.wrong).toEqual([]);
  expect(tally.unanswered).toBe(0);
  expect(tally.accepted).toBeGreaterThan(ROTATIONS * ANSWERS_BETWEEN);
  expect(tally.refused).toBeGreaterThan(ROTATIONS);
});
