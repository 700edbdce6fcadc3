import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { violations } from './support/architecture.ts';

const lib = readLib();

test('lib/ keeps the rules', () => {
  expect(lib.size).toBeGreaterThan(0);
  expect(violations(lib)).toEqual([]);
});

/** What is reported when these files are added to lib/, and was not reported before. */
function reportedWith(planted: Readonly<Record<string, string>>): string[] {
  const before = new Set(violations(lib));
  const files = new Map([...lib, ...Object.entries(planted)]);
  return violations(files).filter((violation) => !before.has(violation));
}

const lines = (count: number): string => 'export const a = 1;\n'.repeat(count);

describe('each rule is seen to fail:', () => {
  test.each([
    {
      rule: 'imports go down only',
      planted: { 'keys/planted.ts': `import { a } from '../stores/key-store.ts';` },
      reported: ['keys/planted.ts: imports stores/key-store.ts, which is in no lower layer'],
    },
    {
      rule: 'imports of types go down only, too',
      planted: { 'http/planted.ts': `import type {\n  A,\n  B,\n} from '../middleware/b.ts';` },
      reported: ['http/planted.ts: imports middleware/b.ts, which is in no lower layer'],
    },
    {
      rule: 'a re-export is an import',
      planted: { 'keys/planted.ts': `export { a } from '../events.ts';` },
      reported: ['keys/planted.ts: imports events.ts, which is in no lower layer'],
    },
    {
      rule: 'import() is an import',
      planted: { 'keys/planted.ts': `export const a = await import('../api-keys.ts');` },
      reported: ['keys/planted.ts: imports api-keys.ts, which is in no lower layer'],
    },
    {
      rule: 'an import without names is an import',
      planted: { 'keys/planted.ts': `import '../index.ts';` },
      reported: ['keys/planted.ts: imports index.ts, which is in no lower layer'],
    },
    {
      rule: 'a single file keeps its layer',
      planted: { 'events.ts': `import { a } from './cli/b.ts';` },
      reported: ['events.ts: imports cli/b.ts, which is in no lower layer'],
    },
    {
      rule: 'authentication/ is not imported from its own layer',
      planted: { 'issuance/planted.ts': `import { a } from '../authentication/b.ts';` },
      reported: ['issuance/planted.ts: imports authentication/b.ts, which is in no lower layer'],
    },
    {
      rule: 'issuance/ is not imported from its own layer',
      planted: { 'http/planted.ts': `import { a } from '../issuance/b.ts';` },
      reported: ['http/planted.ts: imports issuance/b.ts, which is in no lower layer'],
    },
    {
      rule: 'middleware/, dialects/ and management/ do not import one another',
      planted: {
        'middleware/planted.ts': `import { a } from '../dialects/b.ts';`,
        'dialects/planted.ts': `import { a } from '../management/b.ts';`,
        'management/planted.ts': `import { a } from '../middleware/b.ts';`,
      },
      reported: [
        'middleware/planted.ts: imports dialects/b.ts, which is in no lower layer',
        'dialects/planted.ts: imports management/b.ts, which is in no lower layer',
        'management/planted.ts: imports middleware/b.ts, which is in no lower layer',
      ],
    },
    {
      rule: 'one vendor does not import another',
      planted: { 'dialects/pluto-planted.ts': `import { a } from './timbrix.ts';` },
      reported: ['dialects/pluto-planted.ts: imports dialects/timbrix.ts, the dialect of another vendor'],
    },
    {
      rule: 'only the contract of stores/ is known above',
      planted: { 'issuance/planted.ts': `import { a } from '../stores/memory-key-store.ts';` },
      reported: ['issuance/planted.ts: imports the concrete store stores/memory-key-store.ts'],
    },
    {
      rule: 'nothing is imported from outside lib/',
      planted: { 'keys/planted.ts': `import a from '../../package.json';` },
      reported: ['keys/planted.ts: imports ../package.json, which is outside lib/'],
    },
    {
      rule: 'no circles',
      planted: {
        'keys/planted-a.ts': `import type { B } from './planted-b.ts';`,
        'keys/planted-b.ts': `import { c } from './planted-c.ts';`,
        'keys/planted-c.ts': `import { a } from './planted-a.ts';`,
      },
      reported: [
        'circle of imports: keys/planted-a.ts -> keys/planted-b.ts -> keys/planted-c.ts -> keys/planted-a.ts',
      ],
    },
    {
      rule: 'a package enters through its doors',
      planted: {
        'authentication/planted-a.ts': `import { LRUCache } from 'lru-cache';`,
        'authentication/planted-b.ts': `import { circuitBreaker } from 'cockatiel';`,
        'authentication/planted-c.ts': `import { compare } from 'bcryptjs';`,
        'authentication/planted-d.ts': `import { jwtVerify } from 'jose/jwt/verify';`,
        'http/planted-e.ts': `import type { Request } from 'express';`,
      },
      reported: [
        'authentication/planted-a.ts: imports lru-cache beside its doors',
        'authentication/planted-b.ts: imports cockatiel beside its doors',
        'authentication/planted-c.ts: imports bcryptjs beside its doors',
        'authentication/planted-d.ts: imports jose beside its doors',
        'http/planted-e.ts: imports express beside its doors',
      ],
    },
    {
      rule: 'a package without a door stays outside',
      planted: { 'stores/planted.ts': `import { Kysely } from '@scope/kysely/sql';` },
      reported: ['stores/planted.ts: imports @scope/kysely, which has no door'],
    },
    {
      rule: 'of Express only types are taken',
      planted: { 'middleware/planted.ts': `import { Router } from 'express';` },
      reported: ['middleware/planted.ts: imports more than types from express'],
    },
    {
      rule: 'keys/ is pure',
      planted: { 'keys/planted.ts': `import { readFileSync } from 'node:fs';` },
      reported: ['keys/planted.ts: may not use node:fs'],
    },
    {
      rule: 'no folder for what has no name',
      planted: { 'utils/a.ts': '', 'keys/types/a.ts': '', 'core/a.ts': '', 'http/helpers/a.ts': '' },
      reported: [
        'utils/a.ts: no folder is called utils/',
        'keys/types/a.ts: no folder is called types/',
        'core/a.ts: no folder is called core/',
        'http/helpers/a.ts: no folder is called helpers/',
      ],
    },
    {
      rule: 'each area has a layer',
      planted: { 'planted/a.ts': '', 'planted.ts': '' },
      reported: ['planted/a.ts: planted is in no layer', 'planted.ts: planted.ts is in no layer'],
    },
    {
      rule: 'no default exports',
      planted: { 'keys/planted-a.ts': 'export default 1;', 'keys/planted-b.ts': 'export { a as default };' },
      reported: ['keys/planted-a.ts: has a default export', 'keys/planted-b.ts: has a default export'],
    },
    {
      rule: 'no barrels',
      planted: { 'keys/planted.ts': `export * from './api-key.ts';` },
      reported: ['keys/planted.ts: has export *'],
    },
    {
      rule: 'the environment is not read',
      planted: { 'http/planted.ts': `export const a = \`in \${process.env.HOME}\`;` },
      reported: ['http/planted.ts: has process.env'],
    },
    {
      rule: 'the real clock is not read',
      planted: {
        'keys/planted-a.ts': 'export const a = Date.now();',
        'keys/planted-b.ts': 'export const a = new Date();',
        'keys/planted-c.ts': 'export const a = Date.now;',
        'keys/planted-d.ts': 'export const a = new Date;',
      },
      reported: ['a', 'b', 'c', 'd'].map((name) => `keys/planted-${name}.ts: has the real clock`),
    },
    {
      rule: 'no text chooses code',
      planted: {
        'http/planted-a.ts': 'export const a = eval(b);',
        'http/planted-b.ts': 'export const a = new Function(b);',
        'http/planted-c.ts': 'export const a = await import(b);',
        'http/planted-d.ts': `export const a = await import(\`./\${b}.ts\`);`,
        'http/planted-e.ts': "export const a = await import('./a' + b);",
        'http/planted-f.ts': 'export const a = require(b);',
      },
      reported: ['a', 'b', 'c', 'd', 'e', 'f'].map(
        (name) => `http/planted-${name}.ts: has code that a text chooses`,
      ),
    },
    {
      rule: 'files stay short',
      planted: { 'keys/planted.ts': lines(301) },
      reported: ['keys/planted.ts: has 301 lines, more than 300'],
    },
  ])('$rule', ({ planted, reported }) => {
    expect(reportedWith(planted).sort()).toEqual([...reported].sort());
  });
});

describe('is let pass:', () => {
  test.each([
    { name: 'a lower layer', planted: { 'management/planted.ts': `import { a } from '../errors.ts';` } },
    { name: 'a file of the same folder', planted: { 'keys/planted.ts': `import { a } from './b.ts';` } },
    {
      name: 'a file beside the folders',
      planted: { 'stores/planted.ts': `import { a } from '../events.ts';` },
    },
    { name: 'the contract of stores/', planted: { 'http/planted.ts': `import '../stores/key-store.ts';` } },
    { name: 'a store, in stores/', planted: { 'stores/planted.ts': `import './sql-key-store.ts';` } },
    { name: 'a store, named by index.ts', planted: { 'index.ts': `export { A } from './stores/a.ts';` } },
    { name: "a vendor's own files", planted: { 'dialects/pluto-planted.ts': `import './pluto.ts';` } },
    { name: 'what dialects share', planted: { 'dialects/pluto-planted.ts': `import './router.ts';` } },
    {
      name: 'a package at its door',
      planted: { 'authentication/jwt-planted.ts': `import { a } from 'jose';` },
    },
    { name: 'types of Express', planted: { 'middleware/planted.ts': `import type { A } from 'express';` } },
    { name: 'hashes in keys/', planted: { 'keys/planted.ts': `import { crc32 } from 'node:zlib';` } },
    { name: 'files elsewhere', planted: { 'stores/planted.ts': `import { a } from 'node:fs';` } },
    {
      name: 'a date that is given',
      planted: { 'keys/planted.ts': 'const a = new Date(5), b = new Date( a );' },
    },
    { name: 'the environment in cli/', planted: { 'cli/planted.ts': 'const a = process.env.HOME;' } },
    { name: 'what is imported by its name', planted: { 'http/planted.ts': `const a = import('./b.ts');` } },
    {
      name: 'a method that imports',
      planted: { 'http/planted.ts': 'interface A { import(a: B): C }\nb.import(c);' },
    },
    {
      name: 'the drivers of a user, in cli/',
      planted: { 'cli/packages.ts': 'export const a = require(b);' },
    },
    { name: '300 lines', planted: { 'keys/planted.ts': lines(300) } },
    {
      name: 'words in comments and texts',
      planted: {
        'keys/planted.ts': [
          '// Date.now() and import("../index.ts")',
          '/** process.env, export default, import { a } from "../index.ts" */',
          "const a = 'Date.now() // '; const b = /['\"`]/;",
          `const c = \`https://\${a}\`;`,
          'export interface From { readonly from: string }',
        ].join('\n'),
      },
    },
  ])('$name', ({ planted }) => {
    expect(reportedWith(planted)).toEqual([]);
  });
});

function readLib(): Map<string, string> {
  const folder = fileURLToPath(new URL('../lib/', import.meta.url));
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts'));
  return new Map(paths.sort().map((path) => [path, readFileSync(`${folder}${path}`, 'utf8')]));
}
