// node bench/outage.mjs [ROUNDS] [NAME...]: servers are stopped and killed under 300 requests a second over 500 valid keys. Every
// answer must be 200 or 503. It takes the built package: npm run build.
import { apiKeyAuth, createApiKeys } from 'keystile';
import { startServer } from '../scripts/services.mjs';
import { openStore } from './connections.mjs';
import { createKeys, disturb, underLoad } from './load.mjs';

const [, , given = 5, ...names] = process.argv;
const rounds = Number(given);
let failed = false;

for (const name of names.length === 0 ? ['postgres', 'mysql', 'redis'] : names) {
  const server = await startServer(name, { durable: true });
  const { store, close } = openStore(name, server.url);
  await store.migrate?.();
  // Entries that soon have to be read again, and never outlive an outage: that is when mistakes would show.
  const apiKeys = createApiKeys({ store, prefix: 'acme', cache: { ttlMs: 500, staleIfErrorMs: 0 } });
  const keys = await createKeys(apiKeys, 500);
  const { statuses, wrong } = await underLoad(apiKeyAuth(apiKeys), keys, 300, async () => {
    for (let round = 0; round < rounds; round += 1) await disturb(server, 2_000);
  });
  const others = Object.keys(statuses).filter((status) => status !== '200' && status !== '503');
  failed ||= others.length > 0 || wrong > 0;
  console.log(
    `${name.padEnd(9)} ${rounds} x SIGSTOP and kill -9: ${JSON.stringify(statuses)}, ${wrong} of a wrong key`,
  );
  await apiKeys.close();
  await close();
  await server.stop();
}
process.exitCode = failed ? 1 : 0;
