import type { Worker } from 'node:worker_threads';
import { StoreUnavailableError } from '../errors.ts';
import { redactedError } from '../stores/redacted-error.ts';
import { type BcryptQuestion, startBcryptWorker } from './bcrypt-worker.cjs';

/** Who has waited for longer is told to come again: soon nobody would be there to hear the answer. */
const LONGEST_WAIT_MS = 8_000;

interface Job extends BcryptQuestion {
  readonly askedAt: number;
  resolve(matches: boolean): void;
  reject(error: StoreUnavailableError): void;
}

/**
 * Compares secrets with bcrypt hashes, one after the other, in one thread of its own: on the main thread fifty of them
 * would stop every request for seconds. The thread is started with the first question, does not keep the process
 * alive once it has nothing to do, and is started again after a crash. What cannot be answered is a rejection: it is
 * not known whether the secret was right.
 */
export class BcryptComparer {
  readonly #maxQueue: number;
  readonly #queue: Job[] = [];
  #worker: Worker | undefined;
  /** What the worker is busy with. */
  #current: Job | undefined;

  constructor(maxQueue: number) {
    this.#maxQueue = maxQueue;
  }

  /** @throws StoreUnavailableError (a rejection) when too many wait, and when the thread dies */
  compare(secret: string, hash: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (this.#current !== undefined && this.#queue.length >= this.#maxQueue) {
        reject(new StoreUnavailableError('Too many secrets wait to be compared.'));
        return;
      }
      this.#queue.push({ secret, hash, askedAt: performance.now(), resolve, reject });
      this.#askNext();
    });
  }

  #askNext(): void {
    if (this.#current !== undefined) return;
    this.#current = this.#nextJob();
    if (this.#current === undefined) {
      this.#worker?.unref();
      return;
    }
    const { secret, hash } = this.#current;
    try {
      this.#worker ??= this.#start();
      this.#worker.ref();
      this.#worker.postMessage({ secret, hash } satisfies BcryptQuestion);
    } catch (error) {
      this.#fail(this.#worker, error);
    }
  }

  #nextJob(): Job | undefined {
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      if (performance.now() - job.askedAt < LONGEST_WAIT_MS) return job;
      job.reject(new StoreUnavailableError('The secret has waited too long to be compared.'));
    }
    return undefined;
  }

  #start(): Worker {
    const worker = startBcryptWorker();
    worker.on('message', (matches: boolean) => {
      const job = this.#current;
      this.#current = undefined;
      this.#askNext();
      job?.resolve(matches);
    });
    worker.on('error', (error) => this.#fail(worker, error));
    worker.on('exit', () => this.#fail(worker, new Error('the thread has ended')));
    return worker;
  }

  /** All who wait are told, not only the one whose turn it was: where no thread can be started, none will be. */
  #fail(worker: Worker | undefined, cause: unknown): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    // After a fault that it survived it would still be at work, for nobody.
    worker?.terminate().catch(() => undefined);
    const jobs = [...(this.#current === undefined ? [] : [this.#current]), ...this.#queue.splice(0)];
    this.#current = undefined;
    for (const { secret, reject } of jobs) {
      const options = { cause: redactedError(cause, [secret]) };
      reject(new StoreUnavailableError('The thread that compares secrets has failed.', options));
    }
  }
}
