// Bytes for each key that is held: of ours by bench/memory.mjs, and of the Map that an application would have. None of the
// other contenders remembers a key.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const OURS = fileURLToPath(new URL('../memory.mjs', import.meta.url));
const MAP = fileURLToPath(new URL('map-memory.mjs', import.meta.url));

export function measureMemory({ keys }) {
  const ours = outputOf([OURS, String(keys)]);
  const [, bytes] = /^bytes for each of \d+ keys\s+(\d+)/m.exec(ours) ?? [];
  if (bytes === undefined) throw new Error(`bench/memory.mjs gave no figure:\n${ours}`);
  const maps = JSON.parse(outputOf(['--expose-gc', MAP, String(keys)]));
  return [
    { name: 'keystile', bytes: Number(bytes) },
    { name: 'a Map of plain keys', bytes: maps.plain },
    { name: 'a Map of SHA-256', bytes: maps.sha256 },
  ];
}

/** bench/memory.mjs fails where it misses its goal; the figure counts all the same. */
function outputOf(args) {
  const { stdout, stderr, error } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return stdout === '' ? stderr : stdout;
}
