// Requests over loopback to a server on one core, from here, on another: how many a second, how many for a second of the
// server's processor, and how long each took. Express alone runs beside each, in the same process.
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { quantile } from '../turns.mjs';
import { sendLoad } from './load.mjs';
import { short, shuffler, spread } from './rounds.mjs';

const WARM_UP_MS = 300;

/** @returns by id the figures; `isPinned` tells whether the cores were kept apart */
export async function measureLoopback(field, { rounds, milliseconds, connections }, tell) {
  const isPinned = field.running.every(({ worker }) => pin(worker.pid, '0')) && pin(process.pid, '1');
  const all = new Map();
  await field.each(field.running, async ({ id, worker }) => {
    all.set(id, { ports: await worker.ask('listen'), pairs: [] });
  });
  const shuffle = shuffler();
  tell('warming up');
  await field.each(shuffle(field.running), (one) =>
    measurePair(one, all.get(one.id).ports, 0, { milliseconds: WARM_UP_MS, connections }),
  );
  for (let round = 1; round <= rounds; round += 1) {
    tell(`${round} of ${rounds}`);
    await field.each(shuffle(field.running), async (one) => {
      const { ports, pairs } = all.get(one.id);
      pairs.push(await measurePair(one, ports, round, { milliseconds, connections }));
    });
  }
  pin(process.pid, `0-${cpus().length - 1}`);
  return { figures: field.figures(all, ({ pairs }) => sumUp(pairs)), isPinned };
}

/** Express alone and the contender; each is the first in every other round. */
async function measurePair(one, ports, round, options) {
  const pair = {};
  for (const which of round % 2 === 0 ? ['bare', 'own'] : ['own', 'bare']) {
    pair[which] = await measureOne(one, ports[which], which, options);
  }
  return pair;
}

async function measureOne({ worker, texts, status }, port, which, options) {
  const before = await worker.ask('cpu');
  const expected = which === 'bare' ? 200 : status;
  const { count, seconds, latencies } = await sendLoad({ port, texts, status: expected, ...options });
  const cpuSeconds = ((await worker.ask('cpu')) - before) / 1e6;
  return { perSecond: count / seconds, perCpuSecond: count / cpuSeconds, latencies };
}

function sumUp(pairs) {
  const latencies = pairs.flatMap(({ own }) => own.latencies);
  const of = (share) => short(quantile(latencies, share));
  return {
    perSecond: spread(pairs.map(({ own }) => own.perSecond)),
    perCpuSecond: spread(pairs.map(({ own }) => own.perCpuSecond)),
    // Of what Express alone makes of a second of the processor.
    share: spread(pairs.map(({ own, bare }) => own.perCpuSecond / bare.perCpuSecond)),
    milliseconds: { p50: of(0.5), p99: of(0.99), p999: of(0.999) },
    requests: latencies.length,
  };
}

/** All threads of a process to these cores; `false` where that cannot be done. */
function pin(pid, cores) {
  if (cpus().length < 2) return false;
  return spawnSync('taskset', ['-a', '-c', '-p', cores, String(pid)]).status === 0;
}
