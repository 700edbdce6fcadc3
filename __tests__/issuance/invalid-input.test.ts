import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type CreateInput, InvalidInputError, type UpdateInput } from '../../lib/index.ts';
import {
  closeManagedKeys,
  DAY_MS,
  INPUT,
  type ManagedKeys,
  managedStores,
  manageKeys,
  msLater,
  rejectionOf,
} from '../support/managed-keys.ts';

const ID_RULE = 'must be 1 to 255 visible ASCII characters';
const NAME_RULE = 'must be a text of 1 to 100 characters';
const SCOPE_RULE =
  'must be 1 to 128 visible ASCII characters without space, quote or backslash (RFC 6749 section 3.3)';
const STAR_RULE = 'may hold "*" only as its end, after a colon, as in "reports:*"';

type Row = readonly [members: object, field: string, problem: string];

/** What `create()` and `update()` both take. */
const ofBoth: readonly Row[] = [
  [{ name: '' }, '/name', NAME_RULE],
  [{ name: 'x'.repeat(101) }, '/name', NAME_RULE],
  [{ name: 7 }, '/name', NAME_RULE],
  [{ name: 'a\0b' }, '/name', 'must be well-formed Unicode without NUL'],
  [{ scopes: 'reports:read' }, '/scopes', 'must be an array of scopes'],
  [{ scopes: ['reports read'] }, '/scopes/0', SCOPE_RULE],
  [{ scopes: ['a', ''] }, '/scopes/1', SCOPE_RULE],
  [{ scopes: ['a', 'b', 'x'.repeat(129)] }, '/scopes/2', SCOPE_RULE],
  [{ scopes: ['a', null] }, '/scopes/1', SCOPE_RULE],
  [{ scopes: ['a', '*'] }, '/scopes/1', STAR_RULE],
  [{ scopes: ['a:*:b'] }, '/scopes/0', STAR_RULE],
  [{ scopes: ['constructor'] }, '/scopes/0', 'must not be "constructor"'],
  [{ scopes: Array.from({ length: 1_001 }, () => 'a') }, '/scopes', 'must be at most 1000 scopes'],
  [{ metadata: [] }, '/metadata', 'must be an object'],
  [{ metadata: 'x' }, '/metadata', 'must be an object'],
  [{ metadata: { at: new Date(0) } }, '/metadata/at', 'must be a JSON value'],
  [{ metadata: { a: [{ b: undefined }] } }, '/metadata/a/0/b', 'must be a JSON value'],
  [{ metadata: { a: Number.NaN } }, '/metadata/a', 'must be a JSON value'],
  [
    { metadata: JSON.parse('{"__proto__":{"admin":true}}') },
    '/metadata/__proto__',
    'must not be named "__proto__"',
  ],
  [{ metadata: { a: { toJSON: 1 } } }, '/metadata/a/toJSON', 'must not be named "toJSON"'],
  [{ metadata: { a: 'x'.repeat(9_993) } }, '/metadata', 'must be at most 10000 bytes as JSON, and is 10001'],
  [
    { metadata: JSON.parse(`${'{"a":'.repeat(17)}1${'}'.repeat(17)}`) },
    `/metadata${'/a'.repeat(16)}`,
    'must be at most 16 levels deep',
  ],
  [{ expiresAt: 1767225600000 }, '/expiresAt', 'must be a valid Date, but got 1767225600000'],
  [{ expiresAt: '2030-01-01' }, '/expiresAt', 'must be a valid Date, but got "2030-01-01"'],
  [{ notBefore: new Date(Number.NaN) }, '/notBefore', 'must be a valid Date, but got an object'],
  [{ expiresAt: msLater(0) }, '/expiresAt', 'must be in the future'],
  [{ expiresAt: msLater(-1) }, '/expiresAt', 'must be in the future'],
  [{ expiresAt: msLater(DAY_MS), notBefore: msLater(DAY_MS) }, '/expiresAt', 'must be after notBefore'],
  [{ nmae: 'x' }, '/nmae', 'is not known; did you mean "name"?'],
  [{ expires: msLater(DAY_MS) }, '/expires', 'is not known; did you mean "expiresAt"?'],
];

const ofCreate: readonly Row[] = [
  [{ name: undefined }, '/name', NAME_RULE],
  [{ organization: undefined }, '/organization', 'must be an object, but got undefined'],
  [{ organization: 'org_1' }, '/organization', 'must be an object, but got "org_1"'],
  [{ organization: ['org_1'] }, '/organization', 'must be an object, but got an array of 1'],
  [{ organization: {} }, '/organization/id', ID_RULE],
  [{ organization: { id: 'org 1' } }, '/organization/id', ID_RULE],
  [{ organization: { id: ' org_1' } }, '/organization/id', ID_RULE],
  [{ organization: { id: 'x'.repeat(256) } }, '/organization/id', ID_RULE],
  [
    { organization: { id: 'org_1', slug: '' } },
    '/organization/slug',
    'must be a text of 1 to 255 characters',
  ],
  [
    { organization: { id: 'org_1', slugg: 'x' } },
    '/organization/slugg',
    'is not known; did you mean "slug"?',
  ],
  [{ owner: 'user_7' }, '/owner', 'must be an object, but got "user_7"'],
  [{ owner: { type: 'team', id: 'x' } }, '/owner/type', 'must be "organization" or "user" or "service"'],
  [{ owner: { type: 'user', id: '' } }, '/owner/id', ID_RULE],
  [{ owner: { type: 'user', id: 'x', name: 'Ann' } }, '/owner/name', 'is not known; known: type, id'],
  [{ environment: 'prod' }, '/environment', 'must be "live" or "test"'],
  [{ createdBy: '' }, '/createdBy', 'must be a text of 1 to 255 characters'],
  [{ kind: 'token' }, '/kind', 'must be "opaque" or "pair" or "jwt"'],
  [{ organisation: { id: 'org_1' } }, '/organisation', 'is not known; did you mean "organization"?'],
  [{ scope: ['a'] }, '/scope', 'is not known; did you mean "scopes"?'],
];

afterEach(closeManagedKeys);

describe.each(managedStores)('input that cannot be taken, over $name', ({ open }) => {
  let managed: ManagedKeys;

  beforeEach(async () => {
    managed = manageKeys(await open());
  });

  /** The call must refuse, name the member, and leave the store as it was. */
  async function expectRefused(call: () => Promise<unknown>, field: string, problem: string): Promise<void> {
    const before = await managed.records();
    const error = await rejectionOf(call);
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error).toMatchObject({ name: 'InvalidInputError', code: 'invalid_request', status: 400, field });
    expect(error.message).toBe(`${field === '' ? 'The input' : field} ${problem}`);
    expect(await managed.records()).toStrictEqual(before);
  }

  test('is refused by create() with a pointer to the member, and nothing is written', async () => {
    for (const [members, field, problem] of [...ofBoth, ...ofCreate]) {
      const input = { ...INPUT, ...members } as unknown as CreateInput;
      await expectRefused(() => managed.apiKeys.create(input), field, problem);
    }
    expect(await managed.records()).toEqual([]);
  });

  test('is refused by update() with a pointer to the member, and nothing is written', async () => {
    const { apiKey } = await managed.apiKeys.create(INPUT);
    for (const [members, field, problem] of ofBoth) {
      const changes = members as unknown as UpdateInput;
      await expectRefused(() => managed.apiKeys.update(apiKey.id, changes), field, problem);
    }
    expect(await managed.apiKeys.get(apiKey.id)).toStrictEqual(apiKey);
  });

  test.each([
    ['null', null, 'null'],
    ['nothing', undefined, 'undefined'],
    ['an array', [INPUT], 'an array of 1'],
    ['a number', 7, '7'],
    ['a function', () => INPUT, 'a function'],
  ])('is %s in place of an object', async (_, input, shown) => {
    const problem = `must be an object, but got ${shown}`;
    await expectRefused(() => managed.apiKeys.create(input as unknown as CreateInput), '', problem);
    const { apiKey } = await managed.apiKeys.create(INPUT);
    await expectRefused(
      () => managed.apiKeys.update(apiKey.id, input as unknown as UpdateInput),
      '',
      problem,
    );
  });

  test.each(['scopes', 'metadata', 'owner', 'environment', 'createdBy', 'kind', 'expiresAt', 'notBefore'])(
    'is a null %s of a new key, which has nothing to clear',
    async (name) => {
      const error = await rejectionOf(() => managed.apiKeys.create({ ...INPUT, [name]: null }));
      expect(error).toMatchObject({ name: 'InvalidInputError', field: `/${name}` });
      expect(await managed.records()).toEqual([]);
    },
  );

  test('is told of without the key that stands in it by mistake', async () => {
    const { key, apiKey } = await managed.apiKeys.create(INPUT);
    const random = key.slice('acme_live_'.length + 4, -4);
    const wrong = key as unknown;
    const calls: (() => Promise<unknown>)[] = [
      () => managed.apiKeys.create(wrong as CreateInput),
      () => managed.apiKeys.create({ ...INPUT, organization: wrong as { id: string } }),
      () => managed.apiKeys.create({ ...INPUT, expiresAt: wrong as Date }),
      () => managed.apiKeys.create({ ...INPUT, scopes: ['*', key] }),
      () => managed.apiKeys.create({ ...INPUT, environment: wrong as 'live' }),
      () => managed.apiKeys.update(apiKey.id, wrong as UpdateInput),
      () => managed.apiKeys.update(key, { name: 'x' }),
      () => managed.apiKeys.revoke(apiKey.id, wrong as object),
      () => managed.apiKeys.list(wrong as object),
    ];
    for (const call of calls) {
      const { message } = await rejectionOf(call);
      expect(message).not.toContain(random.slice(0, 8));
    }
  });
});
