import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { root } from './built-package.ts';

const execute = promisify(execFile);

export interface PackedFile {
  /** From the folder of package.json. */
  readonly path: string;
  readonly mode: number;
  /** Seconds since 1970. */
  readonly modifiedAt: number;
  readonly content: Buffer;
}

export interface Tarball {
  /** Of the compressed file. */
  readonly bytes: Buffer;
  readonly uncompressed: Buffer;
  readonly files: readonly PackedFile[];
}

/** All that a build and a package are made of. */
const SOURCES = [
  ...['lib', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.cjs.json'],
  ...['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md', 'docs'],
];

/** Copies the sources to a new folder, builds the package there from nothing, and packs it as npm would publish it. */
export async function buildAndPack(folder: string): Promise<Tarball> {
  mkdirSync(folder);
  for (const name of SOURCES) cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  await execute(process.execPath, ['scripts/build.mjs'], { cwd: folder });
  const { stdout } = await execute('npm', ['pack', '--json'], { cwd: folder });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  const bytes = readFileSync(join(folder, filename));
  const uncompressed = gunzipSync(bytes);
  return { bytes, uncompressed, files: filesIn(uncompressed) };
}

const BLOCK = 512;

/** The files of a tar archive in the ustar form, in its order. */
function filesIn(tar: Buffer): readonly PackedFile[] {
  const files: PackedFile[] = [];
  let at = 0;
  while (tar[at] !== 0) {
    const text = (from: number, length: number): string =>
      tar.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '');
    const octal = (from: number, length: number): number => Number.parseInt(text(from, length), 8);
    const size = octal(124, 12);
    const path = join(text(345, 155), text(0, 100)).replace(/^package\//, '');
    const content = tar.subarray(at + BLOCK, at + BLOCK + size);
    files.push({ path, mode: octal(100, 8), modifiedAt: octal(136, 12), content });
    at += BLOCK * (1 + Math.ceil(size / BLOCK));
  }
  return files;
}
