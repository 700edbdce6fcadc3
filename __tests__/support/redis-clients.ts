import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { RedisClient } from '../../lib/stores/redis-key-store.ts';
import { serverUrl } from './servers.ts';

/** A client, as an application makes one, and how to be rid of it. */
export interface OpenedClient {
  readonly client: RedisClient;
  command(...words: readonly string[]): Promise<unknown>;
  close(): void;
}

export interface ClientKind {
  readonly name: string;
  open(url?: string): Promise<OpenedClient>;
}

export async function openNodeRedis(url?: string): Promise<OpenedClient> {
  // By default a command that waits for 5 s to be sent fails, as it may on a busy machine.
  const commandOptions = { timeout: 60_000 };
  const client = createClient({ url: url ?? (await serverUrl('redis')), commandOptions });
  client.on('error', () => undefined);
  await client.connect();
  return {
    client,
    command: (...words) => client.sendCommand(words as string[]),
    close: () => client.destroy(),
  };
}

export async function openIoredis(url?: string): Promise<OpenedClient> {
  const client = new Redis(url ?? (await serverUrl('redis')));
  client.on('error', () => undefined);
  return {
    client,
    command: (name = '', ...args) => client.call(name, args),
    close: () => client.disconnect(),
  };
}

export const clientKinds: readonly ClientKind[] = [
  { name: 'redis', open: openNodeRedis },
  { name: 'ioredis', open: openIoredis },
];

/** Of its own for each store, so that many share a server. */
export function somePrefix(): string {
  return `test:${randomBytes(6).toString('hex')}`;
}
