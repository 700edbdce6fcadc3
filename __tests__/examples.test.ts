import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ensureBuilt, type RunningExample, runExample } from './support/built-package.ts';
import { type PrintedRequest, readCurlLine, send } from './support/curl.ts';
import { assertFits, type Vendor } from './support/openapi.ts';

// Programs are started here, and on a busy machine each of them takes seconds.
jest.setTimeout(60_000);

const LAST_WORDS_OF_FIRST_START = /introspection:\n.*\n/;
const LAST_WORDS_OF_LATER_START = /are kept[\s\S]*no key:\n.*\n/;
const KEY = /demo_live_[0-9A-Za-z]{38}/g;
const PAIR = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const SECRET = /(?<=secret: )\S{32,}/;

const folder = mkdtempSync(join(tmpdir(), 'keystile-examples-'));
const running: RunningExample[] = [];
let files = 0;

beforeAll(ensureBuilt);
afterEach(async () => {
  for (const example of running.splice(0)) await example.end('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const nextFile = (): string => join(folder, `${++files}.db`);

function start(file: string, port = '0'): RunningExample {
  const example = runExample('server.mjs', { PORT: port, KEYSTILE_DB: file });
  running.push(example);
  return example;
}

/** The requests that it prints, each with the status that it says it is answered. */
function printedRequests(output: string): { status: number; title: string; request: PrintedRequest }[] {
  const found = output.matchAll(/^ {2}(\d{3}), (.+):\n {4}(curl .+)$/gm);
  return Array.from(found, ([, status, title = '', line = '']) => ({
    status: Number(status),
    title,
    request: readCurlLine(line),
  }));
}

describe('examples/server.mjs', () => {
  test('answers the requests that it prints as it says: 200, 403 and 401', async () => {
    const printed = printedRequests(await start(nextFile()).said(LAST_WORDS_OF_FIRST_START));
    const answered = [];
    for (const { status, title, request } of printed) {
      answered.push({ title, said: status, is: (await send(request)).status });
    }

    expect(answered).toEqual(printed.map(({ status, title }) => ({ title, said: status, is: status })));
    expect(new Set(printed.map(({ status }) => status))).toEqual(new Set([200, 403, 401]));
  });

  test.each<{ vendor: Vendor; base: string; said: object }>([
    { vendor: 'pluto', base: '/pluto', said: { valid: true, organization: { slug: 'acme' } } },
    { vendor: 'timbrix', base: '/timbrix/api', said: { valid: true, name: 'acme' } },
    { vendor: 'endor', base: '/endor', said: { valid: true } },
    { vendor: 'gmi', base: '/gmi/api/v1', said: { key: { scope: 'ie_model' } } },
    { vendor: 'workos', base: '/workos', said: { api_key: { name: 'acme' } } },
  ])('says how $vendor is asked, and answers as its contract demands', async ({ vendor, base, said }) => {
    const printed = printedRequests(await start(nextFile()).said(LAST_WORDS_OF_FIRST_START));
    const { request } = printed.find(({ title }) => title === vendor) as { request: PrintedRequest };
    const { pathname } = new URL(request.url);
    expect(pathname.startsWith(base)).toBe(true);
    const answer = await send(request);
    const body = await answer.json();

    expect(body).toMatchObject(said);
    const type = answer.headers.get('content-type') ?? undefined;
    assertFits(vendor, request.method, pathname.slice(base.length), answer.status, type, body);
  });

  test('says how a key is introspected', async () => {
    const printed = printedRequests(await start(nextFile()).said(LAST_WORDS_OF_FIRST_START));
    const { request } = printed.find(({ title }) => title === 'introspection') as { request: PrintedRequest };

    expect(await (await send(request)).json()).toMatchObject({ active: true });
  });

  test('gives each of two organizations a key with scopes of its own, and acme two to ask with', async () => {
    const output = await start(nextFile()).said(LAST_WORDS_OF_FIRST_START);
    const table = output.match(/^ {2}\w+ +\w[\w-]{20,} {2}.+$/gm) ?? [];

    expect(
      table.map((line) => line.replace(KEY, 'KEY').replace(PAIR, 'ID').replace(SECRET, 'SECRET')),
    ).toEqual([
      '  acme    KEY  reports:read reports:write ie_model',
      '  globex  KEY  reports:read',
      '  asking  KEY  keys:validate keys:manage',
      '  pair    ID  reports:read  secret: SECRET',
    ]);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'ends with exit code 0 on %s, and accepts the same keys when it is started again',
    async (signal) => {
      const file = nextFile();
      const first = start(file);
      const printed = printedRequests(await first.said(LAST_WORDS_OF_FIRST_START));
      const [good] = printed.filter(({ status }) => status === 200);
      expect(await first.end(signal)).toEqual({ code: 0, signal: null });

      const output = await start(file).said(LAST_WORDS_OF_LATER_START);
      const { origin } = new URL(printedRequests(output)[0]?.request.url ?? '');
      const request = good?.request as PrintedRequest;
      const answer = await send({ ...request, url: origin + new URL(request.url).pathname });

      expect(answer.status).toBe(200);
    },
  );

  test('shows no key a second time, says how to get new ones, and stores no key as text', async () => {
    const file = nextFile();
    const first = start(file);
    const said = await first.said(LAST_WORDS_OF_FIRST_START);
    const keys = new Set(said.match(KEY));
    const [secret = ''] = said.match(SECRET) ?? [];
    await first.end('SIGTERM');

    const output = await start(file).said(LAST_WORDS_OF_LATER_START);
    const stored = readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), 'latin1'))
      .join('');

    expect(output.match(KEY)).toBeNull();
    expect(output).toContain(`delete ${file} and start again`);
    for (const key of keys) {
      expect(output).toContain(`${key.slice(0, 14)}...`);
      expect(stored).not.toContain(key);
    }
    expect(secret).not.toBe('');
    expect(output + stored).not.toContain(secret);
    expect(stored).toContain('sha256:');
  });

  test('says so when the port is taken, and ends with exit code 1', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const example = start(nextFile(), String(port));
    const { code } = await example.end();
    other.close();

    expect(code).toBe(1);
    expect(example.output()).toContain(`Port ${port} is taken.`);
  });

  test('says what is wrong with a port that is none', async () => {
    const example = start(nextFile(), 'http');

    expect((await example.end()).code).toBe(1);
    expect(example.output()).toContain('PORT must be a number from 0 to 65535, but it is "http".');
  });
});
