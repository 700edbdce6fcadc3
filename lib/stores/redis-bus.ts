import type { ChangeBus } from './change-bus.ts';
import { withDeadline } from './guarded-store.ts';
import {
  checkDuplicates,
  duplicateListener,
  type Listener,
  listenerOn,
  type OwnListener,
  type RedisClient,
  sendingTo,
} from './redis-client.ts';
import { type RedisBusOptions, readBusOptions } from './redis-options.ts';

/** Ours are far shorter, and what is published by others need not be read. */
const LONGEST_MESSAGE = 1_000;

/** Clients try to connect for ever, and one that nobody waits for any more must not. */
const CONNECT_DEADLINE_MS = 4_000;

/**
 * Publish/subscribe over a Redis client of yours, for a store of any kind that watches. It keeps nothing: a message may
 * be lost, and Redis need not be durable for it.
 *
 * @throws TypeError for a client that is none, or for a wrong option
 */
export function redisBus(client: RedisClient, options: RedisBusOptions = {}): ChangeBus {
  const { channel, subscriber } = readBusOptions(options);
  return openBus('redisBus', client, channel, subscriber);
}

/**
 * @param owner - who complains
 * @param subscriber - absent: a duplicate of the client, for as long as somebody listens
 */
export function openBus(owner: string, client: RedisClient, channel: string, subscriber: unknown): ChangeBus {
  const send = sendingTo(owner, client);
  if (subscriber === undefined) checkDuplicates(owner, client);
  return {
    async publish(message) {
      await send(undefined, ['PUBLISH', channel, message]);
    },
    async subscribe(onMessage) {
      let isStopped = false;
      const hear = (message: unknown): void => {
        if (isStopped || typeof message !== 'string' || message.length > LONGEST_MESSAGE) return;
        onMessage(message);
      };
      const unsubscribe =
        subscriber === undefined
          ? await subscribeAlone(duplicateListener(client), channel, hear)
          : await subscribeOn(listenerOn(subscriber), channel, hear);
      return async () => {
        if (isStopped) return;
        isStopped = true;
        await unsubscribe();
      };
    },
  };
}

type Hear = (message: unknown) => void;
type Unsubscribe = () => Promise<void>;

async function subscribeOn(listener: Listener, channel: string, hear: Hear): Promise<Unsubscribe> {
  await listener.listen(channel, hear);
  return () => listener.unlisten(channel, hear);
}

async function subscribeAlone(own: OwnListener, channel: string, hear: Hear): Promise<Unsubscribe> {
  const run = async (): Promise<void> => {
    await own.open();
    await own.listen(channel, hear);
  };
  try {
    await withDeadline({ run }, CONNECT_DEADLINE_MS);
  } catch (error) {
    own.destroy();
    throw error;
  }
  return async () => own.destroy();
}
