import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { redisBus } from '../../lib/stores/redis-key-store.ts';

let subscriber: Redis;

beforeEach(() => {
  // Nobody answers there, and nothing waits for somebody who would.
  subscriber = new Redis('redis://127.0.0.1:1', { enableOfflineQueue: false, lazyConnect: true });
  subscriber.on('error', () => undefined);
});
afterEach(() => subscriber.disconnect());

test('tries to subscribe that fail leave nothing behind on the client that was given', async () => {
  const bus = redisBus(subscriber, { subscriber });
  for (let tries = 0; tries < 3; tries += 1) {
    await expect(bus.subscribe(() => undefined)).rejects.toThrow();
  }
  expect(subscriber.listenerCount('message')).toBe(0);
});
