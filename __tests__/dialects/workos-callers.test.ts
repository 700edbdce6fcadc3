import { afterEach, expect, test } from '@jest/globals';
import { rejects } from '../support/fault-store.ts';
import { closeWorkos, openManaged } from '../support/workos-bench.ts';

afterEach(closeWorkos);

const ORGANIZATION_KEYS = '/organizations/org_1/api_keys';
const USER_KEYS = '/user_management/users/user_1/api_keys';
const FORBIDDEN = { message: 'Forbidden', code: 'forbidden' };
const NO_SUCH_KEY = { message: 'API Key not found.', code: 'entity_not_found' };
const NO_SUCH_ORGANIZATION = { message: 'Organization not found.', code: 'entity_not_found' };

const LINES = [
  'DELETE /api_keys/ID',
  'POST /api_keys/ID/expire',
  `GET ${ORGANIZATION_KEYS}`,
  `POST ${ORGANIZATION_KEYS}`,
  `GET ${USER_KEYS}`,
  `POST ${USER_KEYS}`,
];
const BODY = { name: 'x', organization_id: 'org_1' };
const bodyFor = (line: string) => (line.startsWith('POST') ? BODY : undefined);

test.each(LINES)('%s is refused without a key, with a bad one and without the scope', async (line) => {
  const { call, make, keyOf, isGood } = await openManaged();
  const { key, shown } = await make();
  const path = line.replace('ID', shown);
  const small = await keyOf({ scopes: ['keys:validate'] });

  expect(await call(path, bodyFor(line), 'sk_nobody')).toMatchObject({
    status: 401,
    body: { message: 'Unauthorized', code: 'unauthorized' },
  });
  expect(await call(path, bodyFor(line), small)).toMatchObject({ status: 403, body: FORBIDDEN });
  expect(await isGood(key)).toBe(true);
});

test.each(LINES)(
  '%s of another organization is not there, but for who has the scope for all',
  async (line) => {
    const { call, make, keyOf } = await openManaged();
    const { shown } = await make();
    const stranger = { organization: { id: 'org_2' }, scopes: ['keys:manage'] };
    const path = line.replace('ID', shown);
    const answer = await call(path, bodyFor(line), await keyOf(stranger));
    const operator = await keyOf({ ...stranger, scopes: ['keys:manage', 'keys:any-organization'] });

    if (line === `GET ${USER_KEYS}`) expect(answer.body.data).toEqual([]);
    else
      expect(answer).toMatchObject({
        status: 404,
        body: line.includes('ID') ? NO_SUCH_KEY : NO_SUCH_ORGANIZATION,
      });
    expect((await call(path, bodyFor(line), operator)).status).toBeLessThan(300);
  },
);

test('the key of a service is not of this interface', async () => {
  const { call, make } = await openManaged();
  const { shown } = await make({ owner: { type: 'service', id: 'billing' } });

  expect((await call(`DELETE /api_keys/${shown}`)).status).toBe(404);
  expect((await call(`GET ${ORGANIZATION_KEYS}`)).body.data).toHaveLength(1);
});

test.each(['nothing', 'api_key_', 'api_key_%00', 'api_key_%E0%A4%A', 'api_key_01EHZNVPK3SFK441A1RGBFSHRT'])(
  'no key has the id %s',
  async (id) => {
    const { call } = await openManaged();
    expect(await call(`DELETE /api_keys/${id}`)).toMatchObject({ status: 404, body: NO_SUCH_KEY });
  },
);

test.each(LINES)('%s is a 503 when the store fails', async (line) => {
  const { call, make, store } = await openManaged();
  const { shown } = await make();
  await call(`GET ${ORGANIZATION_KEYS}`);
  for (const method of ['findById', 'insert', 'update', 'list'] as const) {
    store.always(method, rejects(new Error('down')));
  }

  expect(await call(line.replace('ID', shown), bodyFor(line))).toMatchObject({
    status: 503,
    body: { message: 'Service Unavailable', code: 'service_unavailable' },
  });
});
