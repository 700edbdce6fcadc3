// node bench/rotation.mjs [ROTATIONS] [PER_SECOND]: rotates a key again and again by the management API, under 200
// requests a second with its texts, old and new. No valid text may be refused and no ended one accepted. A second
// instance over the same store hears of it by its watch. It takes the built package: npm run build.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import { apiKeyAuth, createApiKeys, MemoryKeyStore } from 'keystile';
import { managementRouter } from 'keystile/management';
import { Tally, Texts } from './rotation-load.mjs';

const rotations = Number(process.argv[2] ?? 50);
const perSecond = Number(process.argv[3] ?? 200);
const PAUSE_MS = 400;
/** As long as a pause, nothing at all, a day (until the next rotation ends it), and between two rotations. */
const GRACES_MS = [400, 0, 86_400_000, 150];

const store = new MemoryKeyStore();
const organization = { id: 'org_1' };

async function serve() {
  const apiKeys = createApiKeys({ store, prefix: 'acme' });
  const app = express();
  const authorize = () => ({ organization, grantableScopes: ['reports:*'], actor: 'bench' });
  app.use('/keys', managementRouter(apiKeys, { authorize }));
  app.use(apiKeyAuth(apiKeys));
  app.get('/', (_req, res) => res.end());
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Longer than any pause of a busy machine: a connection that is closed as it is used again is no answer.
  server.keepAliveTimeout = 60_000;
  return { apiKeys, server, url: `http://127.0.0.1:${server.address().port}` };
}

const here = await serve();
const other = await serve();
const { key, apiKey } = await here.apiKeys.create({ name: 'CI', organization, scopes: ['reports:read'] });
const texts = new Texts(Date.now);
texts.add(key);

const tally = new Tally();
const elsewhere = new Tally();
const pending = new Set();
const statusAt = (url) => async (text) => (await fetch(url, { headers: { 'x-api-key': text } })).status;
let turn = 0;
function ask() {
  turn += 1;
  const isHere = turn % 2 === 0;
  const asked = (isHere ? tally : elsewhere).ask(texts, turn >> 1, statusAt(isHere ? here.url : other.url));
  pending.add(asked.finally(() => pending.delete(asked)));
}

const begunAt = performance.now();
const timer = setInterval(() => {
  const due = ((performance.now() - begunAt) / 1_000) * perSecond;
  while (turn < due) ask();
}, 5);
for (let count = 0; count < rotations; count += 1) {
  await sleep(PAUSE_MS);
  const gracePeriodMs = GRACES_MS[count % GRACES_MS.length];
  await texts.rotate(gracePeriodMs, async () => {
    const answer = await fetch(`${here.url}/keys/${apiKey.id}/rotate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ gracePeriodMs }),
    });
    const body = await answer.json();
    return { key: body.key, graceEndsAt: body.apiKey.grace && Date.parse(body.apiKey.grace.expiresAt) };
  });
}
clearInterval(timer);
await Promise.all(pending);
const seconds = (performance.now() - begunAt) / 1_000;

const line = (name, { accepted, refused, unanswered, wrong }) =>
  `${name}: ${accepted} accepted, ${refused} refused, ${unanswered} unanswered, ${wrong.length} wrong ${JSON.stringify([...new Set(wrong)])}`;
console.log(
  `${rotations} rotations under ${(turn / seconds).toFixed(0)} requests/s in ${seconds.toFixed(1)} s`,
);
console.log(line('in the process that rotates', tally));
console.log(line('in another, by its watch   ', elsewhere));
process.exitCode = tally.wrong.length + elsewhere.wrong.length > 0 ? 1 : 0;
for (const { server, apiKeys } of [here, other]) {
  server.close();
  server.closeAllConnections();
  await apiKeys.close();
}
