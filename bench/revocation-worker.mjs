// A process of bench/revocation.mjs: asks about every key that it is given each millisecond, and tells when it last took one
// as it was before its change.
import { createApiKeys } from 'keystile';
import { KINDS } from './revocation-kinds.mjs';

const [kind, url] = process.argv.slice(2);
const { store, close } = await KINDS[kind].open(url);
const apiKeys = createApiKeys({ store, prefix: 'acme' });
/** By the number of the key. */
const asked = new Map();
const SURE_AFTER = 50;

process.on('message', async (message) => {
  if (message.type === 'ask') {
    for (const { number, key, version } of message.keys) {
      asked.set(number, { key, version, lastAt: undefined, refusals: 0 });
    }
  } else {
    clearInterval(timer);
    await apiKeys.close();
    await close();
    process.disconnect();
  }
});
// Who asked for it has failed, or has ended it.
process.on('disconnect', () => process.exit());

const timer = setInterval(() => {
  for (const [number, one] of asked) {
    const verdict = apiKeys.verify(one.key);
    if (verdict instanceof Promise)
      verdict.then(
        (late) => note(number, one, late),
        () => undefined,
      );
    else note(number, one, verdict);
  }
}, 1);

function note(number, one, verdict) {
  if (verdict.ok && verdict.apiKey.version === one.version) {
    if (one.lastAt === undefined) process.send({ type: 'taken', number });
    one.lastAt = process.hrtime.bigint();
    one.refusals = 0;
    return;
  }
  one.refusals += 1;
  if (one.refusals < SURE_AFTER || !asked.delete(number)) return;
  process.send({ type: 'over', number, lastAt: String(one.lastAt) });
}

process.send({ type: 'open' });
