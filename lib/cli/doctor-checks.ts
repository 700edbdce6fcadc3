import type { Settings } from './settings.ts';
import { counted, durationWords } from './words.ts';

/** One thing that was looked at, and what to do about it. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'wrong';
  readonly message: string;
  readonly advice?: string;
}

/** Of two clocks by which the ends of keys are judged. */
const NOTABLE_SKEW_MS = 2_000;
const GRAVE_SKEW_MS = 60_000;

const LONG_BOUND_MS = 60_000;
const DEFAULT_TTL_MS = 10_000;
const DEFAULT_STALE_MS = 30_000;

export function clockCheck(skewMs: number): Check {
  const size = Math.abs(skewMs);
  if (size < NOTABLE_SKEW_MS)
    return {
      name: 'clock',
      status: 'ok',
      message: `the same as that of the store, to ${Math.ceil(size)} ms`,
    };
  const way = skewMs > 0 ? 'behind' : 'ahead of';
  return {
    name: 'clock',
    status: size < GRAVE_SKEW_MS ? 'warning' : 'wrong',
    message: `this machine is ${durationWords(size)} ${way} the store, and keys end by the clock of each machine`,
    advice: 'let a time service (NTP) set the clocks of both',
  };
}

/** How late a revocation can be in a process that did not make it. */
export function boundCheck({ cache }: Settings, canWatch: boolean): Check {
  const { ttlMs = DEFAULT_TTL_MS, staleIfErrorMs = DEFAULT_STALE_MS } = cache.value ?? {};
  const late = canWatch ? Math.min(ttlMs, 5_000) : ttlMs;
  const message =
    `a revoked key is refused everywhere within ${durationWords(late)}, and within ` +
    `${durationWords(ttlMs + staleIfErrorMs)} where a process cannot reach the store`;
  if (ttlMs + staleIfErrorMs <= LONG_BOUND_MS) return { name: 'revocation', status: 'ok', message };
  const advice = 'lower cache.ttlMs and cache.staleIfErrorMs, if that is too late for a key that has leaked';
  return { name: 'revocation', status: 'warning', message, advice };
}

/** @param digests - of the records that were looked at */
export function pepperCheck({ peppers }: Settings, digests: readonly string[]): Check {
  const name = 'peppers';
  const known = peppers.value.map(({ id }) => id);
  const used = digests.map((digest) => /^hmac-sha256:([a-z0-9-]{1,32}):/.exec(digest)?.[1]);
  const missing = [...new Set(used)].filter((id) => id !== undefined && !known.includes(id));
  if (missing.length > 0) {
    const lost = used.filter((id) => missing.includes(id)).length;
    return {
      name,
      status: 'wrong',
      message:
        `of the ${counted(digests.length, 'newest key')}, ${lost} have their digest under ` +
        `${missing.join(', ')}, which is not among the peppers: those keys are unknown here`,
      advice: 'give that pepper again, behind the newest, by KEYSTILE_PEPPERS or in the configuration file',
    };
  }
  if (known.length > 0)
    return { name, status: 'ok', message: `${known.join(', ')}; the first is used for new keys` };
  const isImported = digests.some((digest) => /^sha512:/.test(digest));
  const message = 'none: digests are plain, which 190 random bits allow';
  if (!isImported) return { name, status: 'ok', message };
  const advice =
    'with a pepper, keys of other systems move to a digest that a stolen table does not help with';
  return {
    name,
    status: 'warning',
    message: `${message}, but there are imported keys, which have fewer`,
    advice,
  };
}

/** @param info - what INFO answers about persistence and memory */
export function persistenceCheck(info: string, isDurableDemanded: boolean): Check {
  const name = 'persistence';
  const field = (of: string): string | undefined => new RegExp(`^${of}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const problems: string[] = [];
  const advice: string[] = [];
  if (field('aof_enabled') !== '1') {
    problems.push('it is not append-only, so that what it has acknowledged, revocations too, can be lost');
    advice.push('set appendonly yes');
  } else if (field('aof_last_write_status') !== 'ok') {
    problems.push('its last write to the append-only file failed');
    advice.push('see to the disk of the server');
  }
  const policy = field('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    problems.push(`it deletes keys when its memory is full (${policy})`);
    advice.push('set maxmemory-policy noeviction');
  }
  if (problems.length === 0) return { name, status: 'ok', message: 'append-only, and nothing is evicted' };
  const status = isDurableDemanded ? 'wrong' : 'warning';
  return { name, status, message: problems.join('; '), advice: advice.join('; ') };
}

export function fileCheck(mode: number): Check {
  const isOpen = (mode & 0o077) !== 0;
  const message = isOpen
    ? 'others on this machine may open the database'
    : 'only its owner may open the database';
  if (!isOpen) return { name: 'file', status: 'ok', message };
  return { name: 'file', status: 'warning', message, advice: 'chmod 600 the file, and those beside it' };
}
