import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ensureBuilt, root } from './support/built-package.ts';

// Programs are started here, and on a busy machine each of them takes seconds.
jest.setTimeout(60_000);

beforeAll(ensureBuilt);

const NONE = { main: [], worker: [] };

/** The package by its name, which finds the ES modules; and as tools find it that know no condition but `require`. */
const imports = (door: string): string => `await import('keystile${door}');`;
const requires = (file: string): string =>
  `import { createRequire } from 'node:module'; createRequire(import.meta.url)('./dist/cjs/${file}.js');`;

const COMPARE = `
  import { createApiKeys, MemoryKeyStore } from 'keystile';
  import { bcryptSecrets } from 'keystile/bcrypt';
  const verifiers = [bcryptSecrets({ ids: /^\\d+$/ })];
  await createApiKeys({ store: new MemoryKeyStore(), verifiers }).verifyPair('1', 'secret');`;

describe('of jose and bcryptjs', () => {
  test.each([
    { door: 'keystile', loads: 'neither', program: imports(''), expected: NONE },
    { door: 'keystile, by require', loads: 'neither', program: requires('index'), expected: NONE },
    { door: 'keystile/stores/redis', loads: 'neither', program: imports('/stores/redis'), expected: NONE },
    { door: 'keystile/stores/sql', loads: 'neither', program: imports('/stores/sql'), expected: NONE },
    { door: 'keystile/dialects', loads: 'neither', program: imports('/dialects'), expected: NONE },
    {
      door: 'keystile/dialects, by require',
      loads: 'neither',
      program: requires('dialects'),
      expected: NONE,
    },
    {
      door: 'keystile/jwt',
      loads: 'jose alone',
      program: imports('/jwt'),
      expected: { main: ['jose'], worker: [] },
    },
    {
      door: 'keystile/jwt, by require',
      loads: 'jose alone',
      program: requires('jwt'),
      expected: { main: ['jose'], worker: [] },
    },
    { door: 'keystile/bcrypt', loads: 'neither at first', program: imports('/bcrypt'), expected: NONE },
    {
      door: 'keystile/bcrypt, by require',
      loads: 'neither at first',
      program: requires('authentication/bcrypt-secrets'),
      expected: NONE,
    },
    {
      door: 'keystile/bcrypt, when it has compared a secret,',
      loads: 'bcryptjs alone, and in its own thread only',
      program: COMPARE,
      expected: { main: [], worker: ['bcryptjs'] },
    },
  ])('$door loads $loads', async ({ program, expected }) => {
    const loaded = await loadedBy(program);

    expect(loaded.files).toContainEqual(expect.stringMatching(/\/dist\/(?:esm|cjs)\//));
    expect({ main: packagesIn(loaded.main), worker: packagesIn(loaded.worker) }).toEqual(expected);
  });
});

interface Loaded {
  readonly main: readonly string[];
  readonly worker: readonly string[];
  readonly files: readonly string[];
}

/** The scripts that a program makes Node run, on its main thread and on others, as V8's coverage lists them. */
async function loadedBy(program: string): Promise<Loaded> {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-doors-'));
  try {
    const env = { ...process.env, NODE_V8_COVERAGE: folder };
    const flags = ['--input-type=module', '--eval', program];
    await promisify(execFile)(process.execPath, flags, { cwd: root, env });
    const main: string[] = [];
    const worker: string[] = [];
    for (const name of readdirSync(folder)) {
      // coverage-<process>-<time>-<thread>.json
      const list = name.endsWith('-0.json') ? main : worker;
      const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
        result: { url: string }[];
      };
      list.push(...result.map(({ url }) => url));
    }
    return { main, worker, files: [...main, ...worker] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Which of the two packages are among them. */
function packagesIn(urls: readonly string[]): readonly string[] {
  const packages = ['bcryptjs', 'jose'];
  return packages.filter((name) => urls.some((url) => url.includes(`/node_modules/${name}/`)));
}
