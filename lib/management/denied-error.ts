import { ApiKeyError } from '../errors.ts';

/** An input that could be taken, but not from this caller. */
export class DeniedError extends ApiKeyError {
  /** JSON pointer to what is denied; `''` where no member of the input is. */
  readonly field: string;

  constructor(field: string, problem: string) {
    super('forbidden', problem);
    this.field = field;
  }
}
