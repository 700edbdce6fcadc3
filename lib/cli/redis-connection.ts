import { withDeadline } from '../stores/guarded-store.ts';
import type { RedisClient } from '../stores/redis-client.ts';
import type { Loaded, Packages } from './packages.ts';
import type { StoreAddress } from './store-address.ts';
import { RefusedError } from './usage-error.ts';

export interface OpenRedis {
  readonly client: RedisClient;
  readonly driver: Loaded;
  close(): Promise<void>;
}

const CONNECT_MS = 10_000;

/** @throws RefusedError that names what to install where there is no client library, or says that nobody answers */
export async function connectRedis(
  { target, shown }: StoreAddress,
  packages: Packages,
  cwd: string,
): Promise<OpenRedis> {
  const driver = packages.first('redis', 'ioredis');
  if (driver === undefined) {
    const advice = 'the package redis or ioredis: npm install redis';
    throw new RefusedError(`${shown} needs ${advice} (looked for in ${cwd}).`);
  }
  const open = driver.name === 'redis' ? nodeRedis : ioredis;
  return { ...(await open(driver.exports as never, target)), driver };
}

type Opened = Omit<OpenRedis, 'driver'>;

interface NodeRedisModule {
  createClient(options: object): RedisClient & {
    on(event: 'error', heard: () => void): unknown;
    connect(): Promise<unknown>;
    destroy(): void;
  };
}

async function nodeRedis({ createClient }: NodeRedisModule, url: string): Promise<Opened> {
  const socket = { connectTimeout: CONNECT_MS, reconnectStrategy: false };
  const client = createClient({ url, socket });
  // Without a listener an error would end the process; who waits for an answer is told all the same.
  client.on('error', () => undefined);
  await connected(
    () => client.connect(),
    () => client.destroy(),
  );
  return { client, close: async () => client.destroy() };
}

interface IoredisModule {
  readonly Redis: new (
    url: string,
    options: object,
  ) => RedisClient & {
    on(event: 'error', heard: () => void): unknown;
    connect(): Promise<void>;
    disconnect(): void;
  };
}

async function ioredis({ Redis }: IoredisModule, url: string): Promise<Opened> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  client.on('error', () => undefined);
  await connected(
    () => client.connect(),
    () => client.disconnect(),
  );
  return { client, close: async () => client.disconnect() };
}

/** Their own time-out ends with the connection: a server that has stopped takes it, and answers nothing. */
async function connected(connect: () => Promise<unknown>, giveUp: () => void): Promise<void> {
  try {
    await withDeadline({ run: connect }, CONNECT_MS);
  } catch (error) {
    try {
      giveUp();
    } catch {
      // It never was open.
    }
    throw error;
  }
}
