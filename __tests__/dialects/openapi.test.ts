import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { assertFits, type Vendor } from '../support/openapi.ts';

const VENDORS: readonly Vendor[] = ['pluto', 'timbrix', 'endor', 'gmi', 'workos'];
const METHODS = ['get', 'post', 'delete'];
const JSON_TYPE = 'application/json';

/** How many answers each has for an example; requests are not counted. */
const EXAMPLES: Readonly<Record<Vendor, number>> = { pluto: 14, timbrix: 8, endor: 8, gmi: 11, workos: 32 };

interface Example {
  readonly vendor: Vendor;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly body: unknown;
}

interface Contract {
  readonly paths: Record<string, Record<string, { responses?: Record<string, Response> }>>;
  readonly components: { responses?: Record<string, Response> };
}

interface Response {
  readonly $ref?: string;
  readonly content?: Record<string, { examples?: Record<string, { value: unknown }> }>;
}

/** Every answer that the contracts give as an example. */
function examplesOf(vendor: Vendor): Example[] {
  const file = new URL(`../data/contracts/${vendor}.yaml`, import.meta.url);
  const { paths, components }: Contract = parse(readFileSync(file, 'utf8'));
  return Object.entries(paths).flatMap(([template, item]) => {
    const path = template.replace(/\{[^}]+\}/g, 'x');
    return METHODS.flatMap((method) =>
      Object.entries(item[method]?.responses ?? {}).flatMap(([status, { $ref, content }]) => {
        const named = components.responses?.[$ref?.split('/').at(-1) ?? ''];
        const examples = (named?.content ?? content)?.[JSON_TYPE]?.examples ?? {};
        return Object.values(examples).map(({ value }) => ({
          vendor,
          method,
          path,
          status: Number(status),
          body: value,
        }));
      }),
    );
  });
}

const WORKOS_KEY = {
  object: 'api_key',
  id: 'api_key_1',
  owner: { type: 'organization', id: 'org_1' },
  name: 'CI',
  obfuscated_value: 'sk_...3456',
  last_used_at: null,
  expires_at: null,
  permissions: [],
  created_at: '2026-01-15T12:00:00.000Z',
  updated_at: '2026-01-15T12:00:00.000Z',
};
const GMI_ID = '550e8400-e29b-41d4-a716-446655440000';

type Answer = Parameters<typeof assertFits>;

const GOOD: Readonly<Record<Vendor, Answer>> = {
  pluto: [
    'pluto',
    'GET',
    '/api/runs/auth/validate',
    200,
    JSON_TYPE,
    { valid: true, organization: { id: 'o', slug: 's' }, user: { id: 'u' } },
  ],
  timbrix: [
    'timbrix',
    'POST',
    '/api-keys/validate',
    200,
    `${JSON_TYPE}; charset=utf-8`,
    { valid: true, id: 'k' },
  ],
  endor: [
    'endor',
    'POST',
    '/v1/auth/api-key/validate',
    200,
    JSON_TYPE,
    { key: 'k', secret: '***', valid: true, issuing_user: { meta: { name: 'n' } } },
  ],
  gmi: [
    'gmi',
    'GET',
    '/me/api-keys/current',
    200,
    JSON_TYPE,
    { key: { id: GMI_ID, scope: 'ie_model', owner: { id: GMI_ID } }, organization: { id: GMI_ID } },
  ],
  workos: ['workos', 'POST', '/api_keys/validations', 200, JSON_TYPE, { api_key: WORKOS_KEY }],
};

/** The good answer of a vendor's, with something else in the place of one of its parts. */
function spoilt(
  vendor: Vendor,
  { status, contentType, body }: Partial<Record<'status' | 'contentType' | 'body', unknown>>,
): Answer {
  const [, method, path, goodStatus, goodType, goodBody] = GOOD[vendor];
  return [
    vendor,
    method,
    path,
    (status ?? goodStatus) as number,
    (contentType ?? goodType) as string,
    body === undefined ? goodBody : body,
  ];
}

describe('the contracts', () => {
  test.each(VENDORS)('of %s fit all of their own examples', (vendor) => {
    const examples = examplesOf(vendor);

    expect(examples.length).toBe(EXAMPLES[vendor]);
    for (const { method, path, status, body } of examples) {
      assertFits(vendor, method, path, status, JSON_TYPE, body);
    }
  });
});

describe.each(VENDORS)('an answer of %s', (vendor) => {
  test('fits when it is as the contract says', () => {
    expect(() => assertFits(...GOOD[vendor])).not.toThrow();
  });

  test('does not fit with a member that the contract has not', () => {
    const body = { ...(GOOD[vendor][5] as object), surprise: 1 };
    expect(() => assertFits(...spoilt(vendor, { body }))).toThrow(/unevaluated|additional/);
  });

  test('does not fit without a member that the contract demands', () => {
    expect(() => assertFits(...spoilt(vendor, { body: {} }))).toThrow(/required/);
  });

  // Endor's contract has a default answer, which is held against its schema.
  test('does not fit with a status that the contract has not', () => {
    expect(() => assertFits(...spoilt(vendor, { status: 418 }))).toThrow(
      vendor === 'endor' ? /required property 'code'/ : /unknown status/,
    );
  });

  test('does not fit under a content type that the contract has not', () => {
    expect(() => assertFits(...spoilt(vendor, { contentType: 'text/html' }))).toThrow(
      /content type text\/html/,
    );
  });

  test('does not fit at a path that the contract has not', () => {
    const [, method, path, ...rest] = GOOD[vendor];
    expect(() => assertFits(vendor, method, `${path}/x`, ...rest)).toThrow(/no such operation/);
  });
});

describe('strictness', () => {
  test.each<{ what: string; answer: Answer }>([
    {
      what: 'in an object inside the body',
      answer: spoilt('workos', {
        body: { api_key: { ...WORKOS_KEY, owner: { type: 'organization', id: 'o', x: 1 } } },
      }),
    },
    {
      what: 'in what several schemas describe together',
      answer: spoilt('workos', { body: { api_key: { ...WORKOS_KEY, x: 1 } } }),
    },
    {
      what: 'in the elements of a list',
      answer: [
        'workos',
        'GET',
        '/organizations/org_1/api_keys',
        200,
        JSON_TYPE,
        { object: 'list', data: [{ ...WORKOS_KEY, x: 1 }], list_metadata: { before: null, after: null } },
      ],
    },
    {
      what: 'in a user of endor',
      answer: spoilt('endor', {
        body: { key: 'k', secret: '***', valid: true, issuing_user: { meta: { name: 'n', x: 1 } } },
      }),
    },
  ])('an extra member is found $what', ({ answer }) => {
    expect(() => assertFits(...answer)).toThrow(/unevaluated|additional|oneOf/);
  });

  test('the text of a key does not fit where a key is only described', () => {
    expect(() =>
      assertFits(...spoilt('workos', { body: { api_key: { ...WORKOS_KEY, value: 'sk_1' } } })),
    ).toThrow();
  });

  test('an answer without content has no body', () => {
    expect(() =>
      assertFits('workos', 'DELETE', '/api_keys/api_key_1', 204, undefined, undefined),
    ).not.toThrow();
    expect(() => assertFits('workos', 'DELETE', '/api_keys/api_key_1', 204, undefined, {})).toThrow(/a body/);
  });

  test('an answer to HEAD has no body', () => {
    const [vendor, , path, status, type, body] = GOOD.pluto;
    expect(() => assertFits(vendor, 'HEAD', path, status, type, undefined)).not.toThrow();
    expect(() => assertFits(vendor, 'HEAD', path, status, type, body)).toThrow(/a body/);
  });

  test('a time must be one', () => {
    expect(() =>
      assertFits(...spoilt('workos', { body: { api_key: { ...WORKOS_KEY, created_at: 'yesterday' } } })),
    ).toThrow(/oneOf|format/);
  });

  test('a body must fit what the vendor publishes as well', () => {
    const body = {
      key: { id: 'no-uuid', scope: 'ie_model', owner: { id: GMI_ID } },
      organization: { id: GMI_ID },
    };
    expect(() => assertFits(...spoilt('gmi', { body }))).toThrow(/uuid/);
  });
});
