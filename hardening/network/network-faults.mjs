// What happens to the connections of a store while requests come.
import { setTimeout as sleep } from 'node:timers/promises';
import { delays, passes, refuses, silences, stalls, trickles, truncates } from './tcp-proxy.mjs';

/**
 * @typedef {Awaited<ReturnType<typeof import('./tcp-proxy.mjs').openProxy>>} Proxy
 * @typedef {object} Circumstances
 * @property {Proxy} proxy
 * @property {() => number} random
 * @property {number} ms - how long it goes on
 * @property {number} deadlineMs - of a call to the store
 * @typedef {object} NetworkFault
 * @property {string} name
 * @property {boolean} [needsLettingGo] - whether it ends only for drivers that give up a connection by themselves
 * @property {boolean} [isMild] - whether most requests are answered all the same
 * @property {(circumstances: Circumstances) => Promise<void>} run
 */

/** Of the answers, so that some come through and some calls end half-way. */
const SHARE = 0.1;

const isAnswer = ({ direction }) => direction === 'answer';
const isRequest = ({ direction }) => direction === 'request';

/** @type {readonly NetworkFault[]} */
export const NETWORK_FAULTS = [
  {
    name: 'cut',
    run: ({ proxy, ms }) =>
      during(proxy, ms, refuses(), () => {
        proxy.reset();
      }),
  },
  {
    name: 'cut again and again',
    isMild: true,
    async run({ proxy, random, ms }) {
      const end = performance.now() + ms;
      while (performance.now() < end) {
        proxy.reset(() => random() < 0.5);
        await sleep(20 + random() * 200);
      }
    },
  },
  { name: 'half open, then reset', run: halfOpen(() => true) },
  { name: 'half open for answers, then reset', run: halfOpen(isAnswer) },
  { name: 'half open for requests, then reset', run: halfOpen(isRequest) },
  {
    name: 'half open for ever',
    needsLettingGo: true,
    run: ({ proxy, ms }) => during(proxy, ms, silences()),
  },
  {
    name: 'slow',
    isMild: true,
    run: ({ proxy, ms, deadlineMs }) => during(proxy, ms, delays(deadlineMs / 10)),
  },
  { name: 'too slow', run: ({ proxy, ms, deadlineMs }) => during(proxy, ms, delays(deadlineMs * 1.2)) },
  { name: 'byte by byte', isMild: true, run: ({ proxy, ms }) => during(proxy, ms, trickles()) },
  {
    name: 'answers cut off by FIN',
    isMild: true,
    run: ({ proxy, ms, random }) => during(proxy, ms, truncates(random, SHARE, 'end')),
  },
  {
    name: 'answers cut off by RST',
    isMild: true,
    run: ({ proxy, ms, random }) => during(proxy, ms, truncates(random, SHARE, 'reset')),
  },
  {
    name: 'answers that stop half-way',
    isMild: true,
    run: ({ proxy, ms, random, deadlineMs }) => during(proxy, ms, stalls(random, SHARE, deadlineMs * 1.5)),
  },
];

/** @returns {NetworkFault['run']} */
function halfOpen(isSilent) {
  return ({ proxy, ms }) =>
    during(proxy, ms, silences(isSilent), undefined, () => proxy.reset((connection) => connection.isSilent));
}

async function during(proxy, ms, behaviour, begin = () => undefined, end = () => undefined) {
  proxy.behave(behaviour);
  begin();
  await sleep(ms);
  proxy.behave(passes());
  end();
}
