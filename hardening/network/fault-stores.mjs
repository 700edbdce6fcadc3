// A store of every kind, empty, with nothing between it and its server.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@libsql/client';
import { Redis } from 'ioredis';
import { MemoryKeyStore } from 'keystile';
import { RedisKeyStore } from 'keystile/stores/redis';
import { SqlKeyStore } from 'keystile/stores/sql';
import { createPool } from 'mysql2/promise';
import pg from 'pg';
import { startServer } from '../../scripts/services.mjs';

/**
 * @typedef {object} Opened
 * @property {import('keystile').KeyStore} store
 * @property {() => unknown} end
 * @typedef {object} FaultedKind
 * @property {string} name
 * @property {number} deadlineMs - of a call, as short as the real store allows it
 * @property {() => Promise<Opened>} open
 */

/** @type {readonly FaultedKind[]} */
export const FAULTED_KINDS = [
  {
    name: 'memory',
    deadlineMs: 40,
    open: async () => ({ store: new MemoryKeyStore(), end: () => undefined }),
  },
  { name: 'libsql-file', deadlineMs: 60, open: openFile },
  { name: 'postgres', deadlineMs: 150, open: () => openSql('postgres', openPg) },
  { name: 'mysql', deadlineMs: 150, open: () => openSql('mysql', openMysql) },
  { name: 'redis', deadlineMs: 150, open: openRedis },
];

async function openFile() {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-faults-'));
  const client = createClient({ url: `file:${join(folder, 'keys.db')}` });
  const store = new SqlKeyStore(client);
  await store.migrate();
  const end = () => {
    client.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { store, end };
}

async function openSql(name, connect) {
  const server = await startServer(name);
  const connection = connect(server.url);
  connection.on('error', () => undefined);
  const store = new SqlKeyStore(connection);
  await store.migrate();
  const end = async () => {
    await connection.end();
    await server.stop();
  };
  return { store, end };
}

const openPg = (url) => new pg.Pool({ connectionString: url, connectionTimeoutMillis: 1_000 });
const openMysql = (url) => createPool({ uri: url, connectTimeout: 1_000 });

async function openRedis() {
  const server = await startServer('redis');
  const client = new Redis(server.url);
  client.on('error', () => undefined);
  const store = new RedisKeyStore(client, { prefix: `faults:${randomBytes(4).toString('hex')}` });
  const end = async () => {
    client.disconnect();
    await server.stop();
  };
  return { store, end };
}
