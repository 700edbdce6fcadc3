import { afterEach, describe, expect, test } from '@jest/globals';
import { validateRouter } from '../../lib/dialects.ts';
import type { ApiKeys } from '../../lib/index.ts';
import { exchange, type WireAnswer } from '../support/exchange.ts';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { type FaultStore, rejects } from '../support/fault-store.ts';
import { openMatrixKeys, presented } from '../support/matrix-keys.ts';
import { endorTable, introspectionTable } from '../support/matrix-other-key.ts';
import { gmiTable, plutoTable, timbrixTable } from '../support/matrix-own-key.ts';
import {
  type Ask,
  askFor,
  type DialectTable,
  type ExpectedAnswer,
  expectedFields,
  OUTCOMES,
  RETRY_AFTER,
} from '../support/matrix-table.ts';
import { workosTable } from '../support/matrix-workos.ts';
import { assertFits } from '../support/openapi.ts';

const TABLES: readonly DialectTable[] = [
  plutoTable,
  timbrixTable,
  gmiTable,
  endorTable,
  workosTable,
  introspectionTable,
];

const opened: ApiKeys[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((apiKeys) => apiKeys.close()));
});

/** One application that speaks all of them, each below a path of its own, over one store. */
function openApp(express: Express, baseOf: (table: DialectTable) => string) {
  const { apiKeys, store } = openMatrixKeys();
  opened.push(apiKeys);
  const app = express();
  for (const table of TABLES) app.use(baseOf(table), validateRouter(apiKeys, table.dialect));
  const send = (table: DialectTable, { lines, body }: Ask): Promise<WireAnswer> => {
    const line = `${table.method} ${baseOf(table).replace(/\/$/, '')}${table.path}`;
    return exchange(app, lines, { line, ...(body === undefined ? undefined : { body }) });
  };
  return { send, store };
}

function breakStore(store: FaultStore): void {
  store.always('findByDigest', rejects(new Error('down')));
  store.always('findById', rejects(new Error('down')));
}

function expectWhole(answer: WireAnswer, expected: ExpectedAnswer): void {
  const fields = answer.fields.map((field) => field.replace(/^Retry-After: [123]$/, RETRY_AFTER));
  expect({ status: answer.status, fields, body: answer.body }).toStrictEqual({
    status: expected.status,
    fields: expectedFields(expected),
    body: expected.body,
  });
}

describe.each(expressVersions)('on $name, in one app with all others,', ({ express }) => {
  describe.each(TABLES)('$name answers for a key that is', (table) => {
    test.each(OUTCOMES)('%s', async (outcome) => {
      const { send, store } = openApp(express, ({ base }) => base);
      // So that what is refused below is not refused for the way in which it was sent.
      expectWhole(await send(table, table.ask(presented.good)), table.answers.good);

      if (outcome === 'asked about while the store is down') breakStore(store);
      const answer = await send(table, askFor(table, outcome));

      expectWhole(answer, table.answers[outcome]);
      const { vendor, method, path } = table;
      const [type] = answer.values('Content-Type');
      if (vendor !== undefined)
        assertFits(vendor, method, path, answer.status, type, JSON.parse(answer.body));
    });
  });

  test('all answer below the same path too, as none has a path of another', async () => {
    const { send } = openApp(express, () => '/');

    for (const table of TABLES) {
      expectWhole(await send(table, table.ask(presented.good)), table.answers.good);
      expectWhole(await send(table, table.ask(presented.revoked)), table.answers.revoked);
    }
  });
});
