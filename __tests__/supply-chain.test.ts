import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { root } from './support/built-package.ts';
import { buildAndPack, type Tarball } from './support/tarball.ts';

// The package is built twice here, and on a busy machine that takes a while.
jest.setTimeout(240_000);

interface PackageJson {
  readonly version: string;
  readonly license?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
interface LockedPackage {
  readonly version: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
}
interface Bom {
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } };
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly hashes: readonly [{ readonly alg: string; readonly content: string }];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const folder = mkdtempSync(join(realpathSync(tmpdir()), 'keystile-packed-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;
const packageJson = readJson<PackageJson>(`${root}package.json`);
const { packages: locked } = readJson<{ packages: Record<string, LockedPackage> }>(
  `${root}package-lock.json`,
);

/** All that `npm install keystile` brings along: our dependencies, and theirs. */
const RUNTIME = ['bcryptjs', 'cockatiel', 'jose', 'lru-cache'];
const ofRuntime = (name: string): PackageJson => readJson(`${root}node_modules/${name}/package.json`);

describe('the tarball', () => {
  let packed: Tarball;
  let again: Tarball;
  beforeAll(async () => {
    // In folders with names of two lengths, so that a path that is written down somewhere shows.
    [packed, again] = await Promise.all([
      buildAndPack(join(folder, 'one')),
      buildAndPack(join(folder, 'another')),
    ]);
  });

  test('is the same, byte for byte, of two builds from nothing', () => {
    const sha512 = (bytes: Buffer): string => createHash('sha512').update(bytes).digest('hex');

    expect(again.files.map(({ path }) => path)).toEqual(packed.files.map(({ path }) => path));
    expect(sha512(again.uncompressed)).toBe(sha512(packed.uncompressed));
    expect(sha512(again.bytes)).toBe(sha512(packed.bytes));
  });

  test('holds the build and eight files beside it, and nothing else', () => {
    const paths = packed.files.map(({ path }) => path);
    const others = paths.filter(
      (path) => !/^dist\/(?:esm|cjs)\/(?:[a-z0-9-]+\/)?[a-z0-9-]+\.(?:js|d\.ts)$/.test(path),
    );

    expect(paths.length).toBeGreaterThan(others.length + 500);
    expect(others.sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'dist/cjs/authentication/bcrypt-worker.cjs',
      'dist/cjs/package.json',
      'dist/esm/authentication/bcrypt-worker.cjs',
      'docs/errors.md',
      'docs/security.md',
      'docs/warnings.md',
      'package.json',
    ]);
  });

  test('may run one file, and names no folder, no source map and no moment of the machine that made it', () => {
    const telling = packed.files.filter(({ content }) =>
      [folder, root, 'sourceMappingURL'].some((text) => content.includes(text)),
    );

    expect(telling.map(({ path }) => path)).toEqual([]);
    expect(packed.files.filter(({ mode }) => mode !== 0o644).map(({ path }) => path)).toEqual([
      'dist/esm/cli/keystile.js',
    ]);
    // npm's own, of 1985.
    expect(new Set(packed.files.map(({ modifiedAt }) => modifiedAt))).toEqual(new Set([499162500]));
  });

  // A fifth above what it was when this was written: what is far larger brings along what it should not.
  test('has less than 413 kB, 2,282 kB when unpacked, of which the main door loads less than 303 kB', () => {
    const unpacked = packed.files.reduce((sum, { content }) => sum + content.length, 0);

    expect(packed.bytes.length).toBeLessThan(413_000);
    expect(unpacked).toBeLessThan(2_282_000);
    expect(mainDoor(packed).bytes).toBeLessThan(303_000);
  });

  test('needs two packages where only the main door is used', () => {
    expect(mainDoor(packed).packages).toEqual(['cockatiel', 'lru-cache']);
  });

  test('uses the modules of Node that reach outside where they are named here, and nowhere else', () => {
    const users = Object.fromEntries(REACHING_OUT.map((name) => [name, usersOf(packed, name)]));

    expect(users).toEqual({
      ...Object.fromEntries(REACHING_OUT.map((name) => [name, []])),
      fs: ['cli/'],
      module: ['cli/'],
      'readline/promises': ['cli/'],
      worker_threads: ['authentication/bcrypt-worker.cjs'],
    });
  });
});

const REACHING_OUT = [
  ...[
    'child_process',
    'cluster',
    'dgram',
    'dns',
    'fs',
    'fs/promises',
    'http2',
    'https',
    'inspector',
    'module',
  ],
  ...['readline/promises', 'repl', 'sea', 'tls', 'v8', 'vm', 'wasi', 'worker_threads'],
];

/** The files of the ES modules that load a module of Node; those of the command line as one. */
function usersOf({ files }: Tarball, name: string): readonly string[] {
  const load = new RegExp(`(?:\\bfrom|\\bimport|\\b\\w*[rR]equire\\()\\s*\\(?['"](?:node:)?${name}['"]`);
  const users = files
    .filter(({ path, content }) => /^dist\/esm\/.*\.c?js$/.test(path) && load.test(content.toString()))
    .map(({ path }) => path.replace('dist/esm/', '').replace(/^cli\/.*/, 'cli/'));
  return [...new Set(users)];
}

/** What `import 'keystile'` loads of our own, and the packages that it needs besides. */
function mainDoor({ files }: Tarball): { bytes: number; packages: readonly string[] } {
  const sources = new Map(files.map(({ path, content }) => [path, content]));
  const seen = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const imports = sources
      .get(path)
      ?.toString()
      .matchAll(/^(?:(?:import|export|\}).* from |import )'([^']+)';$/gm);
    for (const [, specifier = ''] of imports ?? []) {
      if (specifier.startsWith('.')) visit(posix.join(posix.dirname(path), specifier));
      else if (!specifier.startsWith('node:')) packages.add(specifier);
    }
  };
  visit('dist/esm/index.js');
  const bytes = [...seen].reduce((sum, path) => sum + (sources.get(path)?.length ?? Number.NaN), 0);
  return { bytes, packages: [...packages].sort() };
}

describe('the packages that come along', () => {
  test('are four, which need no others', () => {
    const needed = RUNTIME.flatMap((name) => {
      const { dependencies, optionalDependencies } = ofRuntime(name);
      return Object.keys({ ...dependencies, ...optionalDependencies });
    });

    expect(Object.keys(packageJson.dependencies ?? {})).toEqual(RUNTIME);
    expect(needed).toEqual([]);
  });

  test('run nothing when they are installed', () => {
    const installing = RUNTIME.filter((name) => {
      const { scripts = {} } = ofRuntime(name);
      const runs = ['preinstall', 'install', 'postinstall'].some((script) => script in scripts);
      // npm builds what has such a file, without being told to.
      return runs || existsSync(`${root}node_modules/${name}/binding.gyp`);
    });

    expect(installing).toEqual([]);
    expect(RUNTIME.filter((name) => locked[`node_modules/${name}`]?.hasInstallScript)).toEqual([]);
  });

  test.each(RUNTIME)('%s has a licence that asks for no more than its own text', (name) => {
    expect(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT']).toContain(
      ofRuntime(name).license,
    );
  });

  // npm leaves out the hashes of optional packages that were made for other machines.
  test('and those that are installed to work on this one are locked by their SHA-512', () => {
    const loose = Object.entries(locked).filter(
      ([path, { integrity = '', optional = false }]) =>
        path !== '' && !optional && !integrity.startsWith('sha512-'),
    );

    expect(loose.map(([path]) => path)).toEqual([]);
  });
});

test('the bill of materials names the package and what comes along, each by its hash, and nothing else', () => {
  const file = join(folder, 'sbom.cdx.json');
  execFileSync(process.execPath, ['scripts/sbom.mjs', file], { cwd: root });
  const { metadata, components, dependencies } = readJson<Bom>(file);
  const expected = RUNTIME.map((name) => {
    const { version = '', integrity = '' } = locked[`node_modules/${name}`] ?? {};
    const content = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex');
    return { name, version, hashes: [{ alg: 'SHA-512', content }] };
  });
  const refs = expected.map(({ name, version }) => `${name}@${version}`);

  expect(metadata.component).toMatchObject({ name: 'keystile', version: packageJson.version });
  expect(components.map(({ name, version, hashes }) => ({ name, version, hashes }))).toEqual(expected);
  expect(dependencies).toEqual([
    { ref: `keystile@${packageJson.version}`, dependsOn: refs },
    ...refs.map((ref) => ({ ref, dependsOn: [] })),
  ]);
});
