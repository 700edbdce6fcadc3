import { afterEach, expect, test } from '@jest/globals';
import { bcryptSecrets } from '../../lib/authentication/bcrypt-secrets.ts';
import { apiKeyAuth, foreignKeys } from '../../lib/index.ts';
import { exchange } from '../support/exchange.ts';
import { expressVersions } from '../support/express-versions.ts';
import { closeOpenedKeys, decisionsOf, openKeys } from '../support/open-keys.ts';

afterEach(closeOpenedKeys);

test.each(expressVersions)(
  'a text that is too long is not looked up on $name, whoever takes its shape',
  async ({ express }) => {
    const old = foreignKeys({ name: 'old', matches: /^x+$/, examples: ['x'], digests: () => [] });
    const { apiKeys, store, events } = await openKeys({ verifiers: [old] });
    const app = express();
    app.use(apiKeyAuth(apiKeys), (_req, res) => void res.send('let pass'));
    const statusOf = async (text: string) => (await exchange(app, [`X-API-Key: ${text}`])).status;

    expect(await statusOf('x'.repeat(512))).toBe(401);
    expect(store.lookups).toBe(1);
    expect(await statusOf('x'.repeat(513))).toBe(401);
    expect(await statusOf(`${'x'.repeat(513)},`)).toBe(400);
    expect(store.lookups).toBe(1);
    const refused = { type: 'decision', outcome: 'refused' };
    expect(decisionsOf(events)).toEqual([
      { ...refused, reason: 'unknown', cache: 'miss' },
      { ...refused, reason: 'malformed', cache: 'none' },
      { ...refused, reason: 'invalid_request', cache: 'none' },
    ]);
  },
);

test.each(expressVersions)('Basic is not read for secrets under bcrypt on $name', async ({ express }) => {
  const { apiKeys, store } = await openKeys({ verifiers: [bcryptSecrets({ ids: /^[0-9a-f-]+$/ })] });
  const app = express();
  app.use(apiKeyAuth(apiKeys), (_req, res) => void res.send('let pass'));
  const pair = Buffer.from('01890a5d-ac96-774b-bcce-b302099a8057:secret').toString('base64');
  const answer = await exchange(app, [`Authorization: Basic ${pair}`]);

  expect(JSON.parse(answer.body)).toMatchObject({ code: 'missing_credentials' });
  expect(store.lookups).toBe(0);
});
