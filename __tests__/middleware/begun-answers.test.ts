import { afterEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { type ApiKeyAuthOptions, apiKeyAuth } from '../../lib/index.ts';
import { type Express, expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

/** Asks an application that has begun to answer when the authenticator is asked, and ends its answer later. */
async function askBegun(
  express: Express,
  text: (key: string) => string | undefined,
  { isCached = false, fields = {}, ...options }: ApiKeyAuthOptions & Begun,
) {
  const { apiKeys, key } = await openKeys();
  if (isCached) await apiKeys.verify(key);
  const reached: string[] = [];
  const app = express();
  app.use((_req, res, next) => {
    res.set(fields).write('begun, ');
    next();
    setImmediate(() => res.end('ended'));
  });
  app.use(apiKeyAuth(apiKeys, options), (req) => void reached.push(req.url));
  const sent = text(key);
  const answer = await request(app)
    .get('/')
    .set(sent === undefined ? {} : { 'X-API-Key': sent });
  return { text: answer.text, reached };
}

interface Begun {
  readonly isCached?: boolean;
  readonly fields?: Readonly<Record<string, string>>;
}

/** With these, there is no field left that could not be set. */
const fields = { Vary: '*', 'Cache-Control': 'private' };

describe.each(expressVersions)(
  'an answer that has begun before the authenticator, on $name,',
  ({ express }) => {
    test.each<[string, (key: string) => string | undefined, ApiKeyAuthOptions & Begun]>([
      ['a request without a key', () => undefined, {}],
      ['an anonymous request', () => undefined, { mode: 'optional', fields }],
      ['a text that is no key', () => 'nonsense', {}],
      ['a good key', (key) => key, { fields }],
      ['a good key that the cache holds', (key) => key, { isCached: true }],
    ])('is left alone for %s, which comes no further', async (_, text, options) => {
      expect(await askBegun(express, text, options)).toEqual({ text: 'begun, ended', reached: [] });
    });
  },
);
