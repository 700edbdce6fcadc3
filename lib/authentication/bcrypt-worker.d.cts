import type { Worker } from 'node:worker_threads';

/** What a worker is asked; it answers with a boolean. */
export interface BcryptQuestion {
  readonly secret: string;
  readonly hash: string;
}

export declare function startBcryptWorker(): Worker;
