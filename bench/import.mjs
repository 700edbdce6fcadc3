// node bench/import.mjs [ROWS] [DATABASES] [STEPS]: imports ROWS keys (1,000,000) with `keystile import` into SQLite and
// PostgreSQL: rows a second, peak memory; the same again, which must change nothing; and an import that is killed with
// SIGKILL ten times and run to its end, which must lose and double nothing. DATABASES are sqlite,postgres unless they are
// given, STEPS import,again,kill. It takes the built package: npm run build.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startServer } from '../scripts/services.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const bin = process.env.KEYSTILE_BIN ?? join(root, 'dist/esm/cli/keystile.js');
const rows = Number(process.argv[2] ?? 1_000_000);
const databases = (process.argv[3] ?? 'sqlite,postgres').split(',');
const steps = (process.argv[4] ?? 'import,again,kill').split(',');
const KILLS = 10;

mkdirSync(join(root, '.cache'), { recursive: true });
const folder = mkdtempSync(join(root, '.cache', 'import-'));
const file = join(folder, 'keys.jsonl');
await writeRows();

try {
  if (databases.includes('sqlite'))
    await measure('SQLite', (name) => ({ store: `sqlite:${join(folder, `${name}.db`)}` }));
  if (databases.includes('postgres')) {
    const server = await startServer('postgres', { durable: true });
    await measure('PostgreSQL', (name) => ({ store: server.url, table: name })).finally(() => server.stop());
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(database, placeOf) {
  const place = placeOf('whole');
  await keystile(place, 'migrate').ended;
  const first = await timedImport(place);
  expectSame(`${database}: imported`, first.report.imported, rows);
  report(database, 'import', first);
  if (steps.includes('again')) {
    const again = await timedImport(place);
    expectSame(`${database}: unchanged`, again.report.unchanged, rows);
    report(database, 'the same again', again);
  }
  if (steps.includes('kill')) await kill(database, placeOf('killed'), first.ms);
}

/** Kills at moments that are spread over the time which an import takes. */
async function kill(database, place, wholeMs) {
  const start = performance.now();
  await keystile(place, 'migrate').ended;
  const startMs = performance.now() - start;
  let kills = 0;
  for (let index = 0; index < KILLS; index += 1) {
    const run = keystile(place, 'import', file);
    const share = 0.3 + 0.7 * ((index * 0.618) % 1);
    await Promise.race([sleep(startMs + ((wholeMs - startMs) / KILLS) * share), run.ended]);
    if (run.child.kill('SIGKILL')) kills += 1;
    await run.ended;
  }
  const { report: last } = await timedImport(place);
  expectSame(
    `${database}: imported and unchanged after ${kills} kills`,
    last.imported + last.unchanged,
    rows,
  );
  const out = join(folder, 'out.jsonl');
  await keystile(place, 'export', '--output', out).ended;
  const ids = new Set();
  let lines = 0;
  for (const line of readLines(out)) {
    lines += 1;
    ids.add(/"id":"([^"]+)"/.exec(line)[1]);
  }
  expectSame(`${database}: keys after ${kills} kills`, lines, rows);
  expectSame(`${database}: different ids after ${kills} kills`, ids.size, rows);
  rmSync(out);
  console.log(`${database}: killed ${kills} times; then ${last.unchanged} were in and ${last.imported} came`);
}

function* readLines(path) {
  // In pieces: the whole is longer than a string may be.
  const bytes = readFileSync(path);
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(10, start);
    yield bytes.toString('utf8', start, end);
    start = end + 1;
  }
}

async function timedImport(place) {
  const start = performance.now();
  const run = keystile(place, 'import', file, '--json');
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, peakOf(run.child.pid) || 0);
  }, 100);
  const { stdout, stderr } = await run.ended;
  clearInterval(watch);
  if (stdout === '') throw new Error(stderr);
  return { ms: performance.now() - start, peak, report: JSON.parse(stdout) };
}

/** Kilobytes, as Linux counts them. */
function peakOf(pid) {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

function keystile({ store, table }, ...args) {
  const env = { ...process.env, KEYSTILE_STORE: store, ...(table && { KEYSTILE_TABLE: table }) };
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  const ended = Promise.all([text(child.stdout), text(child.stderr), closed]).then(([stdout, stderr]) => ({
    stdout,
    stderr,
  }));
  return { child, ended };
}

async function writeRows() {
  const stream = createWriteStream(file);
  for (let index = 0; index < rows; index += 1) {
    const row = {
      id: `key-${String(index).padStart(8, '0')}`,
      digest: `sha256:${createHash('sha256').update(`key ${index}`).digest('base64url')}`,
      randomBits: 190,
      name: `Key ${index}`,
      organization: { id: `org_${index % 1_000}` },
      scopes: ['reports:read', 'reports:write'],
      createdAt: '2025-01-01T00:00:00Z',
      metadata: { number: index },
    };
    if (!stream.write(`${JSON.stringify(row)}\n`)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'close');
}

function report(database, what, { ms, peak }) {
  const rate = Math.round(rows / (ms / 1_000));
  console.log(`${database}: ${what}: ${rate} rows/s, peak ${Math.round(peak / 1_024)} MB`);
}

function expectSame(what, found, wanted) {
  if (found === wanted) return;
  process.exitCode = 1;
  console.log(`${what}: ${found}, not ${wanted}`);
}
