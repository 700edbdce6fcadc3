import { afterEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { apiKeyAuth, keyPairs } from '../../lib/index.ts';
import { problemOf, refusalFields } from '../support/answers.ts';
import { exchange } from '../support/exchange.ts';
import { expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, decisionsOf, KEY_INPUT, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

const TRIES = 20;

describe.each(expressVersions)('too many wrong secrets for one id on $name', ({ express }) => {
  test('are 429 rate_limited with Retry-After, no challenge and no look-up', async () => {
    const { apiKeys, store, events } = await openKeys({ verifiers: [keyPairs()] });
    const pair = await apiKeys.create({ ...KEY_INPUT, kind: 'pair' });
    const app = express();
    app.use(apiKeyAuth(apiKeys), (_req, res) => void res.send('let pass'));
    const secretOf = (number: number) => String(number).padStart(43, 'x');
    const statuses: number[] = [];
    for (let i = 0; i < TRIES; i += 1) {
      const answer = await request(app)
        .get('/')
        .set('X-API-Key', `${pair.key}.${secretOf(i)}`);
      statuses.push(answer.status);
    }
    expect(statuses).toStrictEqual(Array(TRIES).fill(401));

    const { lookups } = store;
    const answer = await exchange(app, [`X-API-Key: ${pair.key}.${secretOf(TRIES)}`]);
    const [retryAfter = ''] = answer.values('Retry-After');
    expect(answer.status).toBe(429);
    expect(retryAfter).toMatch(/^[1-9]\d*$/);
    expect(answer.body).toBe(problemOf('rate_limited'));
    expect(answer.fields).toStrictEqual(refusalFields(answer.body, [`Retry-After: ${retryAfter}`]));
    expect(store.lookups).toBe(lookups);
    expect(decisionsOf(events).at(-1)).toMatchObject({ outcome: 'refused', reason: 'rate_limited' });
  });
});
