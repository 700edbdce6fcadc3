import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { closeWorkos, openManaged } from '../support/workos-bench.ts';

const ORGANIZATION_KEYS = '/organizations/org_1/api_keys';
const USER_KEYS = '/user_management/users/user_1/api_keys';

interface Row {
  readonly id: string;
  readonly name: string;
}

let bench: Awaited<ReturnType<typeof openManaged>>;
/** By their names: `Manager`, then `1` to `7`, from the oldest to the newest. */
const ids = new Map<string, string>();

beforeAll(async () => {
  bench = await openManaged();
  const { make, apiKeys } = bench;
  for (const name of ['1', '2', '3', '4', '5', '6', '7']) await make({ name });
  const { apiKeys: all } = await apiKeys.list({ order: 'oldest' });
  for (const { name, id } of all) ids.set(name, `api_key_${id}`);
  // None of these is one of the list.
  const gone = await make({ name: 'deleted' });
  await apiKeys.revoke(gone.apiKey.id);
  ids.set('deleted', gone.shown);
  const user = { type: 'user', id: 'user_1' } as const;
  await make({ name: 'of a user', owner: user });
  await make({ name: 'of the user elsewhere', owner: user, organization: { id: 'org_2' } });
  await make({ name: 'of another user', owner: { type: 'user', id: 'user_2' } });
  await make({ name: 'of another organization', organization: { id: 'org_2' } });
});

afterAll(closeWorkos);

const nameOf = (id: string | null) => [...ids].find(([, each]) => each === id)?.[0] ?? null;

/** The names of a page, and those of its cursors. */
async function list(query: string): Promise<{ names: string; before: string | null; after: string | null }> {
  const withIds = query.replace(/(?<=(?:after|before)=)\w+$/, (name) => ids.get(name) as string);
  const { status, body } = await bench.call(`GET ${ORGANIZATION_KEYS}${withIds}`);
  expect(status).toBe(200);
  const names = body.data.map(({ name }: Row) => (name === 'Manager' ? 'M' : name)).join('');
  const { before, after } = body.list_metadata;
  return { names, before: nameOf(before), after: nameOf(after) };
}

describe('the list of an organization', () => {
  test.each<{ query: string; names: string; before?: string; after?: string }>([
    { query: '', names: '7654321M' },
    { query: '?limit=100', names: '7654321M' },
    { query: '?order=desc', names: '7654321M' },
    { query: '?order=asc', names: 'M1234567' },
    { query: '?order=normal', names: '7654321M' },
    { query: '?limit=3', names: '765', after: '5' },
    { query: '?limit=8', names: '7654321M' },
    { query: '?limit=3&after=5', names: '432', before: '4', after: '2' },
    { query: '?limit=3&after=2', names: '1M', before: '1' },
    { query: '?limit=3&after=Manager', names: '' },
    { query: '?limit=3&before=1', names: '432', before: '4', after: '2' },
    { query: '?limit=3&before=5', names: '76', after: '6' },
    { query: '?limit=3&before=7', names: '' },
    { query: '?order=asc&limit=3', names: 'M12', after: '2' },
    { query: '?order=asc&limit=3&after=2', names: '345', before: '3', after: '5' },
    { query: '?order=asc&limit=3&after=5', names: '67', before: '6' },
    { query: '?order=asc&limit=3&before=6', names: '345', before: '3', after: '5' },
    { query: '?order=asc&limit=3&before=2', names: 'M1', after: '1' },
    { query: '?order=normal&limit=3', names: '765', before: '5' },
    { query: '?order=normal&limit=3&before=5', names: '432', before: '2', after: '4' },
    { query: '?order=normal&limit=3&after=1', names: '432', before: '2', after: '4' },
    { query: '?order=normal&limit=3&after=5', names: '76', before: '6' },
    // A cursor is a place, also where its key is gone.
    { query: '?limit=2&after=deleted', names: '76', before: '7', after: '6' },
    { query: '?limit=&order=&after=&before=', names: '7654321M' },
  ])('with $query is $names', async ({ query, names, before = null, after = null }) => {
    expect(await list(query)).toEqual({ names, before, after });
  });

  test('is ten keys long unless more are asked for', async () => {
    const { make, call } = await openManaged();
    for (let i = 0; i < 11; i += 1) await make();
    const { body } = await call(`GET ${ORGANIZATION_KEYS}`);

    expect(body.data).toHaveLength(10);
    expect(body.list_metadata).toEqual({ before: null, after: body.data[9].id });
  });

  test.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=1.5', 'limit'],
    ['limit=1e1', 'limit'],
    ['limit=ten', 'limit'],
    ['order=up', 'order'],
    ['order=constructor', 'order'],
    ['after=nonsense', 'after'],
    ['after=api_key_%00', 'after'],
    ['before=nonsense', 'before'],
    ['after=api_key_1&before=api_key_2', 'after'],
  ])('with %s is a 422 that names %s', async (query, field) => {
    const answer = await bench.call(`GET ${ORGANIZATION_KEYS}?${query}`);

    expect(answer).toMatchObject({ status: 422, body: { errors: [{ code: 'invalid', field }] } });
  });

  test('asks the store the same of a cursor that is nobody’s and of one of another organization', async () => {
    const { make, call, store } = await openManaged();
    const { shown: foreign } = await make({ organization: { id: 'org_2' } });
    const callsFor = async (cursor: string) => {
      const before = store.count('findById');
      await call(`GET ${ORGANIZATION_KEYS}?after=${cursor}`);
      return store.count('findById') - before;
    };

    expect([await callsFor('api_key_01890a5d-ac96-774b-bcce-b302099a8057'), await callsFor(foreign)]).toEqual(
      [2, 2],
    );
  });

  test('has no text of a key in it', async () => {
    const { body } = await bench.call(`GET ${ORGANIZATION_KEYS}`);

    for (const row of body.data) expect(row.value).toBeUndefined();
  });
});

describe('the list of a user', () => {
  const names = async (query: string, as?: string) => {
    const { body } = await bench.call(`GET ${USER_KEYS}${query}`, undefined, as);
    return body.data.map(({ name }: Row) => name);
  };

  test("has the keys of the user in the caller's organization", async () => {
    expect(await names('')).toEqual(['of a user']);
    expect(await names('?organization_id=org_1')).toEqual(['of a user']);
  });

  test('has those in all organizations for who may see all, and those in one when it is named', async () => {
    const operator = await bench.keyOf({ scopes: ['keys:manage', 'keys:any-organization'] });

    expect(await names('', operator)).toEqual(['of the user elsewhere', 'of a user']);
    expect(await names('?organization_id=org_2', operator)).toEqual(['of the user elsewhere']);
  });

  test('of another organization is not there', async () => {
    expect((await bench.call(`GET ${USER_KEYS}?organization_id=org_2`)).status).toBe(404);
  });

  test('of a user that nobody knows is empty', async () => {
    const { status, body } = await bench.call('GET /user_management/users/nobody/api_keys');

    expect(status).toBe(200);
    expect(body).toEqual({ object: 'list', data: [], list_metadata: { before: null, after: null } });
  });
});
