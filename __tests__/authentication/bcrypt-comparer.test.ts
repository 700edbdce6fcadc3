import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { BcryptComparer } from '../../lib/authentication/bcrypt-comparer.ts';

const HASH = '$2b$04$'.padEnd(60, '.');
const FAILED = 'The thread that compares secrets has failed.';

/** In the place of what the thread is handed: it answers nothing, so that the tests say what it does. */
let asked: { readonly thread: Worker; readonly secret: string }[] = [];
let handOver: jest.SpiedFunction<Worker['postMessage']>;

beforeEach(() => {
  asked = [];
  handOver = jest.spyOn(Worker.prototype, 'postMessage');
  handOver.mockImplementation(function (this: Worker, question) {
    asked.push({ thread: this, secret: (question as { secret: string }).secret });
  });
});

afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(asked.map(({ thread }) => thread.terminate()));
});

/** What became of a question: the answer, or the messages of its error and of what caused it. */
async function endOf(answer: Promise<boolean>): Promise<unknown> {
  return answer.catch((error: Error & { cause?: Error }) => [error.message, error.cause?.message]);
}

function threadOf(number: number): Worker {
  const question = asked[number];
  if (question === undefined) throw new Error(`no question ${number}`);
  return question.thread;
}

test('secrets are compared one after the other, in the order in which they came', async () => {
  const comparer = new BcryptComparer(5);
  const answers = ['1', '2', '3'].map((secret) => comparer.compare(secret, HASH));
  expect(asked.map(({ secret }) => secret)).toEqual(['1']);
  for (const [number, matches] of [true, false, true].entries()) threadOf(number).emit('message', matches);
  expect(await Promise.all(answers)).toEqual([true, false, true]);
  expect(asked.map(({ secret }) => secret)).toEqual(['1', '2', '3']);
  expect(new Set(asked.map(({ thread }) => thread)).size).toBe(1);
});

test('a thread that ends takes all questions with it, and says why', async () => {
  const comparer = new BcryptComparer(5);
  const answers = ['1', '2'].map((secret) => endOf(comparer.compare(secret, HASH)));
  threadOf(0).emit('exit', 1);
  const failure = [FAILED, 'the thread has ended'];
  expect(await Promise.all(answers)).toEqual([failure, failure]);
});

test('a thread that ended long ago takes nothing with it', async () => {
  const comparer = new BcryptComparer(5);
  const first = endOf(comparer.compare('1', HASH));
  threadOf(0).emit('error', new Error('out of memory'));
  const second = endOf(comparer.compare('2', HASH));
  threadOf(0).emit('exit', 1);
  threadOf(1).emit('message', true);
  expect(threadOf(1)).not.toBe(threadOf(0));
  expect([await first, await second]).toEqual([[FAILED, 'out of memory'], true]);
});

test('a question that cannot be handed over is not answered, and the next finds another thread', async () => {
  const comparer = new BcryptComparer(5);
  handOver.mockImplementationOnce(() => {
    throw new Error('cannot clone secret a');
  });
  expect(await endOf(comparer.compare('secret a', HASH))).toEqual([FAILED, 'cannot clone [redacted]']);
  const next = comparer.compare('2', HASH);
  threadOf(0).emit('message', false);
  expect(await next).toBe(false);
});

test('who has waited for 8 seconds is told so, and who has waited a moment less is answered', async () => {
  const comparer = new BcryptComparer(5);
  const clock = jest.spyOn(performance, 'now').mockReturnValue(1_000);
  const answers = [endOf(comparer.compare('1', HASH)), endOf(comparer.compare('late', HASH))];
  clock.mockReturnValue(1_001);
  answers.push(endOf(comparer.compare('3', HASH)));
  clock.mockReturnValue(9_000);
  threadOf(0).emit('message', true);
  threadOf(1).emit('message', true);
  expect(await Promise.all(answers)).toEqual([
    true,
    ['The secret has waited too long to be compared.', undefined],
    true,
  ]);
  expect(asked.map(({ secret }) => secret)).toEqual(['1', '3']);
});

test('as many as fit may wait behind the one that is compared', async () => {
  const comparer = new BcryptComparer(1);
  const answers = ['1', '2', '3'].map((secret) => endOf(comparer.compare(secret, HASH)));
  for (const number of [0, 1]) threadOf(number).emit('message', false);
  expect(await Promise.all(answers)).toEqual([
    false,
    false,
    ['Too many secrets wait to be compared.', undefined],
  ]);
});
