import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { posix } from 'node:path';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { bcryptSecrets } from '../lib/authentication/bcrypt-secrets.ts';
import { endor, gmi, introspection, timbrix, workos } from '../lib/dialects.ts';
import { problemOf } from '../lib/http/problem.ts';
import {
  apiKeyAuth,
  assertGuarded,
  createApiKeys,
  foreignKeys,
  keyPairs,
  MemoryKeyStore,
  secretScanningPattern,
} from '../lib/index.ts';
import { jwtKeys } from '../lib/jwt.ts';
import { managementRouter, openApiDocument } from '../lib/management/management-router.ts';
import { RedisKeyStore, redisBus } from '../lib/stores/redis-key-store.ts';
import { type SqlConnection, SqlKeyStore } from '../lib/stores/sql-key-store.ts';
import { actingAs } from '../lib/testing.ts';
import { ensureBuilt, root, runExample } from './support/built-package.ts';
import { readCurlLine, send } from './support/curl.ts';
import {
  anchors,
  codeBlocks,
  entriesOf,
  entryText,
  entryTexts,
  readPage,
  readPages,
  relativeLinks,
} from './support/markdown.ts';

// Programs are started here, and on a busy machine each of them takes seconds.
jest.setTimeout(60_000);

const pages = readPages();
const readme = readPage('README.md');
const options = readPage('docs/options.md');
const errors = readPage('docs/errors.md');

describe('docs/options.md', () => {
  const store = new MemoryKeyStore();
  const unknown = { nameOfNoOption: true } as object;
  const unknownTo = <Build extends (options: never) => unknown>(build: Build) => build(unknown as never);
  const lifetime = { issuer: 'https://keys.test', audience: 'https://api.test', maxLifetimeMs: 1_000 };
  const sections = [
    { section: 'createApiKeys', prefix: '', build: () => createApiKeys({ store, ...unknown }) },
    {
      section: 'createApiKeys: cache',
      prefix: 'cache.',
      build: () => createApiKeys({ store, cache: unknown }),
    },
    { section: 'apiKeyAuth', prefix: '', build: () => apiKeyAuth(createApiKeys({ store }), unknown) },
    { section: 'keyPairs', prefix: '', build: () => unknownTo(keyPairs) },
    { section: 'foreignKeys', prefix: '', build: () => unknownTo(foreignKeys) },
    { section: 'bcryptSecrets', prefix: '', build: () => unknownTo(bcryptSecrets) },
    { section: 'jwtKeys', prefix: '', build: () => unknownTo(jwtKeys) },
    {
      section: 'jwtKeys: remote keys',
      prefix: 'keys.',
      build: () => jwtKeys({ ...lifetime, keys: unknown as [] }),
    },
    { section: 'timbrix', prefix: '', build: () => unknownTo(timbrix) },
    { section: 'endor', prefix: '', build: () => unknownTo(endor) },
    { section: 'gmi', prefix: '', build: () => unknownTo(gmi) },
    { section: 'workos', prefix: '', build: () => unknownTo(workos) },
    { section: 'introspection', prefix: '', build: () => unknownTo(introspection) },
    {
      section: 'managementRouter',
      prefix: '',
      build: () => unknownTo((given: never) => managementRouter(createApiKeys({ store }), given)),
    },
    { section: 'openApiDocument', prefix: '', build: () => unknownTo(openApiDocument) },
    { section: 'SqlKeyStore', prefix: '', build: () => new SqlKeyStore({} as SqlConnection, unknown) },
    {
      section: 'SqlKeyStore: watch',
      prefix: 'watch.',
      build: () => new SqlKeyStore({} as SqlConnection, { watch: unknown }),
    },
    {
      section: 'RedisKeyStore',
      prefix: 'RedisKeyStore.',
      build: () => new RedisKeyStore({} as never, unknown),
    },
    { section: 'redisBus', prefix: 'redisBus.', build: () => redisBus({} as never, unknown) },
    {
      section: 'secretScanningPattern',
      prefix: 'secretScanningPattern.',
      build: () => secretScanningPattern(unknown),
    },
    {
      section: 'assertGuarded',
      prefix: '',
      build: () => unknownTo((given: never) => assertGuarded({} as never, given)),
    },
    { section: 'actingAs', prefix: 'actingAs.', build: () => unknownTo(actingAs) },
  ];

  test.each(sections)('has all options of $section, and no others', ({ section, prefix, build }) => {
    const known = knownOptions(build).map((name) => prefix + name);

    expect(known.length).toBeGreaterThan(0);
    expect(entriesOf(options, section)).toEqual(known);
  });

  test('begins each entry with a type and a default', () => {
    const wrong = sections
      .flatMap(({ section }) => entriesOf(options, section))
      .filter((name) => !/^`.+(?:default|optional|required)\b.*\./.test(entryText(options, name)));

    expect(wrong).toEqual([]);
  });

  test('gives the defaults that the types give', () => {
    const files = [
      'api-keys-options.ts',
      'keys/secret-scanning.ts',
      'management/management-options.ts',
      'management/openapi-document.ts',
      'middleware/api-key-auth-options.ts',
      'stores/sql-options.ts',
      'stores/redis-options.ts',
      ...['key-pairs', 'foreign-keys', 'bcrypt-secrets', 'jwt-options'].map(
        (name) => `authentication/${name}.ts`,
      ),
      ...['timbrix', 'workos', 'introspection'].map((name) => `dialects/${name}.ts`),
    ];
    const given = files.flatMap((file) => defaultsIn(readFileSync(`${root}lib/${file}`, 'utf8')));
    const wrong = given.filter(({ name, value }) => {
      const texts = ['', 'cache.', 'keys.', 'RedisKeyStore.', 'redisBus.', 'secretScanningPattern.'].flatMap(
        (prefix) => entryTexts(options, prefix + name),
      );
      return !texts.some((text) => text.includes(`default \`${value}\``));
    });

    expect(given.length).toBeGreaterThan(12);
    expect(wrong).toEqual([]);
  });
});

describe('docs/errors.md', () => {
  test('has every code, and no others', () => {
    const source = readFileSync(`${root}lib/errors.ts`, 'utf8');
    const [, union = ''] = source.match(/export type ErrorCode =([^;]+);/) ?? [];
    const codes = Array.from(union.matchAll(/'(\w+)'/g), ([, code]) => code);

    expect(codes.length).toBeGreaterThan(0);
    expect(entriesOf(errors, 'Codes')).toEqual(codes);
  });

  test('shows the one type of all errors', () => {
    const shown = codeBlocks(errors).filter(({ language }) => language === 'json');

    expect(shown.map(({ code }) => JSON.parse(code))).toEqual([problemOf('invalid_token')]);
  });

  test('gives the status of every code', () => {
    const source = readFileSync(`${root}lib/errors.ts`, 'utf8');
    const statuses = Array.from(source.matchAll(/^ {2}(\w+): (\d{3}),$/gm), ([, code = '', status]) => ({
      code,
      status,
    }));
    const wrong = statuses.filter(
      ({ code, status }) => !entryText(errors, code).startsWith(`**Status** ${status}.`),
    );

    expect(statuses).toHaveLength(entriesOf(errors, 'Codes').length);
    expect(wrong).toEqual([]);
  });

  test('says of every code when it comes, what the client sees, and what either side can do', () => {
    const parts = ['**When**', '**The client sees**', '**As the client**', '**As the developer**'];
    const missing = entriesOf(errors, 'Codes').flatMap((code) => {
      const text = entryText(errors, code).replaceAll('\n', ' ');
      return parts.filter((part) => !text.includes(part)).map((part) => `${code}: ${part}`);
    });

    expect(missing).toEqual([]);
  });
});

describe('README.md', () => {
  test('is short', () => {
    expect(readme.text.split('\n').length).toBeLessThan(200);
  });

  test('has the smallest app exactly as examples/smallest.mjs has it', () => {
    const [first] = codeBlocks(readme).filter(({ language }) => language === 'js');

    expect(first?.code).toBe(readFileSync(`${root}examples/smallest.mjs`, 'utf8'));
  });

  test('names the version of the package', () => {
    const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string };

    expect(readme.text).toMatch(new RegExp(`version ${version.replaceAll('.', '\\.')}\\b`));
    expect(readPage('CHANGELOG.md').text).toContain(`\n## [${version}] - `);
  });

  test('leads to every page of docs/', () => {
    const docs = pages.map(({ path }) => path).filter((path) => path.startsWith('docs/'));

    expect(docs.length).toBeGreaterThan(0);
    expect(docs.filter((path) => !relativeLinks(readme).includes(path))).toEqual([]);
  });
});

test('docs/credentials.md has the vendor fallback exactly as examples/vendor-fallback.mjs has it', () => {
  const blocks = codeBlocks(readPage('docs/credentials.md')).map(({ code }) => code);

  expect(blocks).toContain(readFileSync(`${root}examples/vendor-fallback.mjs`, 'utf8'));
});

describe('examples/smallest.mjs', () => {
  beforeAll(ensureBuilt);

  test('answers the request that it prints', async () => {
    const example = runExample('smallest.mjs', { PORT: String(await freePort()) });
    try {
      const answer = await send(readCurlLine(await example.said(/^curl .+\n/)));

      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({ organization: 'org_1' });
    } finally {
      await example.end('SIGKILL');
    }
  });
});

describe('names', () => {
  const methods = Object.keys(createApiKeys({ store: new MemoryKeyStore() }));

  test.each(pages)('of methods in $path are those that there are', ({ text }) => {
    const named = Array.from(text.matchAll(/\bapiKeys\.(\w+)\(/g), ([, name = '']) => name);

    expect(named.filter((name) => !methods.includes(name))).toEqual([]);
  });
});

describe('links', () => {
  test.each(pages)('of $path lead to files and headings that are there', (page) => {
    const broken = relativeLinks(page).filter((link) => {
      const [target = '', anchor] = link.split('#');
      const path = target === '' ? page.path : posix.join(posix.dirname(page.path), target);
      if (!existsSync(root + path)) return true;
      return anchor !== undefined && !anchors(readPage(path)).includes(anchor);
    });

    expect(broken).toEqual([]);
  });
});

/** The names that a builder lists when it is given one that it does not know. */
function knownOptions(build: () => unknown): readonly string[] {
  try {
    build();
  } catch (error) {
    const [, names = ''] = String(error).match(/\(known: (.+)\)/) ?? [];
    return names.split(', ');
  }
  throw new Error('an unknown option was taken');
}

/** Each option of the source that has `@default` with a plain value, and that value. */
function defaultsIn(source: string): readonly { name: string; value: string }[] {
  const found = source.matchAll(/@default ([^\s*:]+|\[.*?\])\s*(?:\*\/)\s*(?:readonly )?(\w+)\?:/g);
  return Array.from(found, ([, value = '', name = '']) => ({ name, value }));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
