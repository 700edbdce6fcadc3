// What the figures were measured on and with.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

export function describeMachine() {
  const all = cpus();
  return {
    node: process.version,
    processor: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()}`,
  };
}

/** Of the last minute: at more than the number of cores, others were measured along. */
export function currentLoad() {
  return Number(loadavg()[0].toFixed(1));
}

/** @param homes - for each package the file that imports it */
export function versionsOf(homes) {
  return Object.fromEntries(Array.from(homes, ([name, home]) => [name, versionOf(name, home)]));
}

/** Some packages do not export their package.json: it is looked for, from where Node finds them. */
function versionOf(name, home) {
  for (const folder of createRequire(home).resolve.paths(name) ?? []) {
    try {
      return JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')).version;
    } catch {
      // Not in this folder.
    }
  }
  return JSON.parse(readFileSync(join(dirname(new URL(home).pathname), '../../package.json'), 'utf8'))
    .version;
}
