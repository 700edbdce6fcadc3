import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { apiReference, type Door, readDoors, undocumented } from '../scripts/api-reference.mjs';
import { exportsOf, headOf } from '../scripts/declarations.mjs';
import { root } from './support/built-package.ts';
import { anchors, readPage } from './support/markdown.ts';

// The compiler is started here, and on a busy machine it takes seconds.
jest.setTimeout(60_000);

const page = readPage('docs/api.md');
let doors: readonly Door[] = [];

beforeAll(() => {
  doors = readDoors(`${root}.cache/api-reference-test`);
});

describe('docs/api.md', () => {
  test('is what scripts/api-reference.mjs writes: run it after a change of a public name or docstring', () => {
    expect(page.text).toBe(apiReference(doors));
  });

  test('has every name that the source of a door exports', () => {
    const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
      exports: Record<string, { import?: { types: string } }>;
    };
    const sources = Object.values(exports).flatMap(({ import: given }) =>
      given === undefined ? [] : [given.types.replace('./dist/esm/', 'lib/').replace('.d.ts', '.ts')],
    );
    const expected = sources.map((path) => exportedNames(readFileSync(root + path, 'utf8')));

    expect(sources.length).toBeGreaterThan(5);
    expect(doors.map(({ exported }) => exported.map(({ name }) => name))).toEqual(expected);
  });

  test('has a heading for each, which nothing else on the page is called', () => {
    const all = anchors(page);
    const names = doors.flatMap(({ name, exported }) => [name, ...exported.map((one) => one.name)]);

    expect(all).toHaveLength(names.length + 1);
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('docstrings in lib/', () => {
  test('say a sentence of every public name', () => {
    expect(undocumented(doors)).toEqual([]);
  });

  test('say a sentence of every method of what applications call and of what plug-ins implement', () => {
    const faces = ['ApiKeys', 'KeyLookup', 'KeyStore', 'KeyVerifier', 'Lookup', 'Dialect', 'ErrorFormat'];
    const found = doors.flatMap(({ exported }) => exported).filter(({ name }) => faces.includes(name));
    const silent = found.flatMap(({ name, members }) =>
      members
        .filter(({ text, doc }) => text.includes('(') && doc === undefined)
        .map((member) => `${name}.${member.name}`),
    );

    expect(found).toHaveLength(faces.length);
    expect(silent).toEqual([]);
  });

  test('are missed where there are none, or no sentence', () => {
    const declaration = { name: 'a', kind: 'type' as const, text: '', members: [], constants: [], file: '' };
    const docs = [undefined, '', 'Word.', '@default 3. or so', 'Says nothing of an end', 'It says so.'];
    const exported = docs.map((doc, index) => ({ ...declaration, name: `name${index}`, doc }));

    expect(undocumented([{ name: 'door', exported }])).toEqual([0, 1, 2, 3, 4].map((n) => `door: name${n}`));
  });
});

describe('declarations', () => {
  const folder = `${root}.cache/api-reference-fixture`;
  const inner = `import type { X } from './x.ts';
/** Not exported; it has a } of its own. */
declare const NAMES: readonly ['a', '}'];
/** An interface. */
export interface Shape<T extends { a: string; } = { a: string; }> extends Omit<X, 'b' | ';'> {
    /** A method; with { braces } and \`code\`. */
    run(options?: { readonly a?: string; /** Of b. */ b: number; }): Promise<void>;
    readonly name: (typeof NAMES)[number];
}
/** First. */
/** A class. */
export declare class Box {
    #private;
    private hidden;
    static of(text: string): Box;
    get size(): number;
    constructor();
}
export declare function make(): {
    a: string;
};
export {};
`;
  const door = `export { type Shape, Box as Chest } from './inner.ts';\nexport { make } from './inner.ts';\n`;

  beforeAll(() => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/inner.d.ts`, inner);
    writeFileSync(`${folder}/door.d.ts`, door);
  });

  test('are read with their docstrings, members and constants', () => {
    const [shape, chest, make] = exportsOf(`${folder}/door.d.ts`);

    expect([shape, chest, make].map((one) => [one?.name, one?.kind, one?.doc])).toEqual([
      ['Shape', 'interface', 'An interface.'],
      ['Chest', 'class', 'A class.'],
      ['make', 'function', undefined],
    ]);
    expect(headOf(shape?.text ?? '')).toBe(
      "interface Shape<T extends { a: string; } = { a: string; }> extends Omit<X, 'b' | ';'>",
    );
    expect(shape?.members.map(({ name, doc }) => [name, doc])).toEqual([
      ['run', 'A method; with { braces } and `code`.'],
      ['name', undefined],
    ]);
    expect(shape?.constants).toEqual(["const NAMES: readonly ['a', '}']"]);
    expect(chest?.members.map(({ name }) => name)).toEqual(['of', 'size', 'constructor']);
    expect(make?.text).toBe('function make(): {\n    a: string;\n}');
  });

  test.each([
    ["export * from './inner.ts';\n", 'cannot read "export * from'],
    ["export { Gone } from './inner.ts';\n", 'does not export Gone'],
    ['export declare enum Kind { A }\n', 'cannot read "export declare enum'],
  ])('that are of no known form are an error: %s', (text, message) => {
    writeFileSync(`${folder}/strange.d.ts`, text);

    expect(() => exportsOf(`${folder}/strange.d.ts`)).toThrow(message);
  });
});

/** By another way than the script: what stands after `export`, in the source. */
function exportedNames(source: string): readonly string[] {
  const lists = source.matchAll(
    /^export (?:type )?\{([^}]*)\}|^export (?:async )?(?:abstract )?(?:function|class|interface|type|const) (\w+)/gm,
  );
  return Array.from(lists).flatMap(([, list, own]) =>
    own === undefined
      ? (list ?? '')
          .split(',')
          .map((part) =>
            part
              .trim()
              .replace(/^type /, '')
              .replace(/^\w+ as /, ''),
          )
          .filter((name) => name !== '')
      : [own],
  );
}
