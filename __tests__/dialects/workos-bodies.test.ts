import { afterEach, describe, expect, test } from '@jest/globals';
import { validateRouter, workos } from '../../lib/dialects.ts';
import { exchange } from '../support/exchange.ts';
import { expressVersions } from '../support/express-versions.ts';
import { closeWorkos, MANAGER_SCOPES, openManaged } from '../support/workos-bench.ts';

afterEach(closeWorkos);

const UNREADABLE = '{"message":"Problems parsing JSON","code":"invalid_request_body"}';
const JSON_LINE = 'Content-Type: application/json';

describe.each(expressVersions)('on $name', ({ express }) => {
  describe.each([
    { where: 'before any parser', before: [] },
    { where: 'after express.json()', before: [express.json()] },
    { where: 'after express.text()', before: [express.text({ type: 'application/json' })] },
  ])('mounted $where', ({ before }) => {
    async function openApp() {
      const bench = await openManaged(MANAGER_SCOPES);
      const app = express();
      for (const parser of before) app.use(parser);
      app.use(validateRouter(bench.apiKeys, workos()));
      const post = (path: string, body: string, lines = [JSON_LINE]) =>
        exchange(app, [`Authorization: Bearer ${bench.caller}`, ...lines], { line: `POST ${path}`, body });
      return { ...bench, post };
    }

    test('a key is created, validated and expired', async () => {
      const { post } = await openApp();
      const created = await post('/organizations/org_1/api_keys', '{"name":"CI","permissions":["posts:a"]}');
      expect(created.status).toBe(201);
      const { id, value } = JSON.parse(created.body);
      const validate = async () => {
        const { body } = await post('/api_keys/validations', JSON.stringify({ value }));
        return JSON.parse(body).api_key?.id;
      };

      expect(await validate()).toBe(id);
      expect((await post(`/api_keys/${id}/expire`, '{}')).status).toBe(200);
      expect(await validate()).toBeUndefined();
    });

    test.each([
      ['broken', '{"value":"SECRET-'],
      ['empty', ''],
      ['too large', JSON.stringify({ value: 'SECRET-'.repeat(20_000) })],
      ['too deep', `${'['.repeat(20)}"SECRET-"${']'.repeat(20)}`],
      ['of broken characters', '{"value":"SECRET-\\ud800"}'],
    ])('a body that is %s is the one 400, with nothing of it', async (_, body) => {
      const { post } = await openApp();
      const answer = await post('/api_keys/validations', body);

      expect({ status: answer.status, body: answer.body }).toEqual({ status: 400, body: UNREADABLE });
      expect(answer.values('Content-Type')).toEqual(['application/json']);
    });

    test('a body of another type is the same 400', async () => {
      const { post, keyOf } = await openApp();
      const body = JSON.stringify({ value: await keyOf() });

      expect((await post('/api_keys/validations', body)).body).not.toBe(UNREADABLE);
      expect((await post('/api_keys/validations', body, ['Content-Type: text/plain'])).body).toBe(UNREADABLE);
    });
  });
});
