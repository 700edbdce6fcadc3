// The process whose memory is looked at: an API over PostgreSQL that hears of changes by its watch alone.
import { SqlKeyStore } from 'keystile/stores/sql';
import pg from 'pg';
import { openKeys, serveApi, watchProcess } from './soak-api.mjs';

const [url] = process.argv.slice(2);
// Nobody is to leave for being idle, so that the number of connections is one number.
const pool = new pg.Pool({ connectionString: url, max: 6, idleTimeoutMillis: 0 });
const clients = new Map();
pool.on('error', (error) => {
  throw error;
});
pool.on('connect', (client) => clients.set(client, `client ${clients.size + 1}`));
pool.on('remove', (client) => clients.delete(client));

process.once('message', async ({ jwt }) => {
  const apiKeys = openKeys(new SqlKeyStore(pool), jwt);
  await apiKeys.ready();
  const server = await serveApi(apiKeys);
  const sample = watchProcess(function* () {
    yield ['process', process];
    yield ['server', server];
    yield ['pool', pool];
    for (const [client, name] of clients) yield [name, client];
  });
  process.on('message', async ({ type }) => {
    if (type === 'sample') process.send({ type: 'sample', sample: sample() });
    else await end(apiKeys, server);
  });
  process.send({ type: 'open', port: server.address().port });
});
// Who asked for it has failed, or has ended it.
process.on('disconnect', () => process.exit());

/** Everything is closed; what then still keeps the process alive was left open, and who started it will say so. */
async function end(apiKeys, server) {
  server.close();
  server.closeAllConnections();
  await apiKeys.close();
  await pool.end();
  process.removeAllListeners('disconnect');
  process.disconnect();
}
