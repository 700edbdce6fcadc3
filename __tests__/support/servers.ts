import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe } from '@jest/globals';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import { givenUrl, SKIP_VARIABLE } from '../../scripts/services.mjs';

type DatabaseServer = 'postgres' | 'mysql';
export type ServerName = DatabaseServer | 'redis';

export interface Database {
  readonly url: string;
  drop(): Promise<void>;
}

export const withoutServers: boolean = process.env[SKIP_VARIABLE] === '1';

/** `describe`, and where servers are left out on purpose, one whose tests are counted as skipped. */
export const describeWithServers: typeof describe.skip = withoutServers ? describe.skip : describe;

/** A server is started within it; where it must be installed first, that takes most of it. */
export const SERVER_TIMEOUT_MS = 180_000;

const SERVICES = fileURLToPath(new URL('../../scripts/services.mjs', import.meta.url));

/** The address of a server that all tests of this run share; the first to ask starts it. */
export async function serverUrl(name: ServerName): Promise<string> {
  const given = givenUrl(name);
  if (given !== undefined) return given;
  const folder = process.env['KEYSTILE_TEST_SERVERS'] as string;
  if (isFirst(join(folder, `${name}.lock`))) startKeeper(name, folder);
  const path = join(folder, `${name}.json`);
  const start = performance.now();
  while (!existsSync(path)) {
    if (performance.now() - start > SERVER_TIMEOUT_MS) throw new Error(`${name} did not start in time`);
    await sleep(20);
  }
  const { url, error } = JSON.parse(readFileSync(path, 'utf8'));
  if (error !== undefined) throw new Error(error);
  return url;
}

function isFirst(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    return false;
  }
}

/** In a process of its own: the server outlives the test file, and ends with the run, whichever way that ends. */
function startKeeper(name: ServerName, folder: string): void {
  const owner = process.env['KEYSTILE_TEST_OWNER'] as string;
  spawn(process.execPath, [SERVICES, 'keep', name, folder, owner], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit'],
  }).unref();
}

/** A fresh database on the shared server. */
export async function createDatabase(name: DatabaseServer): Promise<Database> {
  const server = await serverUrl(name);
  const database = `keystile_${randomBytes(6).toString('hex')}`;
  await command(name, server, `CREATE DATABASE ${database}`);
  const url = new URL(server);
  url.pathname = `/${database}`;
  // PostgreSQL waits for connections that are about to end. By force, it would tell them of it.
  return { url: url.href, drop: () => drop(name, server, database) };
}

const DROP_ATTEMPTS = 6;

/** On a busy machine they may take longer to end than the 5 s that PostgreSQL gives them. */
async function drop(name: DatabaseServer, server: string, database: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await command(name, server, `DROP DATABASE ${database}`);
    } catch (error) {
      const isInUse = (error as { code?: unknown }).code === '55006';
      if (!isInUse || attempt === DROP_ATTEMPTS) throw error;
    }
  }
}

async function command(name: DatabaseServer, url: string, text: string): Promise<void> {
  if (name === 'postgres') {
    const client = new pg.Client(url);
    await client.connect();
    await client.query(text).finally(() => client.end());
  } else {
    const connection = await createConnection(url);
    await connection.query(text);
    await connection.end();
  }
}
