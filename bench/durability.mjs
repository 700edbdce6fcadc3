// node bench/durability.mjs [ROUNDS] [NAME...]: a revocation that was acknowledged right before kill -9 must hold afterwards. It
// takes the built package: npm run build.
import { createApiKeys } from 'keystile';
import { startServer } from '../scripts/services.mjs';
import { openStore } from './connections.mjs';
import { revokeAndKill } from './load.mjs';

const [, , given = 20, ...names] = process.argv;
const rounds = Number(given);
let failed = false;

for (const name of names.length === 0 ? ['postgres', 'mysql', 'redis'] : names) {
  const server = await startServer(name, { durable: true });
  const open = async () => {
    const { store, close } = openStore(name, server.url);
    await store.migrate?.();
    return { apiKeys: createApiKeys({ store, prefix: 'acme' }), close };
  };
  const outcomes = {};
  for (let round = 0; round < rounds; round += 1) {
    const outcome = await revokeAndKill(server, open);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  failed ||= outcomes.revoked !== rounds;
  console.log(`${name.padEnd(9)} ${outcomes.revoked ?? 0} of ${rounds} revoked ${JSON.stringify(outcomes)}`);
  await server.stop();
}
process.exitCode = failed ? 1 : 0;
