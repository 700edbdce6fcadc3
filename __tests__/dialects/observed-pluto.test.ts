import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { pluto, plutoKeys, validateRouter } from '../../lib/dialects.ts';
import { type ApiKeys, createApiKeys, type ImportInput, MemoryKeyStore } from '../../lib/index.ts';
import { exchange } from '../support/exchange.ts';
import { expressVersions } from '../support/express-versions.ts';
import { FaultStore, rejects } from '../support/fault-store.ts';
import { digestOf } from '../support/records.ts';

interface Recording {
  readonly store: readonly StoredKey[];
  readonly keyVector: { readonly key: string; readonly sha256: string };
  readonly cases: readonly RecordedCase[];
}

interface StoredKey {
  readonly key: string;
  readonly legacyPlain?: true;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
}

interface RecordedCase {
  readonly name: string;
  readonly storeFails?: true;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
}

/** What the vendor's own middleware answered, on a store of five keys. */
const recording = JSON.parse(
  readFileSync(new URL('../data/contracts/pluto.json', import.meta.url), 'utf8'),
) as Recording;

/** Header fields of the vendor's that we do not send, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  'access-control-allow-credentials': 'CORS is for the application to mount',
  'access-control-allow-origin': 'the same',
  'access-control-expose-headers': 'the same',
  'content-encoding': 'compression is for the application to mount',
  vary: 'belongs to CORS: the answer does not depend on Origin',
};

/** What we send beyond the vendor, and why. */
const ADDED: Readonly<Record<string, { readonly value: string; readonly why: string }>> = {
  'cache-control': { value: 'no-store', why: 'an answer about a key must not outlive its revocation' },
};

/** Not in the recording: of the connection, or a matter of how a body is sent. */
const NOT_RECORDED = ['content-length'];

/** Of a case that was recorded compressed, without its bytes. */
const PLAIN_TWIN: Readonly<Record<string, string>> = { 'good, gzip accepted': 'good' };

const NOW = Date.parse('2026-08-12T12:00:00Z');
const PEPPER = { id: 'p1', secret: 'a pepper of the tests, of more than 32 bytes' };
const ORGANIZATION = { id: 'org_123', slug: 'acme' };

const opened: ApiKeys[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((apiKeys) => apiKeys.close()));
});

/** A key of the vendor's, as whoever moves away from it would import its row. */
function toImport({ key, legacyPlain, expiresAt, revokedAt }: StoredKey): ImportInput {
  const keyed = createHmac('sha256', PEPPER.secret).update(key).digest('base64url');
  return {
    name: 'Imported key',
    organization: ORGANIZATION,
    owner: { type: 'user', id: 'user_1' },
    ...(legacyPlain
      ? { digest: `hmac-sha256:${PEPPER.id}:${keyed}`, randomBits: 96 }
      : { digest: digestOf(key), randomBits: 144 }),
    expiresAt: timeOf(expiresAt),
    revokedAt: timeOf(revokedAt),
  };
}

function timeOf(said: string | null): Date | undefined {
  if (said === null) return undefined;
  const relative: Readonly<Record<string, number>> = { 'one day ago': NOW - 86_400_000, now: NOW };
  return new Date(relative[said] ?? Date.parse(said));
}

async function openKeys() {
  const store = new FaultStore(new MemoryKeyStore());
  const verifiers = [plutoKeys()];
  const apiKeys = createApiKeys({ store, verifiers, peppers: [PEPPER], now: () => NOW });
  opened.push(apiKeys);
  const report = await apiKeys.import(recording.store.map(toImport));
  return { apiKeys, store, report };
}

function bodyOf({ name, response }: RecordedCase): string {
  const twin = recording.cases.find((one) => one.name === PLAIN_TWIN[name])?.response.body;
  const body = twin ?? response.body;
  if (body === null) return '';
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function fieldsOf({ response }: RecordedCase): string[] {
  const recorded = Object.entries(response.headers).filter(([name]) => !(name in LEFT_OUT));
  const added = Object.entries(ADDED).map(([name, { value }]) => [name, value] as const);
  return [...recorded, ...added].map(([name, value]) => `${name}: ${value}`).sort();
}

describe.each(expressVersions)('pluto on $name answers as the vendor:', ({ express }) => {
  test.each(recording.cases)('$name', async (recorded) => {
    const { method, path, headers } = recorded.request;
    const { apiKeys, store } = await openKeys();
    const app = express();
    app.use(validateRouter(apiKeys, pluto()));
    app.use((_req, res) => void res.status(418).end());
    if (recorded.storeFails) store.always('findByDigest', rejects(new Error('down')));

    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const answer = await exchange(app, lines, { line: `${method} ${path}` });

    const fields = answer.fields.map((field) => field.replace(/^[^:]+/, (name) => name.toLowerCase()));
    const isRecorded = (field: string) => !NOT_RECORDED.some((name) => field.startsWith(`${name}:`));
    expect({ status: answer.status, fields: fields.filter(isRecorded), body: answer.body }).toStrictEqual({
      status: recorded.response.status,
      fields: fieldsOf(recorded),
      body: bodyOf(recorded),
    });
  });
});

test('the recording has all of its cases, and each difference from it has its use', () => {
  const sent = recording.cases.flatMap(({ response }) => Object.keys(response.headers));

  expect(recording.cases).toHaveLength(27);
  expect(Object.keys(LEFT_OUT).filter((name) => !sent.includes(name))).toEqual([]);
  expect(Object.keys(ADDED).filter((name) => sent.includes(name))).toEqual([]);
});

test('every row of the vendor’s can be imported, and its digest of a key is ours', async () => {
  const { report } = await openKeys();
  const { key, sha256 } = recording.keyVector;
  const store = new MemoryKeyStore();
  const apiKeys = createApiKeys({ store, verifiers: [plutoKeys()] });
  opened.push(apiKeys);
  await apiKeys.import([
    { name: 'CI', organization: ORGANIZATION, digest: `sha256:${sha256}`, randomBits: 144 },
  ]);

  expect(report).toEqual({ imported: recording.store.length, unchanged: 0, rejected: [] });
  expect(await apiKeys.verify(key)).toMatchObject({ ok: true, apiKey: { organization: ORGANIZATION } });
});
