// node bench/lookup.mjs [ROWS]: what SqlKeyStore adds to the driver's own SELECT by primary key, and what a page costs
// far into the list, in PostgreSQL. It takes the built package: npm run build.
import { createHash } from 'node:crypto';
import { SqlKeyStore } from 'keystile/stores/sql';
import pg from 'pg';
import { startServer } from '../scripts/services.mjs';

const rows = Number(process.argv[2] ?? 1_000_000);
const LOOK_UPS = 6_000;
const PAGES = 1_000;

const server = await startServer('postgres', { durable: true });
const pool = new pg.Pool({ connectionString: server.url, max: 1 });
const store = new SqlKeyStore(pool);
await store.migrate();
await fill();

const byDigest = [];
const bare = [];
for (let index = 0; index < LOOK_UPS; index += 1) {
  // Two keys that nobody has asked for yet: the second of two questions about one would find its page in memory.
  const [one, other] = [someNumber(2 * index), someNumber(2 * index + 1)];
  byDigest.push(await timed(() => store.findByDigest([digestOf(one)])));
  bare.push(await timed(() => pool.query('SELECT * FROM keystile_keys WHERE id = $1', [idOf(other)])));
}
report('look-up by digest', byDigest, 'bare SELECT by primary key', bare, 1.3);

await comparePages();

await pool.end();
await server.stop();

/** The two pages in turn, so that neither is measured on a quieter machine than the other. */
async function comparePages() {
  let cursor;
  for (let page = 0; page < PAGES - 1; page += 1) {
    ({ nextCursor: cursor } = await store.list({ limit: 50, order: 'newest', ...(cursor && { cursor }) }));
  }
  const first = [];
  const last = [];
  for (let round = 0; round < 500; round += 1) {
    first.push(await timed(() => store.list({ limit: 50, order: 'newest' })));
    last.push(await timed(() => store.list({ limit: 50, order: 'newest', cursor })));
  }
  report(`page ${PAGES} of list`, last, 'page 1', first, 1.5);
}

function report(name, times, baseName, baseTimes, goal) {
  const [own, base] = [median(times), median(baseTimes)];
  const ratio = own / base;
  if (ratio > goal) process.exitCode = 1;
  console.log(
    `${name}: ${own.toFixed(3)} ms; ${baseName}: ${base.toFixed(3)} ms; ratio ${ratio.toFixed(2)} (goal ${goal})`,
  );
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

async function timed(act) {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

function someNumber(index) {
  return (index * 7_919_317) % rows;
}

function digestOf(number) {
  return `sha256:${createHash('sha256').update(String(number)).digest('base64url')}`;
}

function idOf(number) {
  return `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
}

/** In the database itself, which takes seconds and not minutes. One key in ten was rotated. */
async function fill() {
  const digest = (text) =>
    `'sha256:' || translate(rtrim(encode(sha256(${text}::bytea), 'base64'), '='), '+/', '-_')`;
  await pool.query(`
    INSERT INTO keystile_keys (id, digest, previous_digest, previous_expires_at, kind, name, environment, key_start,
      key_end, organization_id, owner_type, owner_id, scopes, metadata, enabled, version, created_at, updated_at)
    SELECT '00000000-0000-7000-8000-' || lpad(n::text, 12, '0'), ${digest('n::text')},
      CASE WHEN n % 10 = 0 THEN ${digest("('old ' || n)")} END, CASE WHEN n % 10 = 0 THEN 1900000000000 END,
      'opaque', 'Key ' || n, 'live', 'acme_live_9fQx', 'k3xT', 'org_' || n % 5000, 'organization', 'org_' || n % 5000,
      '["reports:read"]', '{"plan":"pro"}', 1, 1, 1770000000000 + n, 1770000000000 + n
    FROM generate_series(0, ${rows - 1}) AS n`);
  await pool.query('VACUUM ANALYZE keystile_keys');
  await pool.query('CHECKPOINT');
}
