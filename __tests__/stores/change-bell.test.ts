import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createClock } from '../../lib/clock.ts';
import { type BellLine, ChangeBell, RING, ring } from '../../lib/stores/change-bell.ts';

/** A line that can be dead, refused, or cut. */
class Line implements BellLine {
  readonly said: string[] = [];
  readonly ears = new Set<(message: string) => void>();
  opened = 0;
  isDead = false;
  isRefused = false;
  cut = (): void => undefined;

  async publish(message: string): Promise<void> {
    this.said.push(message);
    if (!this.isDead) this.say(message);
  }

  say(message: unknown): void {
    for (const hear of this.ears) hear(message as string);
  }

  async subscribe(onMessage: (message: string) => void, onEnd: () => void): Promise<() => void> {
    this.opened += 1;
    if (this.isRefused) throw new Error('refused');
    this.ears.add(onMessage);
    this.cut = () => {
      this.ears.delete(onMessage);
      onEnd();
    };
    return () => void this.ears.delete(onMessage);
  }

  get echoes(): number {
    return this.said.filter((message) => message !== RING).length;
  }
}

let line: Line;
let rings = 0;
let bell: ChangeBell;

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate'] });
  line = new Line();
  rings = 0;
});
afterEach(async () => {
  await bell.close();
  jest.useRealTimers();
});

async function open(): Promise<void> {
  bell = new ChangeBell(line, createClock(), () => {
    rings += 1;
  });
  await pass(0);
}

describe('a bell', () => {
  test('rings once when it is opened, for what was missed before', async () => {
    await open();
    expect(rings).toBe(1);
    await ring(line);
    expect(rings).toBe(2);
  });

  test.each([[undefined], [''], [{}], ['x'.repeat(1_000_000)]])(
    'rings for anything that is no echo',
    async (message) => {
      await open();
      line.say(message);
      expect(rings).toBe(2);
    },
  );

  test('asks for an echo where all is quiet, and goes on with the line that brings it', async () => {
    await open();
    await pass(60_000);
    expect(line.opened).toBe(1);
    expect(line.echoes).toBeGreaterThanOrEqual(8);
    expect(rings).toBe(1);
  });

  test('takes what others say for an echo, so that of many processes few ask', async () => {
    await open();
    for (let second = 0; second < 60; second += 1) {
      await pass(1_000);
      line.say('echo:of another');
    }
    expect(line.echoes).toBe(0);
    expect(rings).toBe(1);
  });

  test('opens a line anew that is dead without a sign, within 8 s, and rings then', async () => {
    await open();
    line.isDead = true;
    await pass(8_000);
    expect(line.opened).toBe(2);
    expect(rings).toBe(2);
    expect(line.ears.size).toBe(1);
  });

  test('tries a line that stays dead less and less often', async () => {
    await open();
    line.isDead = true;
    await pass(600_000);
    expect(line.opened).toBeLessThan(60);
    expect(line.ears.size).toBeLessThanOrEqual(1);
    line.isDead = false;
    await pass(60_000);
    const before = line.opened;
    await pass(60_000);
    expect(line.opened).toBe(before);
  });

  test('is soon back after a second break, however long the first one was', async () => {
    await open();
    line.isDead = true;
    await pass(600_000);
    line.isDead = false;
    await pass(60_000);
    const before = line.opened;
    line.cut();
    await pass(600);
    expect(line.opened).toBe(before + 1);
  });

  test('opens a line anew that was cut', async () => {
    await open();
    line.cut();
    await pass(1_000);
    expect(line.opened).toBe(2);
    expect(rings).toBe(2);
  });

  test('waits longer each time that it is refused, ten seconds at most', async () => {
    line.isRefused = true;
    await open();
    await pass(120_000);
    expect(line.opened).toBeLessThan(25);
    line.isRefused = false;
    await pass(10_000);
    expect(line.ears.size).toBe(1);
  });

  test('lets go of a line that opens after it was closed, and hears nothing more', async () => {
    let answer = (): void => undefined;
    const opened = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const real = line.subscribe.bind(line);
    line.subscribe = async (...ears) => {
      await opened;
      return real(...ears);
    };
    await open();
    const closing = bell.close();
    answer();
    await closing;
    await pass(60_000);
    expect(line.ears.size).toBe(0);
    expect(rings).toBe(0);
  });

  test('gives up a line that never opens, and lets go of it where it does later', async () => {
    const real = line.subscribe.bind(line);
    let answer = (): void => undefined;
    line.subscribe = async (...ears) => {
      line.subscribe = real;
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return real(...ears);
    };
    await open();
    await pass(7_000);
    expect(line.opened).toBe(1);
    answer();
    await pass(1);
    expect(line.opened).toBe(2);
    expect(line.ears.size).toBe(1);
  });

  test('is closed though its line does not let go', async () => {
    const real = line.subscribe.bind(line);
    line.subscribe = async (...ears) => {
      await real(...ears);
      return () => new Promise(() => undefined);
    };
    await open();
    const closing = bell.close();
    await pass(5_000);
    await expect(closing).resolves.toBeUndefined();
  });
});
