import { EventEmitter } from 'node:events';
import { describe, expect, jest, test } from '@jest/globals';
import { type Listen, ownListen, pgPoolListen } from '../../lib/stores/sql-listeners.ts';

/** A connection of `pg`, with nothing behind it. */
class Client extends EventEmitter {
  readonly asked: string[] = [];
  ended = 0;
  released: unknown[] = [];
  fault: Error | undefined;

  async query(text: string): Promise<void> {
    this.asked.push(text);
    if (this.fault !== undefined) throw this.fault;
  }

  async end(): Promise<void> {
    this.ended += 1;
  }

  release(destroy: boolean): void {
    this.released.push(destroy);
  }
}

async function open(listen: Listen): Promise<{ messages: string[]; ends: number[]; stop(): Promise<void> }> {
  const messages: string[] = [];
  const ends: number[] = [];
  const stop = await listen(
    'my_channel',
    (message) => messages.push(message),
    () => ends.push(1),
  );
  return { messages, ends, stop };
}

describe('a connection that listens', () => {
  test('hears its own channel, until it is stopped', async () => {
    const client = new Client();
    const { messages, stop } = await open(ownListen(async () => client));
    expect(client.asked).toEqual(['LISTEN "my_channel"']);
    client.emit('notification', { channel: 'my_channel', payload: 'a' });
    client.emit('notification', { channel: 'another', payload: 'b' });
    client.emit('notification', undefined);
    await stop();
    client.emit('notification', { channel: 'my_channel', payload: 'c' });
    expect(messages).toEqual(['a']);
  });

  test.each(['error', 'end'])(
    'tells of its %s at once, and not of what comes after it was stopped',
    async (event) => {
      const client = new Client();
      const { ends, stop } = await open(ownListen(async () => client));
      client.emit(event, new Error('gone'));
      expect(ends).toHaveLength(1);
      await stop();
      client.emit(event, new Error('gone'));
      expect(ends).toHaveLength(1);
      await stop();
      expect(client.ended).toBe(1);
    },
  );

  test('is let go where it cannot listen', async () => {
    const client = new Client();
    client.fault = new Error('no LISTEN here');
    await expect(open(ownListen(async () => client))).rejects.toThrow('no LISTEN here');
    expect(client.ended).toBe(1);
  });
});

describe('a pool', () => {
  test('has its client back to be closed, as it would go on listening', async () => {
    const client = new Client();
    const { stop } = await open(pgPoolListen({ options: { max: 2 }, connect: async () => client }) as Listen);
    await stop();
    expect(client.released).toEqual([true]);
    expect(client.ended).toBe(0);
  });

  test('of one client is left alone', () => {
    expect(pgPoolListen({ options: { max: 1 }, connect: async () => new Client() })).toBeUndefined();
    expect(pgPoolListen({ connect: async () => new Client() })).toBeDefined();
  });
});

test('a client that does not answer to LISTEN goes back to its pool', async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate'] });
  try {
    const client = new Client();
    client.query = () => new Promise(() => undefined);
    const opened = open(pgPoolListen({ connect: async () => client }) as Listen);
    const refused = expect(opened).rejects.toThrow('no answer within 4000 ms');
    await jest.advanceTimersByTimeAsync(4_000);
    await refused;
    expect(client.released).toEqual([true]);
  } finally {
    jest.useRealTimers();
  }
});
