// After a run of Jest: ends the database servers that were started for it, and removes the command that was built for it.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from './counts.mjs';
import { SKIP_VARIABLE } from './services.mjs';

const STOP_TIMEOUT_MS = 20_000;

export default async function tearDown() {
  const folder = process.env['KEYSTILE_TEST_SERVERS'];
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  const keepers = files.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).keeperPid);
  await Promise.all(keepers.filter((pid) => pid !== undefined).map(end));
  rmSync(folder, { recursive: true, force: true });
  rmSync(join(root, '.cache', `cli-${basename(folder)}`), { recursive: true, force: true });
  if (process.env[SKIP_VARIABLE] === '1') {
    console.error(
      `\nSKIPPED: all tests over PostgreSQL, MariaDB and Redis servers, because of ${SKIP_VARIABLE}=1\n`,
    );
  }
}

async function end(pid) {
  const start = performance.now();
  process.kill(pid, 'SIGTERM');
  while (isAlive(pid) && performance.now() - start < STOP_TIMEOUT_MS) await sleep(20);
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
