import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { foreignKeys } from '../../lib/index.ts';
import { START_MS } from '../support/open-keys.ts';
import { closeWorkos, openWorkos, type WorkosBench } from '../support/workos-bench.ts';

interface ObservedKey {
  readonly name: string;
  readonly value: string;
  readonly permissions?: readonly string[];
  readonly expires_at?: string;
  readonly user_id?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

interface ObservedCase {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  readonly response: Answer;
}

interface Observed {
  readonly seed: readonly ObservedKey[];
  readonly cases: readonly ObservedCase[];
}

const observed: Observed = JSON.parse(
  readFileSync(new URL('../data/contracts/workos-emulator.json', import.meta.url), 'utf8'),
);

interface Difference {
  readonly why: string;
  readonly status?: number;
  /** What we answer, from what the emulator does. */
  body?(theirs: unknown): unknown;
}

interface List {
  readonly data: readonly { readonly owner: { readonly type: string } }[];
}

const ofOrganization = ({ data }: List) => data.filter(({ owner }) => owner.type === 'organization');
const listed = observed.cases.find(({ name }) => name === 'list')?.response.body as List;

/** By the name of a case, all that is not as the emulator has it. */
const DIFFERENCES: Readonly<Record<string, Difference>> = {
  list: {
    why: 'The specification lists the keys that the organization owns; the emulator lists those of users too.',
    body: (theirs) => ({ ...(theirs as List), data: ofOrganization(theirs as List) }),
  },
  'list limit=2': {
    why: 'As for list, so that the page is another one.',
    body: (theirs) => ({
      ...(theirs as List),
      data: ofOrganization(listed).slice(0, 2),
      list_metadata: { before: null, after: 'api_key_Future' },
    }),
  },
  create: {
    why: 'The emulator cannot create.',
    status: 201,
    body: () => ({
      object: 'api_key',
      id: 'api_key_x',
      owner: { type: 'organization', id: 'ORG' },
      name: 'x',
      obfuscated_value: 'START...END',
      last_used_at: null,
      expires_at: null,
      permissions: [],
      created_at: 'TIME',
      updated_at: 'TIME',
      value: 'VALUE',
    }),
  },
  'delete again': {
    why: "The code is that of the vendor's other answers for what is not there; the emulator has one of its own.",
    body: () => ({ message: 'API Key not found.', code: 'entity_not_found' }),
  },
};

const SERVICE_SCOPES = ['keys:validate', 'keys:manage', 'keys:any-organization'];
const ORGANIZATION_ID = 'org_01M7W5JEB994JE31EYT9JTP7NX';
const VALUE = /^sk_(?:test_)?[a-z0-9_]+$/;

let bench: WorkosBench;
const ids = new Map<string, string>();

beforeAll(async () => {
  const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
  bench = await openWorkos({
    prefix: 'ours',
    verifiers: [
      foreignKeys({
        name: 'WorkOS',
        matches: VALUE,
        examples: ['sk_test_example'],
        digests: (text) => [digestOf(text)],
      }),
    ],
  });
  const report = await bench.apiKeys.import(
    observed.seed.map(({ name, value, permissions = [], expires_at, user_id }, index) => ({
      name,
      digest: digestOf(value),
      randomBits: 128,
      start: 'sk_',
      end: value.slice(-4),
      organization: { id: ORGANIZATION_ID },
      ...(user_id === undefined ? undefined : { owner: { type: 'user', id: user_id } as const }),
      ...(expires_at === undefined ? undefined : { expiresAt: new Date(expires_at) }),
      scopes: name === 'Service' ? SERVICE_SCOPES : permissions,
      createdAt: new Date(START_MS + index),
    })),
  );
  expect(report).toEqual({ imported: 5, unchanged: 0, rejected: [] });
  const { apiKeys } = await bench.apiKeys.list();
  for (const { name, id } of apiKeys) ids.set(name, `api_key_${id}`);
});

afterAll(closeWorkos);

/** With names in the place of what differs from run to run. */
function normalized(body: unknown): unknown {
  if (body === null || typeof body !== 'object') return body;
  if (Array.isArray(body)) return body.map(normalized);
  const members = Object.entries(body).map(([name, value]) => [name, normalized(value)]);
  const changed = Object.fromEntries(members);
  if (changed.object !== 'api_key') return changed;
  return {
    ...changed,
    id: `api_key_${changed.name}`.replace(' ', ''),
    // The service key has scopes here, which the emulator does without.
    permissions: changed.name === 'Service' ? [] : changed.permissions,
    created_at: 'TIME',
    updated_at: 'TIME',
    // It moves with the use here, and in production; not in the emulator.
    last_used_at: null,
    ...(changed.value === undefined
      ? undefined
      : { value: 'VALUE', obfuscated_value: 'START...END', owner: { type: 'organization', id: 'ORG' } }),
  };
}

/** What we answered, in the same names: a cursor is an id too. */
function readOurs(text: string): unknown {
  if (text === '') return undefined;
  const named = [...ids].reduce((rest, [name, id]) => rest.replaceAll(id, `api_key_${name}`), text);
  return normalized(JSON.parse(named));
}

test('all cases are there, and every difference belongs to one', () => {
  expect(observed.cases).toHaveLength(24);
  const names = observed.cases.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(Object.keys(DIFFERENCES)));
});

// In this order: they follow one another.
test.each(observed.cases)('$name is answered as by the emulator', async ({ name, request, response }) => {
  const path = request.path
    .replace('<org id>', ORGANIZATION_ID)
    .replace('<CI Key id>', ids.get('CI Key') as string);
  const { method, headers, body } = request;
  const answer = await fetch(`http://127.0.0.1:${bench.port}${path}`, {
    method,
    headers,
    ...(body === undefined ? undefined : { body }),
  });
  const text = await answer.text();
  const difference = DIFFERENCES[name];
  const theirs = response.body === null ? undefined : normalized(response.body);

  // Of the header fields this one alone: CORS, limits and the ids of requests are the application's own.
  expect({
    status: answer.status,
    type: answer.headers.get('content-type'),
    body: readOurs(text),
  }).toEqual({
    status: difference?.status ?? response.status,
    type: response.status === 204 ? null : response.headers['content-type'],
    body: difference?.body === undefined ? theirs : normalized(difference.body(theirs)),
  });
});
