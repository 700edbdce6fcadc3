// Many requests at once for one key that nobody has asked for yet.
import { short, spread } from './rounds.mjs';

/** @returns by id `{ count, storeCalls, milliseconds }`, of those who ask something for a key */
export async function measureBursts(running, { count, repeats }, tell) {
  const found = new Map();
  const able = running.filter(({ canBeCold }) => canBeCold);
  for (const { id, name, worker } of able) {
    tell(name);
    const runs = [];
    for (let i = 0; i < repeats; i += 1) runs.push(await worker.ask('burst', { count }));
    const storeCalls = Math.max(...runs.map((run) => run.storeCalls));
    found.set(id, { count, storeCalls, milliseconds: spread(runs.map((run) => short(run.milliseconds))) });
  }
  return found;
}
