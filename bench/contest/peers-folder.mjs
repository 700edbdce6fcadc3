// The packages of bench/peers/: installed when the measurement first needs them, and not with keystile.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../peers/', import.meta.url));
/** npm writes it at the end of an installation. */
const installed = `${folder}node_modules/.package-lock.json`;

/** @returns whether they are there */
export function installPeers() {
  if (areInstalled()) return true;
  console.log('Installing what keystile is measured against (npm ci in bench/peers) ...');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' });
  return status === 0;
}

function areInstalled() {
  const lock = `${folder}package-lock.json`;
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs;
}
