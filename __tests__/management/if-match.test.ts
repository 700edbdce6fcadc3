import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { operationsFor } from '../../lib/management/operations.ts';
import { closeManagement, type ManagementBench, openManagement } from '../support/management-bench.ts';

let bench: ManagementBench;
let id: string;

beforeEach(async () => {
  bench = await openManagement();
  ({ id } = await bench.make());
  // Version 3, so that a version and a count cannot be confused.
  await bench.apiKeys.update(id, { name: 'Second' });
  await bench.apiKeys.update(id, { name: 'Third' });
});
afterEach(closeManagement);

const CHANGES = operationsFor(['opaque']).filter(({ isChange }) => isChange);

describe.each(CHANGES)('$method $path', ({ method, path, name, success }) => {
  const ask = (ifMatch: string) =>
    bench.ask(method, `/keys${path.replace(':id', id)}`, {
      headers: { 'if-match': ifMatch },
      ...(name === 'updateKey' ? { body: { name: 'Fourth' } } : undefined),
    });

  test.each(['"3"', '*', '"2", "3"', '"3" , W/"1"', '"something", "3"'])(
    'is done with If-Match: %s',
    async (ifMatch) => {
      expect((await ask(ifMatch)).status).toBe(success.status);
    },
  );

  test.each(['"2"', '"4"', 'W/"3"', '"03"', '"something"', '"2", "4"', '""'])(
    'is a conflict with If-Match: %s',
    async (ifMatch) => {
      const before = await bench.records();

      const { status, body } = await ask(ifMatch);

      expect([status, body.code]).toEqual([409, 'conflict']);
      expect(await bench.records()).toEqual(before);
    },
  );

  test.each(['3', '"3', '"2" "3"', '', '*, "3"', '"3",'])('is refused with If-Match: %s', async (ifMatch) => {
    const before = await bench.records();

    const { status, body } = await ask(ifMatch);

    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(await bench.records()).toEqual(before);
  });
});

test('of two that change one version, one wins', async () => {
  const change = (name: string) =>
    bench.ask('PATCH', `/keys/${id}`, { body: { name }, headers: { 'if-match': '"3"' } });

  const statuses = (await Promise.all([change('a'), change('b')])).map(({ status }) => status);

  expect(statuses.sort()).toEqual([200, 409]);
});

test('without If-Match, all that change a key at once have their way', async () => {
  const changes = Array.from({ length: 5 }, (_, n) => ({ body: { metadata: { n } } }));

  const answers = await Promise.all(changes.map((change) => bench.ask('PATCH', `/keys/${id}`, change)));

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect(answers.map(({ body }) => body.version).sort()).toEqual([4, 5, 6, 7, 8]);
});

test('without If-Match, a change is tried again where somebody comes in between', async () => {
  bench.store.next('findById', async (real) => {
    const record = await real();
    await bench.store.update(id, { metadata: { by: 'somebody' }, narrows: false }, 3);
    return record;
  });

  const { status, body } = await bench.ask('PATCH', `/keys/${id}`, { body: { name: 'Fourth' } });

  expect(status).toBe(200);
  expect(body).toMatchObject({ name: 'Fourth', metadata: { by: 'somebody' }, version: 5 });
});

test('a key that is in no state for it is a conflict without If-Match too, after few store calls', async () => {
  await bench.apiKeys.revoke(id);
  bench.events.length = 0;

  const { status, body } = await bench.ask('POST', `/keys/${id}/rotate`);

  expect([status, body.code]).toEqual([409, 'conflict']);
  expect(body.detail).toMatch(/revoked/i);
  expect(bench.events.length).toBeLessThan(5);
});
