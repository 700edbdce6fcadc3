/** Any value that JSON can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** Names that would reach the prototype of whoever reads the metadata back, or change how it is written. */
const RESERVED_NAMES = new Set(['__proto__', 'constructor', 'prototype', 'toJSON']);

const MAX_BYTES = 10_000;
const MAX_DEPTH = 16;

export type MetadataCopy =
  | { readonly copy: Readonly<Record<string, Json>>; readonly problem?: undefined }
  /** `pointer`: a JSON pointer inside the metadata, `''` for all of it. */
  | { readonly pointer: string; readonly problem: string };

/**
 * Copies metadata, frozen to the bottom, or says what is wrong with it. What JSON cannot hold is refused and not
 * dropped: a `Date`, a `Map`, `undefined` or `NaN` would come back from a store as something else.
 */
export function copyMetadata(value: unknown): MetadataCopy {
  if (!isPlainObject(value)) return { pointer: '', problem: 'must be an object' };
  try {
    const copy = copyJson(value, '', 1, { left: MAX_BYTES });
    const bytes = Buffer.byteLength(JSON.stringify(copy));
    if (bytes > MAX_BYTES) {
      return { pointer: '', problem: `must be at most ${MAX_BYTES} bytes as JSON, and is ${bytes}` };
    }
    return { copy: copy as Readonly<Record<string, Json>> };
  } catch (error) {
    if (error instanceof NotJson) return { pointer: error.pointer, problem: error.message };
    throw error;
  }
}

/** A member's name as a step of a JSON pointer (RFC 6901 section 3). */
export function pointerStep(name: string): string {
  // Nearly no name has either, and a record of many members is copied often.
  return /[~/]/.test(name) ? name.replaceAll('~', '~0').replaceAll('/', '~1') : name;
}

class NotJson extends Error {
  readonly pointer: string;

  constructor(pointer: string, problem: string) {
    super(problem);
    this.pointer = pointer;
  }
}

/** What may still be copied: each value takes at least a byte of it, and each text as many as it has characters. */
interface Budget {
  left: number;
}

function copyJson(value: unknown, pointer: string, depth: number, budget: Budget): Json {
  budget.left -= typeof value === 'string' ? value.length + 1 : 1;
  if (budget.left < 0) throw new NotJson('', `must be at most ${MAX_BYTES} bytes as JSON`);
  if (value === null || typeof value === 'boolean') return value;
  // Adding 0 makes -0 a plain 0, as which JSON would write it.
  if (typeof value === 'number' && Number.isFinite(value)) return value + 0;
  if (typeof value === 'string') {
    if (/\p{Surrogate}/u.test(value)) throw new NotJson(pointer, 'must be well-formed Unicode');
    return value;
  }
  if (depth > MAX_DEPTH) throw new NotJson(pointer, `must be at most ${MAX_DEPTH} levels deep`);
  if (Array.isArray(value)) {
    return Object.freeze(
      Array.from(value, (item, index) => copyJson(item, `${pointer}/${index}`, depth + 1, budget)),
    );
  }
  if (isPlainObject(value)) return copyMembers(value, pointer, depth, budget);
  throw new NotJson(pointer, 'must be a JSON value');
}

function copyMembers(value: object, pointer: string, depth: number, budget: Budget): Json {
  const copy: Record<string, Json> = {};
  for (const [name, member] of Object.entries(value)) {
    const at = `${pointer}/${pointerStep(name)}`;
    if (RESERVED_NAMES.has(name)) throw new NotJson(at, `must not be named "${name}"`);
    if (/\p{Surrogate}/u.test(name)) throw new NotJson(pointer, 'must be well-formed Unicode');
    copy[name] = copyJson(member, at, depth + 1, budget);
  }
  return Object.freeze(copy);
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  // The second test lets objects of another realm pass, such as those of a test runner's sandbox.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
