import { afterEach, describe, expect, test } from '@jest/globals';
import { operationsFor } from '../../lib/management/operations.ts';
import { type AskOptions, closeManagement, openManagement } from '../support/management-bench.ts';

afterEach(closeManagement);

const UNKNOWN_ID = '01890a5d-ac96-774b-bcce-b302099a8057';

const OPERATIONS = operationsFor(['opaque', 'pair', 'jwt']);
const ON_ONE_KEY = OPERATIONS.filter(({ path }) => path.includes(':id'));
const ON_ALL = OPERATIONS.filter(({ path }) => !path.includes(':id'));

/** What makes an operation succeed on a key of the caller's own. */
const BODIES: Readonly<Record<string, object>> = {
  createKey: { name: 'Mine' },
  updateKey: { name: 'Renamed', metadata: { by: 'caller' } },
  rotateKey: { gracePeriodMs: 0 },
  revokeKey: { reason: 'because' },
};

test('the route table has operations on one key and on all, and no third kind', () => {
  expect(ON_ONE_KEY.map(({ name }) => name)).toEqual([
    'getKey',
    'updateKey',
    'rotateKey',
    'disableKey',
    'enableKey',
    'revokeKey',
    'deleteKey',
  ]);
  expect(ON_ALL.map(({ name }) => name)).toEqual(['createKey', 'listKeys']);
});

/** Who asks, and whose key it is about. */
const STRANGERS = [
  { caller: 'anna', whose: 'org_B', owned: { organization: { id: 'org_B' } } },
  { caller: 'bert', whose: 'org_A', owned: { organization: { id: 'org_A' } } },
  {
    caller: 'bert',
    whose: 'a user of org_A',
    owned: { organization: { id: 'org_A' }, owner: { type: 'user', id: 'user_uwe' } as const },
  },
  { caller: 'uwe', whose: 'org_A, whose user uwe is', owned: { organization: { id: 'org_A' } } },
  {
    caller: 'uwe',
    whose: 'another user of org_A',
    owned: { organization: { id: 'org_A' }, owner: { type: 'user', id: 'user_other' } as const },
  },
  {
    caller: 'uwe',
    whose: 'a service with the id of the user',
    owned: { organization: { id: 'org_A' }, owner: { type: 'service', id: 'user_uwe' } as const },
  },
  {
    caller: 'uwe',
    whose: 'a user with the same id in org_B',
    owned: { organization: { id: 'org_B' }, owner: { type: 'user', id: 'user_uwe' } as const },
  },
];

describe.each(STRANGERS)('$caller, on a key of $whose:', ({ caller, owned }) => {
  describe.each(ON_ONE_KEY)('$method $path', ({ method, path, name, isChange }) => {
    const versions = isChange ? [undefined, '*', '"1"', '"2"'] : [undefined];

    test.each(versions)('tells, reads and changes nothing, with If-Match %s', async (ifMatch) => {
      const bench = await openManagement();
      const { id } = await bench.make({ name: 'Not yours', ...owned });
      const before = await bench.records();
      bench.events.length = 0;
      const options: AskOptions = {
        as: caller,
        ...(BODIES[name] === undefined ? undefined : { body: BODIES[name] }),
        ...(ifMatch === undefined ? undefined : { headers: { 'if-match': ifMatch } }),
      };
      const ask = async (asked: string) => {
        const calls = bench.events.length;
        const answer = await bench.ask(method, `/keys${path.replace(':id', asked)}`, options);
        const stored = bench.events
          .slice(calls)
          .map(({ type, ...rest }) => [type, 'operation' in rest && rest.operation]);
        const headers = [...answer.headers].filter(([one]) => one !== 'date');
        return { status: answer.status, text: answer.text, headers, stored };
      };

      const foreign = await ask(id);
      const unknown = await ask(UNKNOWN_ID);

      expect(foreign.status).toBe(404);
      expect(foreign).toEqual(unknown);
      expect(foreign.stored).toEqual([['store', 'findById']]);
      expect(await bench.records()).toEqual(before);
    });
  });

  test('no list has it, whatever is asked for', async () => {
    const bench = await openManagement();
    const { id } = await bench.make({ name: 'Not yours', ...owned });
    const { type, id: ownerId } = owned.owner ?? { type: 'organization', id: owned.organization.id };
    const queries = [
      '',
      `?organizationId=${owned.organization.id}`,
      `?ownerId=${ownerId}`,
      `?ownerType=${type}&ownerId=${ownerId}`,
      `?organizationId=${owned.organization.id}&ownerType=${type}&ownerId=${ownerId}`,
      '?order=oldest&limit=500',
      '?revoked=false&enabled=true',
      `?cursor=${id}&order=oldest`,
      '?unusedForMs=0',
    ];

    for (const query of queries) {
      const { status, text } = await bench.ask('GET', `/keys${query}`, { as: caller });
      expect([query, status, text.includes(id)]).toEqual([query, 200, false]);
    }
  });

  test.each([
    { organization: owned.organization },
    { organizationId: owned.organization.id },
    { owner: { type: 'user', id: 'user_victim' } },
    { ownerId: 'user_victim' },
    { userId: 'user_victim' },
    { createdBy: 'somebody' },
  ])('no body moves a new key there: %j', async (member) => {
    const bench = await openManagement();

    const { status, body } = await bench.ask('POST', '/keys', { as: caller, body: { name: 'x', ...member } });

    expect([status, body.errors[0].pointer]).toEqual([400, `/${Object.keys(member)[0]}`]);
    expect(await bench.records()).toEqual([]);
  });
});

describe.each(ON_ONE_KEY)('on their own key, $method $path', ({ method, path, name, success }) => {
  test.each(['anna', 'uwe'])('works for %s', async (caller) => {
    const bench = await openManagement();
    const owner = { type: 'user', id: 'user_uwe' } as const;
    const { id } = await bench.make(caller === 'uwe' ? { owner } : {});

    const body = BODIES[name] === undefined ? {} : { body: BODIES[name] };
    const answer = await bench.ask(method, `/keys${path.replace(':id', id)}`, { as: caller, ...body });

    expect(answer.status).toBe(success.status);
  });
});

test('a store that lists the keys of others is a fault, and nothing of them is told', async () => {
  const bench = await openManagement();
  const { id } = await bench.make({ organization: { id: 'org_B' } });
  const { records } = await bench.store.list({ limit: 10, order: 'newest' });
  bench.store.always('list', () => Promise.resolve({ records }));

  const { status, text } = await bench.ask('GET', '/keys');

  expect([status, text.includes(id)]).toEqual([503, false]);
});

test('a key with an id that no key can have is not looked for', async () => {
  const bench = await openManagement();
  bench.events.length = 0;

  const { status } = await bench.ask('GET', `/keys/${UNKNOWN_ID}%20`);

  expect([status, bench.events]).toEqual([404, []]);
});
