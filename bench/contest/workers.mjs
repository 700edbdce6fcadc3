// Starts the process of a contender and talks to it.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Something hangs: the slowest step, 5,000 requests for one key over SQLite, takes a tenth of it. */
const PATIENCE_MS = 180_000;

const SCRIPT = fileURLToPath(new URL('worker.mjs', import.meta.url));

/** @returns `ask(command, given)`, `pid` and `close()` */
export async function startWorker(id) {
  const child = fork(SCRIPT, [id], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const waiting = new Map();
  let last = 0;
  const hello = new Promise((resolve, reject) => waiting.set(0, { resolve, reject }));
  child.on('message', ({ number, value, error }) => {
    const { resolve, reject } = waiting.get(number);
    waiting.delete(number);
    if (error === undefined) resolve(value);
    else reject(new Error(error));
  });
  child.on('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`${id} has ended (${signal ?? code})`));
    waiting.clear();
  });
  await hello;
  return {
    pid: child.pid,
    ask(command, given = {}) {
      last += 1;
      const number = last;
      return new Promise((resolve, reject) => {
        const late = () => reject(new Error(`${id} does not come to an end with "${command}"`));
        const timer = setTimeout(late, PATIENCE_MS);
        const settled = (settle) => (value) => {
          clearTimeout(timer);
          settle(value);
        };
        waiting.set(number, { resolve: settled(resolve), reject: settled(reject) });
        child.send({ number, command, given }, (error) => error && waiting.get(number)?.reject(error));
      });
    },
    close: () => child.kill('SIGKILL'),
  };
}
