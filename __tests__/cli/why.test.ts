import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CommandLine, type Ran } from '../support/command-line.ts';

let cli: CommandLine;

const run = (args: readonly string[], input = ''): Promise<Ran> =>
  cli.here(args, { env: { KEYSTILE_STORE: 'sqlite:keys.db', KEYSTILE_PREFIX: 'acme' }, input });

async function create(...flags: string[]): Promise<{ id: string; key: string }> {
  const { stdout } = await run(['create', '--name', 'CI', '--organization', 'org_1', '--json', ...flags]);
  const { key, apiKey } = JSON.parse(stdout);
  return { key, id: apiKey.id };
}

beforeAll(async () => {
  cli = new CommandLine();
  expect(await run(['migrate'])).toMatchObject({ code: 0 });
});

afterAll(() => cli.remove());

test('why prints every step of a good key, and says that it is accepted', async () => {
  const { key } = await create();
  const { code, stdout, stderr } = await run(['why'], `${key}\n`);

  expect([code, stderr]).toEqual([0, 'Accepted.\n']);
  expect(stdout).toMatch(/^STEP +OUTCOME +DETAIL$/m);
  expect(stdout).toMatch(/^checksum +pass +Its checksum is right\.$/m);
  expect(stdout).toMatch(/^store +pass +findByDigest\(\) found a record, of version 1, in [\d.]+ ms\.$/m);
  expect(stdout).not.toContain(key.slice(14, -4));
});

test('why says which check refuses a key, and with JSON no more of it than without', async () => {
  const { id, key } = await create();
  await run(['revoke', id, '--yes']);
  const plain = await run(['why'], key);
  const json = await run(['why', '--json'], key);

  expect([plain.code, plain.stderr]).toEqual([1, 'Not accepted (revoked).\n']);
  expect(plain.stdout).toMatch(/^revoked +fail +It was revoked at 2/m);
  expect(JSON.parse(json.stdout)).toMatchObject({ verdict: 'refused', reason: 'revoked', apiKey: { id } });
  expect(json.stdout).not.toContain(key.slice(14, -4));
});

test('why has no argument for the key', async () => {
  expect(await run(['why', 'mine'])).toMatchObject({ code: 2, stdout: '' });
});

test('why says what keeps the store from answering', async () => {
  const { key } = await create();
  const { code, stdout, stderr } = await run(['why', '--table', 'other'], key);

  expect(code).toBe(1);
  expect(stdout).toMatch(/^store +fail +No answer in [\d.]+ ms: findByDigest\(\) failed\.$/m);
  expect(stderr).toMatch(/^Not known: findByDigest\(\) failed\. .*no such table/);
});
