import { createHash, randomBytes } from 'node:crypto';

/**
 * Makes ids that rise with time: UUID version 7 (RFC 9562 section 5.7). Within a millisecond, and while the clock is
 * set back, they rise by a counter in the 12 bits of `rand_a` (section 6.2, method 1), so that the newest key sorts
 * last whatever the clock does.
 */
export function createIdSource(): (now: number) => string {
  let lastMs = 0;
  let counter = 0;
  return (now) => {
    if (now > lastMs) {
      lastMs = now;
      // Half the range, so that there is room to count.
      counter = randomBytes(2).readUInt16BE() & 0x7ff;
    } else if (counter < 0xfff) {
      counter += 1;
    } else {
      lastMs += 1;
      counter = 0;
    }
    const bytes = randomBytes(16);
    bytes.writeUInt16BE(counter, 6);
    return uuid(lastMs, 7, bytes);
  };
}

/**
 * The id of a key that was imported without one: the same for the same key, so that importing twice makes no double,
 * and among the others by its time. UUID version 8 (RFC 9562 section 5.8), as it is not random.
 */
export function importedId(createdAt: number, digest: string): string {
  return uuid(Math.max(0, createdAt), 8, createHash('sha256').update(digest).digest().subarray(0, 16));
}

/** 48 bits of time, then version and variant over the bytes that are given. */
function uuid(ms: number, version: number, bytes: Buffer): string {
  bytes.writeUIntBE(ms, 0, 6);
  bytes.writeUInt16BE((version << 12) | (bytes.readUInt16BE(6) & 0xfff), 6);
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
