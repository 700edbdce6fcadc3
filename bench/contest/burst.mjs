// Many requests at once for one key that nobody has asked for yet.
import { short, spread } from './rounds.mjs';

/** @returns by id `{ count, storeCalls, milliseconds }`, of those who ask something for a key */
export async function measureBursts(field, { count, repeats }, tell) {
  const found = new Map();
  const able = field.running.filter(({ canBeCold }) => canBeCold);
  await field.each(able, async ({ id, name, worker }) => {
    tell(name);
    const runs = [];
    for (let i = 0; i < repeats; i += 1) runs.push(await worker.ask('burst', { count }));
    const storeCalls = Math.max(...runs.map((run) => run.storeCalls));
    found.set(id, { count, storeCalls, milliseconds: spread(runs.map((run) => short(run.milliseconds))) });
  });
  return found;
}
