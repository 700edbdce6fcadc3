// An API in a process of its own, which is stopped from outside as it stands. It ends with whoever started it.
import { once } from 'node:events';
import express from 'express';
import { apiKeyAuth, createApiKeys } from 'keystile';
import { KINDS } from '../../bench/revocation-kinds.mjs';
import { PREFIX } from './key-texts.mjs';

const [, , kind, url, cache] = process.argv;
const { store, close } = await KINDS[kind].open(url);
const apiKeys = createApiKeys({
  store,
  prefix: PREFIX,
  cache: JSON.parse(cache),
  silence: ['late_in_outage'],
});
const app = express();
app.use(apiKeyAuth(apiKeys));
app.use((_req, res) => res.sendStatus(200));
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
// A connection that is closed for being idle, right when it is used again, is no answer.
server.keepAliveTimeout = 0;

process.on('disconnect', async () => {
  server.closeAllConnections();
  server.close();
  await apiKeys.close();
  await close();
  process.exit();
});
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
process.send({ port });
