import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { MemoryKeyStore } from '../../lib/index.ts';
import { keyStoreCases } from '../../lib/testing/key-store-cases.ts';
import { ensureBuilt, root } from '../support/built-package.ts';
import { codeBlocks, readPage } from '../support/markdown.ts';
import { openRight } from './breakage.ts';

// A process is started for each, over the built package.
jest.setTimeout(60_000);

const [documented] = codeBlocks(readPage('docs/writing-a-store.md')).filter(
  ({ language }) => language === 'js',
);
const asModule = documented?.code ?? '';
const asCommonJs = asModule.replace(/^import (\{.+?\}) from ('.+?');$/gm, 'const $1 = require($2);');

/** Runs a program by `node --test`, and gives the numbers at the end of its report. */
function runTests(
  name: string,
  program: string,
): { readonly [line: string]: number } & { status: number | null } {
  const folder = `${root}.cache/runners`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/${name}`, program);
  const args = ['--test', '--test-reporter=tap', `${folder}/${name}`];
  const { stdout, status } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  const sums = Array.from(
    stdout.matchAll(/^# (tests|pass|fail|skipped) (\d+)$/gm),
    ([, line = '', count]) => [line, Number(count)],
  );
  return { ...Object.fromEntries(sums), status };
}

describe('under node --test, the program of docs/writing-a-store.md', () => {
  beforeAll(ensureBuilt);

  const all = keyStoreCases(openRight);
  const store = new MemoryKeyStore();
  const skipped = all.filter(({ needs }) => needs !== undefined && !(needs in store)).length;

  test.each([
    ['an ES module', 'cases.test.mjs', asModule],
    ['CommonJS', 'cases.test.cjs', asCommonJs],
  ])('runs every case as %s, and skips what the store cannot do', (_, name, program) => {
    const expected = { pass: all.length - skipped, fail: 0, skipped, status: 0 };
    expect(runTests(name, program)).toMatchObject(expected);
  });

  test('fails where the store is wrong', () => {
    const wrong = 'store: Object.assign(new MemoryKeyStore(), { delete: async () => true })';
    const report = runTests('wrong.test.mjs', asModule.replace('store: new MemoryKeyStore()', wrong));
    expect(report).toMatchObject({ status: 1 });
    expect(report['fail']).toBeGreaterThan(0);
  });
});
