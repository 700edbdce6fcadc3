// How Node finds what the tests import, and reads TypeScript: what jest.config.mjs says to Jest.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';
import jestConfig from '../../jest.config.mjs';

const ROOT = new URL('../../', import.meta.url);
const OWN_NAMES = Object.entries(jestConfig.moduleNameMapper).map(([pattern, file]) => ({
  pattern: new RegExp(pattern),
  url: file.replace('<rootDir>/', ROOT.href),
}));
const [, { jsc }] = jestConfig.transform['^.+\\.ts$'];

export function resolve(specifier, context, next) {
  if (specifier === '@jest/globals') return next(new URL('jest-globals.mjs', import.meta.url).href, context);
  const own = OWN_NAMES.find(({ pattern }) => pattern.test(specifier));
  return next(own?.url ?? specifier, context);
}

export async function load(url, context, next) {
  if (!url.startsWith(ROOT.href) || !url.endsWith('.ts')) return next(url, context);
  const path = fileURLToPath(url);
  const text = await readFile(path, 'utf8');
  const { code } = transformSync(text, {
    filename: path,
    jsc,
    module: { type: 'es6' },
    sourceMaps: 'inline',
  });
  return { format: 'module', source: code, shortCircuit: true };
}
