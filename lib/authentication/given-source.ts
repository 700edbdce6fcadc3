import { badOption, checkOptionNames } from '../options.ts';
import type { RequestSource } from './authenticator.ts';

/** An address that a caller of `verifyPair()` names; it is checked when it is needed, so that a mistake is a rejection. */
export class GivenSource implements RequestSource {
  readonly #options: unknown;

  constructor(options: unknown) {
    this.#options = options;
  }

  get ip(): string | undefined {
    const { from } = checkOptionNames('verifyPair', this.#options, ['from']);
    if (from === undefined || typeof from === 'string') return from;
    throw badOption('verifyPair', 'from', 'a text', from);
  }
}
