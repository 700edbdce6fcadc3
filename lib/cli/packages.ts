import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { RefusedError } from './usage-error.ts';

/** A driver that was found where the user works. */
export interface Loaded {
  readonly name: string;
  readonly version: string | undefined;
  readonly exports: unknown;
}

/** The user's own packages: nothing that connects to a database comes with this one. */
export interface Packages {
  /** The first of them that is there; `undefined` where none is. */
  first(...names: readonly string[]): Loaded | undefined;
}

/** Folders between a file of a package and its package.json. */
const DEEPEST = 6;

export function packagesOf(cwd: string): Packages {
  const require = createRequire(join(cwd, 'package.json'));

  function load(name: string): Loaded | undefined {
    const version = versionOf(require, name);
    if (name === 'better-sqlite3' && !canLoadBetterSqlite(version)) return undefined;
    try {
      return { name, version, exports: withoutWarnings(() => require(name) as unknown) };
    } catch (error) {
      if (isMissing(error, name)) return undefined;
      throw new RefusedError(
        `The package ${name} is installed in ${cwd}, but fails to load: ${lineOf(error)}`,
      );
    }
  }

  return {
    first(...names) {
      for (const name of names) {
        const loaded = load(name);
        if (loaded !== undefined) return loaded;
      }
      return undefined;
    },
  };
}

/** By the package.json above the file that would be loaded: not every package lets it be asked for by name. */
function versionOf(require: NodeJS.Require, name: string): string | undefined {
  if (name.startsWith('node:')) return process.versions.node;
  try {
    const file = require.resolve(name);
    const folders = Array.from({ length: DEEPEST }, (_, up) => join(file, ...Array(up + 1).fill('..')));
    const found = folders.map((folder) => join(folder, 'package.json')).filter((path) => existsSync(path));
    return found
      .map((path) => JSON.parse(readFileSync(path, 'utf8')).version)
      .find((one) => one !== undefined);
  } catch {
    return undefined;
  }
}

/** From 13 on its binary is made for Node.js 22 and ends an older process without a word. */
function canLoadBetterSqlite(version: string | undefined): boolean {
  const major = Number(version?.split('.')[0] ?? 0);
  return major < 13 || Number(process.versions.node.split('.')[0]) >= 22;
}

/** What is missing must be the package itself, not something that it needs. */
function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === 'ERR_UNKNOWN_BUILTIN_MODULE') return true;
  return code === 'MODULE_NOT_FOUND' && String(message).startsWith(`Cannot find module '${name}'`);
}

function lineOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}

/** node:sqlite says on stderr that it is experimental, each time. */
function withoutWarnings<T>(load: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}
