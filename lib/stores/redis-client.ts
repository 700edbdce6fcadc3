import { badOption } from '../options.ts';

/** A client of `ioredis`, of one server or of a cluster. */
export interface IoredisClient {
  call(command: string, args: string[]): Promise<unknown>;
  duplicate(...given: never[]): unknown;
}

/** A client of `redis` (node-redis), of one server, of a cluster, over sentinels, or a pool. */
export interface NodeRedisClient {
  sendCommand(...given: never[]): Promise<unknown>;
}

/** A client of the user's own, known by its shape: the package has neither library as a dependency. */
export type RedisClient = IoredisClient | NodeRedisClient;

/**
 * Sends one command. Texts and integers, and lists of them, are all that comes back: on anything else the two
 * libraries and the two protocols differ.
 *
 * @param key - one of those that the command names, by which a cluster finds the server; absent where any will do
 */
export type SendCommand = (key: string | undefined, command: readonly string[]) => Promise<unknown>;

/** The part of a client that listens. */
export interface Listener {
  listen(channel: string, hear: (message: unknown) => void): Promise<void>;
  unlisten(channel: string, hear: (message: unknown) => void): Promise<void>;
}

/** A connection of our own, made like the user's, which nobody else closes. */
export interface OwnListener extends Listener {
  open(): Promise<void>;
  destroy(): void;
}

interface ClientKind {
  readonly has: readonly string[];
  send(client: never): SendCommand;
  listener(client: never): Listener;
  duplicate(client: never): OwnListener;
}

interface Ioredis extends IoredisClient {
  readonly isCluster?: boolean;
  duplicate(options?: object): Ioredis;
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  on(event: string, listener: (...given: never[]) => void): unknown;
  off(event: string, listener: (...given: never[]) => void): unknown;
  disconnect(): void;
}

interface NodeRedis {
  duplicate?(): NodeRedis;
  connect(): Promise<unknown>;
  subscribe(channel: string, hear: (message: unknown) => void): Promise<unknown>;
  unsubscribe(channel: string, hear: (message: unknown) => void): Promise<unknown>;
  on(event: string, listener: () => void): unknown;
  destroy(): unknown;
}

/** Asked in this order: clients of ioredis have another `sendCommand`, and each of node-redis a form of its own. */
const KINDS: readonly ClientKind[] = [
  {
    has: ['call', 'duplicate'],
    send:
      (client: IoredisClient): SendCommand =>
      (_, [name = '', ...args]) =>
        client.call(name, args),
    listener: ioredisListener,
    duplicate: duplicateIoredis,
  },
  {
    has: ['sendCommand', 'getSlotMaster'],
    send:
      (cluster: {
        sendCommand(key: string | undefined, isReadonly: boolean, args: readonly string[]): Promise<unknown>;
      }): SendCommand =>
      (key, command) =>
        cluster.sendCommand(key, false, command),
    listener: nodeRedisListener,
    duplicate: duplicateNodeRedis,
  },
  {
    has: ['sendCommand', 'getSentinelNode'],
    send:
      (sentinel: {
        sendCommand(isReadonly: boolean, args: readonly string[]): Promise<unknown>;
      }): SendCommand =>
      (_, command) =>
        sentinel.sendCommand(false, command),
    listener: nodeRedisListener,
    duplicate: duplicateNodeRedis,
  },
  {
    has: ['sendCommand'],
    send:
      (client: { sendCommand(args: readonly string[]): Promise<unknown> }): SendCommand =>
      (_, command) =>
        client.sendCommand(command),
    listener: nodeRedisListener,
    duplicate: duplicateNodeRedis,
  },
];

/** @throws TypeError unless it is one of the known kinds */
export function sendingTo(owner: string, client: unknown): SendCommand {
  return kindOf(owner, 'client', client).send(client as never);
}

/** @throws TypeError unless it can subscribe */
export function checkSubscribes(owner: string, subscriber: unknown): void {
  kindOf(owner, 'subscriber', subscriber);
  if (hasFunctions(subscriber, ['subscribe', 'unsubscribe', 'on'])) return;
  throw badOption(owner, 'subscriber', 'a client that can subscribe, which a pool cannot', subscriber);
}

/** @throws TypeError unless a client that subscribes can be made of it */
export function checkDuplicates(owner: string, client: unknown): void {
  if (hasFunctions(client, ['duplicate', 'subscribe'])) return;
  throw new TypeError(
    `${owner}: subscriber must be given, because this client, like a pool, cannot subscribe`,
  );
}

export function listenerOn(subscriber: unknown): Listener {
  return kindOf('', 'subscriber', subscriber).listener(subscriber as never);
}

export function duplicateListener(client: unknown): OwnListener {
  return kindOf('', 'client', client).duplicate(client as never);
}

function kindOf(owner: string, option: string, client: unknown): ClientKind {
  const kind = KINDS.find(({ has }) => hasFunctions(client, has));
  if (kind !== undefined) return kind;
  const demand = 'a client of the package redis or ioredis';
  // A text is most likely a URL, with a password in it.
  if (typeof client === 'string')
    throw new TypeError(`${owner}: ${option} must be ${demand}, but got a text`);
  throw badOption(owner, option, demand, client);
}

function hasFunctions(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}

/** How many listen to a channel of one client: ioredis unsubscribes them all at once. */
const subscriptions = new WeakMap<object, Map<string, number>>();

function ioredisListener(client: Ioredis): Listener {
  const hearers = new Map<(message: unknown) => void, (channel: string, message: unknown) => void>();
  const counts = subscriptions.get(client) ?? new Map<string, number>();
  subscriptions.set(client, counts);
  /** @returns whether nobody listens any more */
  const forget = (channel: string, hear: (message: unknown) => void): boolean => {
    const hearer = hearers.get(hear);
    if (hearer === undefined) return false;
    hearers.delete(hear);
    client.off('message', hearer);
    const left = (counts.get(channel) ?? 1) - 1;
    counts.set(channel, left);
    return left === 0;
  };
  return {
    async listen(channel, hear) {
      const hearer = (from: string, message: unknown): void => {
        if (from === channel) hear(message);
      };
      hearers.set(hear, hearer);
      client.on('message', hearer);
      counts.set(channel, (counts.get(channel) ?? 0) + 1);
      try {
        await client.subscribe(channel);
      } catch (error) {
        // It is tried again, and each try would leave one more on the user's client.
        forget(channel, hear);
        throw error;
      }
    },
    async unlisten(channel, hear) {
      if (forget(channel, hear)) await client.unsubscribe(channel);
    },
  };
}

function duplicateIoredis(client: Ioredis): OwnListener {
  const own = client.isCluster === true ? client.duplicate() : client.duplicate(OWN_IOREDIS);
  const channels = new Set<string>();
  own.on('error', () => undefined);
  own.on('ready', () => {
    for (const channel of channels) own.subscribe(channel).catch(() => undefined);
  });
  const { listen, unlisten } = ioredisListener(own);
  return {
    async listen(channel, hear) {
      await listen(channel, hear);
      channels.add(channel);
    },
    unlisten,
    open: async () => undefined,
    destroy: () => own.disconnect(),
  };
}

/**
 * One that may not queue would refuse to subscribe before it is connected. And where it subscribes anew by itself,
 * nobody catches what becomes of that when the connection breaks meanwhile, which ends the process.
 */
const OWN_IOREDIS = { enableOfflineQueue: true, autoResubscribe: false };

function nodeRedisListener(client: NodeRedis): Listener {
  return {
    listen: async (channel, hear) => void (await client.subscribe(channel, hear)),
    unlisten: async (channel, hear) => void (await client.unsubscribe(channel, hear)),
  };
}

function duplicateNodeRedis(client: Required<NodeRedis>): OwnListener {
  const own = client.duplicate();
  // Without a listener, a connection that breaks ends the process.
  own.on('error', () => undefined);
  return {
    ...nodeRedisListener(own),
    open: async () => void (await own.connect()),
    destroy() {
      // It throws where it never was open, or is rejected later, where it is a cluster.
      Promise.resolve()
        .then(() => own.destroy())
        .catch(() => undefined);
    },
  };
}
