import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ensureBuilt, root } from './support/built-package.ts';
import { codeBlocks, readPage } from './support/markdown.ts';
import { createDatabase, type Database, describeWithServers, SERVER_TIMEOUT_MS } from './support/servers.ts';
import { Shell } from './support/shell.ts';

// Programs are started here, and on a busy machine each of them takes seconds.
jest.setTimeout(120_000);

const blocks = codeBlocks(readPage('docs/start.md'));
const done = new Set<string>();

mkdirSync(`${root}.cache`, { recursive: true });
const folder = mkdtempSync(`${root}.cache/start-`);
let shell: Shell;
let port: number;
let server: ChildProcess | undefined;

beforeAll(async () => {
  await ensureBuilt();
  shell = new Shell(folder);
  port = await freePort();
});
afterAll(async () => {
  await stopServer();
  shell.end();
  rmSync(folder, { recursive: true, force: true });
});

describe('docs/start.md, followed to the letter in an empty folder', () => {
  test('leads to a server that answers a key', async () => {
    await run('npm init');
    for (const file of ['keys.js', 'app.js', 'server.js']) write(file);
    await run('npx keystile create');
    await startServer();

    expect(await run('curl')).toBe('{"organization":"org_1"}');
    expect((await ask()).status).toBe(401);
    expect(read('key.txt')).toMatch(/^acme_live_[0-9A-Za-z]{38}\n$/);
  });

  test('rotates the key, whose old text works and says so', async () => {
    await run('npx keystile rotate');
    await until(async () => (await ask('key.txt')).headers.has('Sunset'));

    expect((await ask('key.txt')).status).toBe(200);
    expect((await ask('new-key.txt')).status).toBe(200);
    expect((await ask('new-key.txt')).headers.has('Sunset')).toBe(false);
  });

  test('revokes it, in the server too', async () => {
    await run('npx keystile revoke');
    await until(async () => (await ask('new-key.txt')).status === 401);

    expect((await ask('key.txt')).status).toBe(401);
  });

  test('tests the application', async () => {
    await run('supertest');
    write('app.test.js');

    expect(await shell.run('node --test --test-reporter=tap')).toContain('# pass 3\n# fail 0\n');
  });

  describeWithServers('over PostgreSQL', () => {
    let database: Database;

    beforeAll(async () => {
      database = await createDatabase('postgres');
    }, SERVER_TIMEOUT_MS);
    afterAll(async () => {
      await stopServer();
      await database.drop();
    });

    test('brings the keys along, and moves them to the pepper', async () => {
      await stopServer();
      await shell.run(`export DATABASE_URL='${database.url}'`);
      await shell.run(
        'npx keystile create --name Later --organization org_2 --scope reports:read > later.txt',
      );
      const pepper = block('KEYSTILE_PEPPERS="');
      await shell.run(pepper);
      await run('npm install pg');
      write('keys.js');
      await run('npx keystile import');
      await startServer(await shell.run('echo "$KEYSTILE_PEPPERS"'), database.url);

      expect(await (await ask('later.txt')).json()).toEqual({ organization: 'org_2' });
      expect((await ask('new-key.txt')).status).toBe(401);
      await until(async () => (await exported()).includes('"hmac-sha256:p1:'));
    });

    test('without a pepper, the server does not start', async () => {
      await stopServer();
      const child = start('', database.url);
      const [code] = await once(child, 'exit');

      expect(code).not.toBe(0);
    });

    test('has run every block of the page', () => {
      expect(blocks.map(({ code }) => code).filter((code) => !done.has(code))).toEqual([]);
    });
  });
});

/** The one block that has a text in it and was not taken before. */
function block(text: string): string {
  const found = blocks.filter(({ code }) => code.includes(text) && !done.has(code));
  const [first] = found;
  if (first === undefined) throw new Error(`no block has "${text}"`);
  done.add(first.code);
  return first.code;
}

async function run(text: string): Promise<string> {
  return shell.run(block(text).replaceAll('localhost:3000', `localhost:${port}`));
}

/** The next block of that name. */
function write(file: string): void {
  writeFileSync(`${folder}/${file}`, block(`// ${file}\n`));
}

const read = (file: string): string => readFileSync(`${folder}/${file}`, 'utf8');

const exported = (): Promise<string> => shell.run('npx keystile export');

function start(peppers: string, url: string): ChildProcess {
  const env = { ...process.env, PORT: String(port), KEYSTILE_PEPPERS: peppers, DATABASE_URL: url };
  return spawn(process.execPath, ['server.js'], { cwd: folder, env, stdio: 'ignore' });
}

async function startServer(peppers = '', url = ''): Promise<void> {
  server = start(peppers.trim(), url);
  await until(async () => (await fetch(`http://localhost:${port}/health`)).ok);
}

async function stopServer(): Promise<void> {
  const running = server;
  server = undefined;
  if (running === undefined || running.exitCode !== null) return;
  const exit = once(running, 'exit');
  running.kill('SIGTERM');
  const [code, signal] = await exit;
  expect({ code, signal }).toEqual({ code: 0, signal: null });
}

async function ask(file?: string): Promise<Response> {
  const headers: Record<string, string> = { Connection: 'close' };
  if (file !== undefined) headers['Authorization'] = `Bearer ${read(file).trim()}`;
  return fetch(`http://localhost:${port}/reports`, { headers });
}

/** What another process does is seen by looking. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 20_000; performance.now() < end; await sleep(50)) {
    if (await holds().catch(() => false)) return;
  }
  throw new Error(`did not come to be: ${holds}`);
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0);
  await once(listener, 'listening');
  const { port: free } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return free;
}
