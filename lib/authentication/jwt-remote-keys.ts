import { createRemoteJWKSet, customFetch, type FetchImplementation, type JWK } from 'jose';
import { StoreUnavailableError } from '../errors.ts';
import { fitsAlgorithm, publicKeyOf, type TrustedKey } from './jwt-key-pairs.ts';
import type { JwtAlgorithm, RemoteJwtKeysConfig } from './jwt-options.ts';

/** How long a set decides before it is read anew. */
const FRESH_MS = 300_000;

/** A set that is at hand is not read again sooner, whatever key ids requests come with. */
const COOLDOWN_MS = 30_000;

/** With no set at hand, each request would be a reading that fails. */
const RETRY_MS = 1_000;

/** Of the set as it is sent; some thousand keys. */
const MAX_BYTES = 262_144;

type KeySet = ReadonlyMap<string, TrustedKey>;

/**
 * Public keys of another issuer. jose reads the set and sees to it that this happens once at a time; when it is read
 * and how long it may be used is decided here, by our clock: jose reads it without a pause while the endpoint fails,
 * and knows no last set to go on with.
 */
export class RemoteJwtKeys {
  readonly #algorithms: readonly JwtAlgorithm[];
  readonly #staleMs: number;
  readonly #remote: ReturnType<typeof createRemoteJWKSet>;
  #set: KeySet | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #failure: StoreUnavailableError | undefined;
  #reading: Promise<void> | undefined;

  constructor({ jwks, algorithms, timeoutMs, staleMs }: RemoteJwtKeysConfig) {
    this.#algorithms = algorithms;
    this.#staleMs = staleMs;
    const options = { timeoutDuration: timeoutMs, [customFetch]: fetchAtMost(MAX_BYTES) };
    this.#remote = createRemoteJWKSet(jwks, options);
  }

  /**
   * The key of an id; `undefined` where the issuer has none.
   *
   * @throws StoreUnavailableError where the issuer cannot be asked: it may have one
   */
  async find(kid: string, now: () => number): Promise<TrustedKey | undefined> {
    if (!this.#isWithin(FRESH_MS, now())) await this.#readAgain(now);
    const set = this.#usable(now());
    const known = set?.get(kid);
    if (known !== undefined) return known;
    await this.#readAgain(now);
    const found = this.#usable(now())?.get(kid);
    if (found === undefined && this.#failure !== undefined) throw this.#failure;
    return found;
  }

  #usable(now: number): KeySet | undefined {
    return this.#isWithin(FRESH_MS + this.#staleMs, now) ? this.#set : undefined;
  }

  /** Whether the set is so young. The clock may have been set back, then nobody knows. */
  #isWithin(ms: number, now: number): boolean {
    return Math.abs(now - this.#readAt) < ms;
  }

  /** Reads the set unless that was done just now; all who ask meanwhile wait for one reading. */
  #readAgain(now: () => number): Promise<void> | undefined {
    const pauseMs = this.#usable(now()) === undefined ? RETRY_MS : COOLDOWN_MS;
    if (this.#reading === undefined && Math.abs(now() - this.#triedAt) < pauseMs) return undefined;
    this.#reading ??= this.#read(now).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(now: () => number): Promise<void> {
    const startedAt = now();
    this.#triedAt = startedAt;
    try {
      await this.#remote.reload();
      this.#set = usableKeys(this.#remote.jwks()?.keys ?? [], this.#algorithms);
      this.#readAt = startedAt;
      this.#failure = undefined;
    } catch (cause) {
      this.#failure = new StoreUnavailableError('The JWKS could not be read.', { cause });
    }
  }
}

/** Only what is for one of the algorithms, by its kind and by what it says; two of one id name none. */
function usableKeys(keys: readonly JWK[], algorithms: readonly JwtAlgorithm[]): KeySet {
  const set = new Map<string, TrustedKey>();
  for (const jwk of keys) {
    const key = trustedKey(jwk, algorithms);
    if (key !== undefined && keys.filter(({ kid }) => kid === jwk.kid).length === 1) {
      set.set(jwk.kid as string, key);
    }
  }
  return set;
}

function trustedKey(jwk: JWK, algorithms: readonly JwtAlgorithm[]): TrustedKey | undefined {
  const { kid, kty, d, use = 'sig', key_ops: operations = ['verify'] } = jwk;
  const isForChecking = use === 'sig' && Array.isArray(operations) && operations.includes('verify');
  if (typeof kid !== 'string' || kty === 'oct' || d !== undefined || !isForChecking) return undefined;
  try {
    const key = publicKeyOf(jwk);
    const alg = algorithms.find((one) => fitsAlgorithm(key, one) && (jwk.alg ?? one) === one);
    return alg === undefined ? undefined : { alg, key };
  } catch {
    return undefined;
  }
}

/** A fetch that gives up on a body that is too long, before it has it in memory. */
function fetchAtMost(maxBytes: number): FetchImplementation {
  return async (url, options) => {
    const response = await fetch(url, options);
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of response.body ?? []) {
      bytes += piece.length;
      if (bytes > maxBytes) throw new Error(`the JWKS has more than ${maxBytes} bytes`);
      pieces.push(piece);
    }
    return new Response(Buffer.concat(pieces), { status: response.status });
  };
}
