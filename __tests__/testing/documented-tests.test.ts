import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, jest, test } from '@jest/globals';
import { ensureBuilt, root } from '../support/built-package.ts';
import { codeBlocks, readPage } from '../support/markdown.ts';

// Programs are started here, and on a busy machine each of them takes seconds.
jest.setTimeout(60_000);

const folder = `${root}.cache/documented-tests`;

beforeAll(async () => {
  await ensureBuilt();
  mkdirSync(folder, { recursive: true });
});

const blocks = codeBlocks(readPage('docs/testing.md')).map(({ language, code }, index) => {
  const names = Array.from(code.matchAll(/^test\('(.+)', /gm), ([, name = '']) => name);
  return { number: index + 1, language, code, names };
});

test('docs/testing.md has tests in every block', () => {
  expect(blocks.length).toBeGreaterThan(4);
  expect(blocks.filter(({ language, names }) => language !== 'js' || names.length === 0)).toEqual([]);
});

test.each(blocks)('block $number of docs/testing.md passes as it stands', ({ number, code, names }) => {
  const path = `${folder}/block-${number}-${process.pid}.mjs`;
  writeFileSync(path, code);
  const flags = ['--test-reporter=tap', path];
  const { status, stdout } = spawnSync(process.execPath, flags, { cwd: root, encoding: 'utf8' });
  const passed = Array.from(stdout.matchAll(/^ok \d+ - (.+)$/gm), ([, name]) => name);

  expect({ status, passed }).toEqual({ status: 0, passed: names });
});
