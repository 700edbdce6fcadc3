import { badOption, checkOptionNames, oneOf } from '../options.ts';
import { checkSubscribes, type RedisClient } from './redis-client.ts';

/** Under which names records stand in Redis, and how safe it has to keep them. */
export interface RedisKeyStoreOptions {
  /** What the names of all keys in Redis begin with, in braces. 1 to 64 of `A-Z a-z 0-9 _ . : -`. @default 'keystile' */
  readonly prefix?: string;
  /** Whether a Redis is refused that may lose what it has acknowledged. @default true */
  readonly durable?: boolean;
  /** A second client, which listens. Absent: a duplicate of the first, which the store closes. */
  readonly subscriber?: RedisClient;
}

/** On which channel a bus rings, and by which client it listens. */
export interface RedisBusOptions {
  /** The name of the channel. @default 'keystile' */
  readonly channel?: string;
  /** A second client, which listens. Absent: a duplicate of the first, for as long as somebody listens. */
  readonly subscriber?: RedisClient;
}

interface RedisKeyStoreConfig {
  readonly prefix: string;
  readonly durable: boolean;
  readonly subscriber: unknown;
}

export function readStoreOptions(options: unknown): RedisKeyStoreConfig {
  const owner = 'RedisKeyStore';
  const given = checkOptionNames(owner, options, ['prefix', 'durable', 'subscriber']);
  return {
    prefix: readName(owner, 'prefix', given['prefix']),
    durable: oneOf(owner, 'durable', given['durable'], true, [true, false]),
    subscriber: readSubscriber(owner, given['subscriber']),
  };
}

export function readBusOptions(options: unknown): { readonly channel: string; readonly subscriber: unknown } {
  const owner = 'redisBus';
  const given = checkOptionNames(owner, options, ['channel', 'subscriber']);
  return {
    channel: readName(owner, 'channel', given['channel']),
    subscriber: readSubscriber(owner, given['subscriber']),
  };
}

/** Without braces: between the first two of them is what a cluster chooses the server by. */
function readName(owner: string, option: string, name: unknown): string {
  if (name === undefined) return 'keystile';
  if (typeof name === 'string' && /^[\w.:-]{1,64}$/.test(name)) return name;
  throw badOption(owner, option, 'a text of 1 to 64 letters, digits and _ . : -', name);
}

function readSubscriber(owner: string, subscriber: unknown): unknown {
  if (subscriber !== undefined) checkSubscribes(owner, subscriber);
  return subscriber;
}
