import { InvalidInputError } from '../errors.ts';
import { type OpenApiPart, objectSchema } from '../http/openapi.ts';
import { readDateTime } from '../keys/date-time.ts';
import { MAX_SCOPES, scopesProblem } from '../keys/fields.ts';
import type { Json } from '../keys/metadata.ts';
import type { ScopeCatalogue } from '../keys/scope-catalogue.ts';

/** One member of a body or one parameter: what the document says of it, and how it is read. */
export interface Input {
  readonly schema: OpenApiPart;
  readonly description?: string;
  readonly isRequired?: true;
  /**
   * What the calls of `ApiKeys` take, which check the rest.
   *
   * @throws InvalidInputError
   */
  read(value: Json, at: string): unknown;
}

/** All members of a body, or all parameters of a query. */
export type Inputs = { readonly [name: string]: Input };

const asGiven = (value: Json) => value;

const NAME: Input = { schema: { type: 'string', minLength: 1, maxLength: 100 }, read: asGiven };

const SCOPES: Input = {
  schema: {
    type: 'array',
    maxItems: MAX_SCOPES,
    items: {
      type: 'string',
      pattern: '^[!#-)+-\\[\\]-~]+(?::\\*)?$',
      maxLength: 128,
      not: { enum: ['__proto__', 'constructor', 'prototype'] },
    },
  },
  description:
    'What the key may do, within what the caller may grant. One that ends in `:*` covers all below it.',
  // Read here, as they are compared with what the caller may grant before anything else happens.
  read(value, at) {
    const found = scopesProblem(value);
    if (found === undefined) return value;
    throw new InvalidInputError(found.index === undefined ? at : `${at}/${found.index}`, found.problem);
  },
};

/** With a catalogue, all that a key may be given is listed, and each scope says what it is for. */
function scopesInput(catalogue: ScopeCatalogue | undefined): Input {
  return catalogue === undefined
    ? SCOPES
    : { ...SCOPES, schema: { type: 'array', maxItems: MAX_SCOPES, items: scopeSchema(catalogue) } };
}

function scopeSchema({ names, describe }: ScopeCatalogue): OpenApiPart {
  const each = names.map((name) => ({ const: name, description: describe(name) }));
  const colons = names.flatMap((name) =>
    [...name.matchAll(/:(?=.)/g)].map(({ index }) => name.slice(0, index)),
  );
  const stems = [...new Set(colons)].filter((stem) => stem !== '').map((stem) => `${stem}:*`);
  const above = { enum: stems, description: 'All below it.' };
  return { oneOf: stems.length === 0 ? each : [...each, above] };
}

const METADATA: Input = {
  schema: { type: 'object', additionalProperties: true },
  description: 'At most 10,000 bytes.',
  read: asGiven,
};

const TIME: Input = {
  schema: { type: 'string', format: 'date-time' },
  read(value, at) {
    const time = typeof value === 'string' ? readDateTime(value) : undefined;
    if (time !== undefined) return time;
    throw new InvalidInputError(at, 'must be a time such as "2026-03-01T10:00:00Z" (RFC 3339)');
  },
};

const CLEARABLE_TIME: Input = {
  schema: { type: ['string', 'null'], format: 'date-time' },
  description: '`null` clears it.',
  read: (value, at) => (value === null ? null : TIME.read(value, at)),
};

/**
 * @param kinds - what can be made
 * @param catalogue - what a key may be given
 */
export function createInputs(kinds: readonly string[], catalogue?: ScopeCatalogue): Inputs {
  return {
    name: { ...NAME, isRequired: true },
    scopes: scopesInput(catalogue),
    environment: {
      schema: { enum: ['live', 'test'] },
      description: 'That of the service, unless it is given.',
      read: asGiven,
    },
    expiresAt: { ...TIME, description: 'In the future, and after `notBefore`.' },
    notBefore: TIME,
    metadata: METADATA,
    kind: {
      schema: { enum: [...kinds] },
      description: '`opaque`, unless it is given.',
      read(value, at) {
        if (kinds.includes(value as string)) return value;
        throw new InvalidInputError(at, `must be ${kinds.map((kind) => `"${kind}"`).join(' or ')}`);
      },
    },
  };
}

export function updateInputs(catalogue?: ScopeCatalogue): Inputs {
  return {
    name: NAME,
    scopes: scopesInput(catalogue),
    metadata: { ...METADATA, description: 'Replaced whole. At most 10,000 bytes.' },
    expiresAt: CLEARABLE_TIME,
    notBefore: CLEARABLE_TIME,
  };
}

export const ROTATE_INPUTS: Inputs = {
  gracePeriodMs: {
    schema: { type: 'integer', minimum: 0, maximum: 2_592_000_000 },
    description: 'How long the old key still works: 24 hours, unless it is given.',
    read: asGiven,
  },
};

export const REVOKE_INPUTS: Inputs = {
  reason: { schema: { type: 'string', minLength: 1, maxLength: 500 }, read: asGiven },
};

export const NO_INPUTS: Inputs = {};

const LONGEST_MS = 1e13;
const ID_SCHEMA: OpenApiPart = { type: 'string', pattern: '^[\\x21-\\x7E]{1,255}$' };

const TEXT_PARAMETER: Input = { schema: ID_SCHEMA, read: asGiven };

const BOOLEAN_PARAMETER: Input = {
  schema: { type: 'boolean' },
  read(value, at) {
    if (value === 'true' || value === 'false') return value === 'true';
    throw new InvalidInputError(at, 'must be true or false');
  },
};

function wholeNumberParameter(minimum: number, maximum: number, description: string): Input {
  return {
    schema: { type: 'integer', minimum, maximum },
    description,
    read(value, at) {
      if (/^\d{1,15}$/.test(String(value))) return Number(value);
      throw new InvalidInputError(at, `must be a whole number from ${minimum} to ${maximum}`);
    },
  };
}

export const LIST_INPUTS: Inputs = {
  organizationId: { ...TEXT_PARAMETER, description: "Any but the caller's own has no keys." },
  ownerId: TEXT_PARAMETER,
  ownerType: { schema: { enum: ['organization', 'user', 'service'] }, read: asGiven },
  enabled: BOOLEAN_PARAMETER,
  revoked: BOOLEAN_PARAMETER,
  expiringWithinMs: wholeNumberParameter(
    0,
    LONGEST_MS,
    'Only keys that end within this time, or have ended.',
  ),
  unusedForMs: wholeNumberParameter(
    0,
    LONGEST_MS,
    'Only keys that were not used for this long; one that never was counts from its creation.',
  ),
  order: {
    schema: { enum: ['newest', 'oldest'] },
    description: '`newest`, unless it is given.',
    read: asGiven,
  },
  limit: wholeNumberParameter(1, 500, '50, unless it is given.'),
  cursor: { ...TEXT_PARAMETER, description: 'The `nextCursor` of the page before.' },
};

/** The schema of a body with these members. */
export function bodySchema(inputs: Inputs): OpenApiPart {
  const entries = Object.entries(inputs);
  const properties = entries.map(([name, { schema, description }]) => [
    name,
    description === undefined ? schema : { ...schema, description },
  ]);
  return objectSchema(
    Object.fromEntries(properties),
    entries.filter(([, { isRequired }]) => isRequired).map(([name]) => name),
  );
}
