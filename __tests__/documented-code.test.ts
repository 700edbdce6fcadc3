import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { root } from './support/built-package.ts';
import { runHere } from './support/command-line.ts';
import { type CodeBlock, codeBlocks, type Page, readPages } from './support/markdown.ts';

// The compiler is started here, and on a busy machine it takes seconds.
jest.setTimeout(60_000);

interface Found extends CodeBlock {
  readonly page: string;
  /** Its place among the blocks of its page, from 1. */
  readonly number: number;
}

/** Its blocks are written from what the compiler writes, and api-reference.test.ts compares the two. */
const GENERATED = 'docs/api.md';

const blocks: readonly Found[] = readPages().flatMap((page: Page) =>
  codeBlocks(page).map((block, index) => ({ ...block, page: page.path, number: index + 1 })),
);
const written = blocks.filter(({ page }) => page !== GENERATED);
const of = (...languages: readonly string[]): readonly Found[] =>
  written.filter(({ language }) => languages.includes(language));

/** What is done with the blocks of each language; those that are only shown are messages and settings of others. */
const compiled = of('js', 'ts');
const parsed = of('json');
const shell = of('sh');
const shown = of('', 'http', 'toml');

describe(`the ${blocks.length} blocks of code in README.md, CHANGELOG.md, SECURITY.md and docs/`, () => {
  test('are of languages for which there is a check, or that are known to be only shown', () => {
    const checked = [...compiled, ...parsed, ...shell, ...shown];
    const others = written.filter((block) => !checked.includes(block));

    expect(others.map(({ page, number, language }) => `${page}, block ${number}: ${language}`)).toEqual([]);
  });

  test('are all found: as many fences begin one as there are blocks', () => {
    const fences = readPages().flatMap(({ text }) => text.match(/^ *(?:```|~~~)/gm) ?? []);

    expect(fences).toHaveLength(blocks.length * 2);
  });

  test(`compile against lib/, where they are JavaScript or TypeScript: ${compiled.length}`, () => {
    const folder = `${root}.cache/docs-code`;
    writeCode(folder);
    const tsc = `${root}node_modules/.bin/tsc`;
    const { stdout } = spawnSync(tsc, ['-p', folder, '--listFiles'], { cwd: root, encoding: 'utf8' });
    const lines = stdout.split('\n');
    // What is wrong in lib/ itself is for the compilation of lib/ to say; the lines after a first one stand indented.
    const complaints = lines.filter((line) => /^(?!lib\/)\S.*: error /.test(line));
    const seen = lines.filter((line) => line.startsWith(`${folder}/`) && !line.endsWith('.d.ts'));

    expect(complaints).toEqual([]);
    expect(seen).toHaveLength(compiled.length);
  });

  test.each(parsed)(`are JSON where they say so (${parsed.length}): $page, block $number`, ({ code }) => {
    expect(typeof JSON.parse(code)).toBe('object');
  });

  test.each(shell)(
    `are read by a shell where they say so (${shell.length}): $page, block $number`,
    (block) => {
      const { status, stderr } = spawnSync('bash', ['-n'], { input: block.code, encoding: 'utf8' });

      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    },
  );

  test.each(commandsIn(shell))(
    'name commands and flags that there are: $line',
    async ({ command, flags }) => {
      const { code, stdout } = await runHere(command === undefined ? ['--help'] : [command, '--help']);

      expect(code).toBe(0);
      expect(flags.filter((flag) => !new RegExp(`${flag}(?![\\w-])`).test(stdout))).toEqual([]);
    },
  );
});

/** Each `npx keystile ...` of the blocks. */
function commandsIn(found: readonly Found[]) {
  const lines = found.flatMap(({ code }) => code.match(/npx keystile [^|<>)\n]*/g) ?? []);
  return [...new Set(lines)].map((line) => ({
    line,
    command: /^npx keystile ([a-z]+)/.exec(line)?.[1],
    flags: line.match(/--[a-z-]+/g) ?? [],
  }));
}

/** One file for each block, and a project that compiles them all. Those that have a name can import one another. */
function writeCode(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  const taken = new Set<string>();
  for (const { page, number, language, file, code } of compiled) {
    const own = `${folder}/${page.replaceAll(/[/.]/g, '-')}`;
    const named = file === undefined || taken.has(`${own}/${file}`) ? undefined : `${own}/${file}`;
    const path = named ?? `${own}/${number}.m${language}`;
    taken.add(path);
    mkdirSync(dirname(path), { recursive: true });
    // An `export` makes each block a module with names of its own.
    writeFileSync(path, `${code}\nexport {};\n`);
  }
  writeFileSync(`${folder}/node-sqlite.d.ts`, NODE_SQLITE);
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(PROJECT));
}

const PROJECT = {
  extends: '../../tsconfig.test.json',
  compilerOptions: {
    rootDir: '../..',
    allowJs: true,
    checkJs: true,
    // JavaScript says no types, and reads process.env.PORT as everybody does.
    noImplicitAny: false,
    noPropertyAccessFromIndexSignature: false,
    // An example makes things to show that they can be made.
    noUnusedLocals: false,
  },
  include: ['.'],
};

/** The part of it that the pages use: the module is newer than the types that we compile with. */
const NODE_SQLITE = `declare module 'node:sqlite' {
  export class DatabaseSync {
    constructor(path: string);
    prepare(text: string): { all(...values: unknown[]): unknown[]; run(...values: unknown[]): { changes: number | bigint } };
    exec(text: string): void;
    close(): void;
  }
}
`;
