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

/** One try that has begun. */
export type Try = Pick<Bucket, 'wrong'>;

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

  /**
   * Counts a try as wrong at once, so that many at one time do not slip through before the first is answered.
   *
   * @throws ApiKeyError `rate_limited` after so many wrong secrets within a minute
   */
  begin(id: string, address: string | undefined, mostPerWindow: number = MOST_PER_WINDOW): Try {
    const name = bucketName(id, address);
    let bucket = this.#current(name);
    if (bucket !== undefined && bucket.wrong >= mostPerWindow) throw this.#limited(bucket);
    if (bucket === undefined) {
      bucket = { wrong: 0, endsAt: this.#clock.monotonic() + WINDOW_MS };
      this.#buckets ??= new LRUCache({ max: MAX_BUCKETS });
      this.#buckets.set(name, bucket);
    }
    bucket.wrong += 1;
    return bucket;
  }

  /** The secret was right, or nobody knows: the try does not count. */
  takeBack(bucket: Try): void {
    bucket.wrong -= 1;
  }

  #limited({ endsAt }: Bucket): ApiKeyError {
    const seconds = Math.max(1, Math.ceil((endsAt - this.#clock.monotonic()) / 1_000));
    return new ApiKeyError('rate_limited', 'Too many wrong secrets for this id from this address.', {
      headers: { 'Retry-After': String(seconds) },
    });
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
  const plain = address.replace(/%.*/s, '').toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(plain)) return plain.slice(0, 100);
  // Seven colons stand in an address that leaves no zeros out; a group that is left out is empty.
  const colons = plain.split(':').length - 1;
  const groups = plain
    .replace('::', ':'.repeat(9 - colons))
    .split(':')
    .slice(0, 4);
  return groups.map((group) => Number(`0x0${group}`)).join(':');
}
