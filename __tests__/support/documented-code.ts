import { mkdirSync, writeFileSync } from 'node:fs';
import { root } from './built-package.ts';
import { codeBlocks, readPage } from './markdown.ts';

/** What the one block of a page that has this text in it exports, as whoever copies it has it. */
export async function loadDocumented<Exports>(path: string, text: string): Promise<Exports> {
  const found = codeBlocks(readPage(path)).filter(({ code }) => code.includes(text));
  const [block] = found;
  if (block === undefined || found.length > 1)
    throw new Error(`${found.length} blocks of ${path} have "${text}"`);
  const folder = `${root}.cache/documented-code`;
  mkdirSync(folder, { recursive: true });
  const name = `${path}-${text}`.replaceAll(/\W+/g, '-');
  const file = `${folder}/${name}-${process.pid}.ts`;
  writeFileSync(file, block.code);
  return (await import(file)) as Exports;
}
