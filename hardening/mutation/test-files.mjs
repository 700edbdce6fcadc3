// The files of tests that mutants are shown to.
import { readdirSync } from 'node:fs';

const FOLDERS = ['keys', 'authentication', 'middleware'];

/** Of other folders, those that are about what is mutated here. */
const BESIDE = ['issuance/known-scopes', 'warnings'];

/** Those that are not, and why. */
const LEFT_OUT = {
  'keys/timing-safe': 'puts a module of its own in the place of node:crypto before the library is loaded',
  'authentication/busy-process': 'starts processes of its own',
  'authentication/explain-agreement': 'tries hundreds of examples for each mutant',
  'authentication/outdated-entries': 'fills a cache with a hundred thousand keys for each mutant',
  'middleware/route-audit-truth': 'tries hundreds of applications for each mutant',
  'middleware/route-audit-formats': 'wants the built package',
  'middleware/route-audit-packages': 'loads whole applications of others',
};

/** Such as `keys/scopes`, in the folder of tests. */
export function testFiles(folder) {
  const files = [...FOLDERS.flatMap((name) => testsIn(folder, name)), ...BESIDE];
  return files.filter((file) => !Object.hasOwn(LEFT_OUT, file));
}

function testsIn(folder, name) {
  const files = readdirSync(new URL(name, folder)).filter((file) => file.endsWith('.test.ts'));
  return files.map((file) => `${name}/${file.replace('.test.ts', '')}`);
}
