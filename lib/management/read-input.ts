import { InvalidInputError } from '../errors.ts';
import { type Json, pointerStep } from '../keys/metadata.ts';
import { nearestName } from '../options.ts';
import { DeniedError } from './denied-error.ts';
import type { Inputs } from './inputs.ts';

/**
 * Members that other key systems have and let nobody but the server set. To be told that they are unknown would send
 * a client looking for the right name.
 */
const PRIVILEGED = /^(?:rateLimit|remaining$|refill)/;

/**
 * The members of a body, of which none may be unknown; no body is one without members.
 *
 * @throws InvalidInputError, DeniedError
 */
export function readBody(inputs: Inputs, body: Json | undefined): Readonly<Record<string, unknown>> {
  if (body === undefined) return readInputs(inputs, new Map());
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new InvalidInputError('', 'must be an object');
  }
  return readInputs(inputs, new Map(Object.entries(body)));
}

/** @throws InvalidInputError, also for a parameter that is there twice: which of them counts, readers disagree on */
export function readQuery(inputs: Inputs, query: URLSearchParams): Readonly<Record<string, unknown>> {
  const given = new Map<string, Json>();
  for (const [name, value] of query) {
    if (given.has(name)) throw new InvalidInputError(`/${pointerStep(name)}`, 'is there twice');
    given.set(name, value);
  }
  return readInputs(inputs, given);
}

function readInputs(inputs: Inputs, given: ReadonlyMap<string, Json>): Readonly<Record<string, unknown>> {
  for (const name of given.keys()) {
    if (!Object.hasOwn(inputs, name)) throw unknownInput(name, Object.keys(inputs));
  }
  const read: Record<string, unknown> = {};
  for (const [name, input] of Object.entries(inputs)) {
    const value = given.get(name);
    if (value !== undefined) read[name] = input.read(value, `/${name}`);
    else if (input.isRequired) throw new InvalidInputError(`/${name}`, 'is missing');
  }
  return read;
}

function unknownInput(name: string, known: readonly string[]): InvalidInputError | DeniedError {
  const pointer = `/${pointerStep(name)}`;
  if (PRIVILEGED.test(name)) return new DeniedError(pointer, 'Nobody sets this from outside.');
  const nearest = nearestName(name, known);
  const list = known.length === 0 ? 'nothing is taken here' : `known: ${known.join(', ')}`;
  return new InvalidInputError(
    pointer,
    `is not known; ${nearest === undefined ? list : `did you mean "${nearest}"?`}`,
  );
}
