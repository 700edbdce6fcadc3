// What a contender adds to a request in its own process, without a socket: Express alone and Express with the contender
// in turn, the contenders in an order that changes.
import { median } from '../turns.mjs';
import { shuffler, spread } from './rounds.mjs';

const BATCH_US = 10_000;
const BARE_CALLS = 300;

/** @returns by id `{ cpu, wall, ratio }`, microseconds */
export async function measureInProcess(field, { rounds, warmUp }, tell) {
  const all = new Map();
  await field.each(field.running, async ({ id, worker }) => {
    all.set(id, { calls: await warm(worker, warmUp), pairs: [] });
  });
  const shuffle = shuffler();
  for (let round = 0; round < rounds; round += 1) {
    tell(`${round + 1} of ${rounds}`);
    await field.each(shuffle(field.running), async ({ id, worker }) => {
      const { calls, pairs } = all.get(id);
      const pair = {};
      for (const which of round % 2 === 0 ? ['bare', 'own'] : ['own', 'bare']) {
        pair[which] = await worker.ask('batch', { which, calls: which === 'bare' ? BARE_CALLS : calls });
      }
      pairs.push(pair);
    });
  }
  return field.figures(all, ({ pairs }) => sumUp(pairs));
}

/** @returns how many calls make a batch that the clock of the processor can tell */
async function warm(worker, batches) {
  let calls = 1;
  const walls = [];
  for (let batch = 0; batch < batches; batch += 1) {
    await worker.ask('batch', { which: 'bare', calls: BARE_CALLS });
    const { wall } = await worker.ask('batch', { which: 'own', calls });
    walls.push(wall);
    calls = Math.max(1, Math.min(BARE_CALLS, Math.round(BATCH_US / median(walls.slice(-3)))));
    // One that takes a tenth of a second each time is as warm as it gets.
    if (wall > 20_000) break;
  }
  return calls;
}

function sumUp(pairs) {
  const added = (what) => spread(pairs.map(({ own, bare }) => own[what] - bare[what]));
  return {
    cpu: added('cpu'),
    wall: added('wall'),
    ratio: spread(pairs.map(({ own, bare }) => own.cpu / bare.cpu)),
  };
}
