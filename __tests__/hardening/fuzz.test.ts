import { expect, test } from '@jest/globals';
import { run } from '../../hardening/fuzz/fuzz.mjs';

/** About one in a thousand of the long run. */
const SCALE = 0.001;
/** Some of the long run's are so few that a thousandth would be none. */
const LEAST = 10;

test('no hostile header, key, JWT, body, record or message is let in, makes a fault of ours, or locks anybody out', async () => {
  const rows = await run({ seed: 1, scale: SCALE, say: () => undefined });
  expect(rows.flatMap(({ problems }) => problems)).toEqual([]);
  expect(rows.filter(({ iterations }) => iterations < LEAST)).toEqual([]);
  expect(rows.filter(({ falseAccepts = 0, falseRefusals = 0 }) => falseAccepts + falseRefusals > 0)).toEqual(
    [],
  );
  expect(rows.map(({ name }) => name)).toEqual([
    'kept from before',
    'headers',
    'raw headers',
    'keys',
    'JWTs',
    'bodies',
    'records',
    'watch messages',
  ]);
}, 120_000);
