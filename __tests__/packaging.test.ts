import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

interface PackageJson {
  readonly version: string;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, Target>>>>;
  readonly files: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}
interface Target {
  readonly types: string;
  readonly default: string;
}
interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const fileUrl = (name: string): URL => new URL(`../${name}`, import.meta.url);
const read = (name: string): string => readFileSync(fileUrl(name), 'utf8');
const packageJson = JSON.parse(read('package.json')) as PackageJson;
const doors = Object.entries(packageJson.exports).filter(([door]) => door !== './package.json');

test.each(doors)(
  '%s has its own types for each way in, and each names a file of lib/',
  (_door, conditions) => {
    const targets = Object.entries(conditions as Record<string, Target>);

    // In this order: a reader takes the first condition that it knows.
    expect(targets.map(([condition]) => condition)).toEqual(['import', 'module-sync', 'require']);
    for (const [condition, target] of targets) {
      const folder = condition === 'require' ? 'dist/cjs' : 'dist/esm';
      const name = target.default.match(/^\.\/dist\/(?:esm|cjs)\/(.+)\.js$/)?.[1];
      expect(target).toEqual({ types: `./${folder}/${name}.d.ts`, default: `./${folder}/${name}.js` });
      expect(existsSync(fileUrl(`lib/${name}.ts`))).toBe(true);
      expect(Object.keys(target)[0]).toBe('types');
    }
  },
);

test('only the build, the changelog, the security policy and the pages that they and messages name are published', () => {
  const pages = ['docs/errors.md', 'docs/security.md', 'docs/warnings.md'];
  expect(packageJson.files).toEqual(['dist', 'CHANGELOG.md', 'SECURITY.md', ...pages]);
});

test('nothing runs when the package is installed', () => {
  const names = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];
  expect(names.filter((name) => name in packageJson.scripts)).toEqual([]);
});

test('no package comes along unnoticed', () => {
  expect(Object.keys(packageJson.dependencies)).toEqual(['bcryptjs', 'cockatiel', 'jose', 'lru-cache']);
});

test('the lockfile names no registry', () => {
  expect(read('package-lock.json')).not.toContain('"resolved"');
});

// npm ci refuses a lockfile that lacks one, though it would not install it; npm writes such lockfiles now and then.
test('the lockfile has the optional packages of all platforms', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockedPackage> };
  const locked = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, '')));
  const optional = Object.values(packages).flatMap((each) => Object.keys(each.optionalDependencies ?? {}));

  expect(optional.filter((name) => !locked.has(name))).toEqual([]);
});

const testWithChangelog = existsSync(fileUrl('CHANGELOG.md')) ? test : test.skip;

testWithChangelog('the newest entry of the changelog is this version', () => {
  const headings = read('CHANGELOG.md').match(/^## .*$/gm) ?? [];
  const releases = headings.filter((heading) => heading !== '## [Unreleased]');

  expect(releases.filter((heading) => !/^## \[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}$/.test(heading))).toEqual(
    [],
  );
  expect(releases[0]).toMatch(`## [${packageJson.version}] - `);
});
