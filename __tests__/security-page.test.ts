import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { FAULTS } from '../scripts/faults.mjs';
import { root } from './support/built-package.ts';
import { anchors, readPage, relativeLinks } from './support/markdown.ts';

const page = readPage('docs/security.md');

/** Rows of the tables of attacks, which are those of three columns that end in a test. */
const rows = page.text
  .split(/^\|---\|---\|---\|$/m)
  .slice(2)
  .flatMap((table) => table.split('\n\n', 1)[0]?.trim().split('\n') ?? []);

function testsNamedIn(row: string): readonly { file: string; name: string }[] {
  const found = row.matchAll(/`([\w/-]+\.test\.ts)` "([^"]+)"/g);
  return Array.from(found, ([, file = '', name = '']) => ({ file, name }));
}

/** Whether a test, or a group of tests, has that name. */
function hasTest(file: string, name: string): boolean {
  const path = `${root}__tests__/${file}`;
  if (!existsSync(path)) return false;
  const source = readFileSync(path, 'utf8');
  // A name is the first argument of a call, or the name of a row in a table of rules.
  return ["'", '"', '`'].some((quote) =>
    new RegExp(`(?:\\(\\s*|\\brule: )${escaped(quote + name + quote)}`).test(source),
  );
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

describe('docs/security.md', () => {
  test('names a test for each attack', () => {
    expect(rows.length).toBeGreaterThan(70);
    expect(rows.filter((row) => testsNamedIn(row).length === 0)).toEqual([]);
  });

  test('names tests that are there', () => {
    const gone = rows.flatMap(testsNamedIn).filter(({ file, name }) => !hasTest(file, name));

    expect(gone).toEqual([]);
  });
});

test('the links of SECURITY.md lead to files and headings that are there', () => {
  const broken = relativeLinks(readPage('SECURITY.md')).filter((link) => {
    const [path = '', anchor] = link.split('#');
    return !existsSync(root + path) || (anchor !== undefined && !anchors(readPage(path)).includes(anchor));
  });

  expect(broken).toEqual([]);
});

// They are planted by `npm run test:faults`, which takes minutes; that they can be is seen here.
test.each(FAULTS)('can be planted, to see that a test catches it: $name', ({ file, from, tests }) => {
  const source = readFileSync(`${root}lib/${file}`, 'utf8');

  expect(source.split(from)).toHaveLength(2);
  expect(tests.filter((name) => !existsSync(`${root}__tests__/${name}.test.ts`))).toEqual([]);
});
