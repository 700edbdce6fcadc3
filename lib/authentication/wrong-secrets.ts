import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { ApiKeyError } from '../errors.ts';

const MOST_PER_WINDOW = 20;
const WINDOW_MS = 60_000;
const MAX_BUCKETS = 100_000;

interface Bucket {
  wrong: number;
  /** Monotonic time. */
  readonly endsAt: number;
}

/**
 * Counts wrong secrets for an id *and* an address: for an id alone, anybody could lock its holder out; for an address
 * alone, a whole office could be. What the cache holds does not come here, so who works goes on working.
 */
export class WrongSecrets {
  readonly #clock: Clock;
  /** Made with the first wrong secret: lru-cache takes the room for all its entries at once. */
  #buckets: LRUCache<string, Bucket> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws ApiKeyError `rate_limited` after so many wrong secrets within a minute */
  check(id: string, address: string | undefined, mostPerWindow: number = MOST_PER_WINDOW): void {
    const bucket = this.#current(bucketName(id, address));
    if (bucket === undefined || bucket.wrong < mostPerWindow) return;
    const seconds = Math.ceil((bucket.endsAt - this.#clock.monotonic()) / 1_000);
    throw new ApiKeyError('rate_limited', 'Too many wrong secrets for this id from this address.', {
      headers: { 'Retry-After': String(Math.max(1, seconds)) },
    });
  }

  count(id: string, address: string | undefined): void {
    const name = bucketName(id, address);
    const bucket = this.#current(name);
    if (bucket === undefined) {
      this.#buckets ??= new LRUCache({ max: MAX_BUCKETS });
      this.#buckets.set(name, { wrong: 1, endsAt: this.#clock.monotonic() + WINDOW_MS });
    } else {
      bucket.wrong += 1;
    }
  }

  #current(name: string): Bucket | undefined {
    const bucket = this.#buckets?.get(name);
    return bucket !== undefined && this.#clock.monotonic() < bucket.endsAt ? bucket : undefined;
  }
}

function bucketName(id: string, address: string | undefined): string {
  return `${networkOf(address ?? '')} ${id}`;
}

/** Of an IPv6 address the first 64 bits: one host has all the rest to itself. IPv4 in IPv6 form counts as IPv4. */
function networkOf(address: string): string {
  const plain = address.replace(/%.*$/, '').toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(plain)) return plain.slice(0, 100);
  const [head = '', tail] = plain.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0');
  const groups = [...front, ...zeros, ...back].slice(0, 4);
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':');
}
