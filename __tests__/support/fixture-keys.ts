import { type ApiKeys, createApiKeys, type KeyRecord, keyPairs, MemoryKeyStore } from '../../lib/index.ts';
import { type JwtKeysOptions, jwtKeys } from '../../lib/jwt.ts';
import { makeSigners, type Signer } from './jwt-builder.ts';
import { AUDIENCE, ISSUER, keyOption, optionsWith } from './jwt-options.ts';

/** The time of the fixtures, at which every clock of theirs stands until a test moves it. */
export const FIXTURE_NOW = Date.parse('2026-03-02T10:00:00.500Z');
export const DAY_MS = 86_400_000;

export const CURRENT_PEPPER = { id: 'p2', secret: 'the pepper that is in use, of more than 32 bytes' };
const WITHDRAWN_PEPPER = { id: 'p1', secret: 'the pepper that was withdrawn, of more than 32 bytes' };

/** Owners and organizations that the application has stopped. */
export const DELETED_USER = 'user_deleted';

/** The cookie by which the application knows a member of org_A. */
export const MEMBER_SESSION = 'session=of-a-member-of-org_A';

export interface FixtureKeys {
  /** What stands for each name in a request. */
  readonly texts: ReadonlyMap<string, string>;
  /** What the store holds from the start. */
  readonly records: readonly KeyRecord[];
  /** By digest: rows that a store which checks nothing could hold, and that a `MemoryKeyStore` refuses. */
  readonly brokenRows: ReadonlyMap<string, object>;
  /** Who signs tokens: `es256A` is the one that is trusted. */
  readonly signers: ReadonlyMap<string, Signer>;
  readonly jwt: JwtKeysOptions;
  /** The record of a key by its name. */
  recordOf(name: string): KeyRecord;
}

/** Pairs that another system kept under bcrypt, and one of them. */
export const LEGACY_IDS = /^legacy_\d+$/;
export const LEGACY_ID = 'legacy_1';
export const LEGACY_SECRET = 'correct-horse';

/** Makes the keys that requests are written with, through the package's own front door. */
export async function makeFixtureKeys(): Promise<FixtureKeys> {
  const store = new MemoryKeyStore();
  let time = FIXTURE_NOW - DAY_MS;
  const now = () => time;
  const signers = makeSigners();
  const jwt = optionsWith([keyOption('k1', 'current', signers.get('es256A'))]);
  const ours = createApiKeys({
    store,
    peppers: [CURRENT_PEPPER],
    verifiers: [jwtKeys(jwt), keyPairs()],
    now,
  });
  const withdrawn = createApiKeys({ store, peppers: [WITHDRAWN_PEPPER], now });
  const publishable = createApiKeys({ store: new MemoryKeyStore(), prefix: 'pk', now });
  const elsewhere = createApiKeys({ store: new MemoryKeyStore(), now });
  const texts = new Map<string, string>();
  const ids = new Map<string, string>();

  type Input = Partial<Parameters<ApiKeys['create']>[0]>;
  async function make(name: string, input: Input = {}, issuer = ours): Promise<string> {
    const { key, apiKey } = await issuer.create({
      name,
      organization: { id: 'org_A' },
      scopes: ['read'],
      expiresAt: new Date(FIXTURE_NOW + 90 * DAY_MS),
      ...input,
    });
    texts.set(name, key);
    ids.set(name, apiKey.id);
    return apiKey.id;
  }

  /** @param tail - of the names of both parts */
  async function makePair(tail: string): Promise<string> {
    const {
      key,
      secret = '',
      apiKey,
    } = await ours.create({
      name: `PAIR${tail}`,
      kind: 'pair',
      organization: { id: 'org_A' },
    });
    texts.set(`PAIR_KEY${tail}`, key);
    texts.set(`PAIR_SECRET${tail}`, secret);
    return apiKey.id;
  }

  await make('GOOD');
  await make('CALLER', { scopes: ['keys:validate'] });
  await make('GOOD_SCOPE_UNKNOWN_ENUM');
  await makePair('');
  await ours.revoke(await makePair('_REVOKED'));
  await make('JWT_KEY', { kind: 'jwt' });
  await make('GOOD_B', { organization: { id: 'org_B' } });
  await make('MARKER_GOOD');
  await make('GOOD_IP_ALLOWLISTED', { metadata: { allowedAddresses: ['203.0.113.7'] } });
  await make('TEST_KEY', { environment: 'test' });
  await make('EXPIRED', { expiresAt: new Date(FIXTURE_NOW) });
  await make('EXPIRES_IN_1MS', { expiresAt: new Date(FIXTURE_NOW + 1) });
  await make('NOT_YET', { notBefore: new Date(FIXTURE_NOW + 1) });
  await make('USER_DELETED', { owner: { type: 'user', id: DELETED_USER } });
  await make('SCOPE_read', { scopes: ['read'] });
  await make('SCOPES_empty', { scopes: [] });
  await make('SCOPES_null');
  await make('SCOPE_empty_string');
  await make('RETIRED_PEPPER_KEY', {}, withdrawn);
  await make('PUBLISHABLE', {}, publishable);
  await make('MARKER', {}, elsewhere);
  await ours.revoke(await make('REVOKED'), { reason: 'leaked' });
  time = FIXTURE_NOW;
  await ours.rotate(await make('ROTATED_IN_GRACE'));

  const broken = { SCOPES_null: { scopes: null }, SCOPE_empty_string: { scopes: [''] } };
  const brokenRows = new Map<string, object>();
  for (const [name, members] of Object.entries(broken)) {
    const record = (await store.findById(ids.get(name) as string)) as KeyRecord;
    brokenRows.set(record.digest, { ...record, ...members });
    await store.delete(record.id);
  }
  const { records } = await store.list({ limit: 500, order: 'oldest' });
  await Promise.all([ours, withdrawn, publishable, elsewhere].map((issuer) => issuer.close()));

  function recordOf(name: string): KeyRecord {
    const record = records.find(({ id }) => id === ids.get(name));
    if (record === undefined) throw new Error(`no record of ${name}`);
    return record;
  }

  const good = recordOf('GOOD');
  texts.set('GOOD_ID', good.id);
  texts.set('SESSION_ORG_A_MEMBER', MEMBER_SESSION);
  texts.set('ID_A', good.id);
  texts.set('ID_B', recordOf('GOOD_B').id);
  texts.set('ID_REVOKED', recordOf('REVOKED').id);
  texts.set('json:array of 5000 scopes', JSON.stringify(Array.from({ length: 5_000 }, (_, n) => `s${n}`)));
  texts.set('BCRYPT_KEY', LEGACY_ID);
  texts.set('BCRYPT_SECRET', LEGACY_SECRET);
  texts.set('BCRYPT_EMPTY_KEY', 'legacy_0');
  texts.set('LEGACY', `${LEGACY_ID}.${LEGACY_SECRET}`);
  texts.set('JWT_KEY_ID', recordOf('JWT_KEY').id);
  texts.set('iss', ISSUER);
  texts.set('aud', AUDIENCE);
  texts.set('GOOD_DIGEST_B64URL', good.digest.slice(good.digest.lastIndexOf(':') + 1));
  texts.set('GOOD_PREFIX', 'sk_live_');
  texts.set('ALLOWED_IP', '203.0.113.7');
  texts.set('realm', 'api');
  // Stands for many; the case itself makes the others.
  texts.set('repeat key guesses', withChecksum(`sk_live_${'1'.repeat(32)}`));
  texts.set('BAD', changed(texts.get('GOOD') as string, 'flipLast'));
  texts.set('ZERO_BODY_RIGHT_CHECKSUM', withChecksum(`sk_live_${'0'.repeat(32)}`));
  return { texts, records, brokenRows, signers, jwt, recordOf };
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const CHECKSUM_LENGTH = 6;

/** Its own CRC-32, bit by bit, so that a fault of the package's would not be repeated here. */
export function withChecksum(body: string): string {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(body, 'latin1')) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  let rest = (crc ^ 0xffffffff) >>> 0;
  let digits = '';
  while (digits.length < CHECKSUM_LENGTH) {
    digits = BASE62.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return body + digits;
}

/** A text with one thing done to it, as `{{NAME|operation}}` asks for. */
export function changed(text: string, operation: string): string {
  const [name = '', argument = ''] = operation.split(/:(.*)/s);
  const middle = Math.floor(text.length / 2);
  switch (name) {
    case 'dropLast':
      return text.slice(0, -1);
    case 'append':
      return text + argument;
    case 'flipLast':
      return flipped(text, text.length - 1);
    case 'flipMiddle':
      return flipped(text, middle);
    case 'swapAdjacent':
      return swappedAdjacent(text, middle);
    case 'swapCase':
      return text.replace(/[a-z]/gi, (one) => (one < 'a' ? one.toLowerCase() : one.toUpperCase()));
    case 'upperPrefix':
      return text.replace(/^[a-z]+/, (prefix) => prefix.toUpperCase());
    case 'wrongPrefix':
      return text.replace(/^[a-z]+/, 'other');
    case 'reChecksum':
      return withChecksum(changed(text.slice(0, -CHECKSUM_LENGTH), argument));
    default:
      throw new Error(`unknown operation "${operation}"`);
  }
}

function flipped(text: string, index: number): string {
  return text.slice(0, index) + (text[index] === 'x' ? 'y' : 'x') + text.slice(index + 1);
}

/** The first two neighbours from the middle on that differ; two equal ones would change nothing. */
function swappedAdjacent(text: string, from: number): string {
  let i = from;
  while (text[i] === text[i + 1]) i += 1;
  return text.slice(0, i) + text.charAt(i + 1) + text.charAt(i) + text.slice(i + 2);
}
