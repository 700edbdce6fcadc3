// Installs the packed tarball in scratch projects, as users would: with either Express and its types, with an old
// and a new TypeScript, as ES module and as CommonJS. Each compiles __tests__/consumer/app.ts strictly and runs it.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { finish, root, run, runBeside, secondsSince, sum } from './counts.mjs';
import { availableNodes } from './node-versions.mjs';

const expressMajors = ['4', '5'];
const typescripts = ['5.9', '7.0'];
const moduleKinds = [
  { name: 'ESM', type: 'module' },
  { name: 'CJS', type: 'commonjs' },
];

/** What the program prints when all is well. */
const expected = {
  withKey: 200,
  body: { organization: 'org_1' },
  withoutKey: 401,
  withoutScope: 403,
  keyStartsAsShown: true,
  schemaNamesTable: true,
};

/** Library declarations are checked too: ours have to be right under the reader's settings, not under our own. */
const compilerOptions = {
  module: 'nodenext',
  target: 'es2023',
  lib: ['es2023'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmitOnError: true,
  outDir: 'out',
};

/** In one process, every name of the package has to be the same thing for `require` and for `import`. */
const identityProgram = `
const required = require('keystile');
import('keystile').then((imported) => {
  const names = Object.keys(imported).filter((name) => imported[name] !== required[name]);
  const error = new required.KeyNotFoundError('x');
  const same = error instanceof imported.ApiKeyError && required.ApiKeyError === imported.ApiKeyError;
  if (names.length > 0 || !same) throw new Error('not the same for require and import: ' + names.join(', '));
});
`;

const scratch = mkdtempSync(join(tmpdir(), 'keystile-consumers-'));
try {
  finish(sum(await checkAll()));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** The projects side by side: each waits for npm most of its time. */
async function checkAll() {
  const tarball = pack();
  if (tarball === undefined) return [{ passed: 0, failed: 1 }];
  const projects = expressMajors.flatMap((expressMajor) =>
    typescripts.map((typescript) => ({ tarball, expressMajor, typescript })),
  );
  const counts = await Promise.all([...projects.map(checkProject), checkIdentity(tarball)]);
  return counts.flat();
}

/** The tarball of a fresh build, so that an old dist/ cannot pass for the new one. */
function pack() {
  const build = run(process.execPath, ['scripts/build.mjs']);
  const packed = build.ok ? run('npm', ['pack', '--json', '--pack-destination', scratch]) : build;
  if (packed.ok) return join(scratch, JSON.parse(packed.stdout)[0].filename);
  report(false, 'pack', '', packed.output);
  return undefined;
}

async function checkProject({ tarball, expressMajor, typescript }) {
  const label = `Express ${expressMajor}, TypeScript ${typescript}`;
  const project = join(scratch, `express${expressMajor}-typescript${typescript}`);
  const start = performance.now();
  const installed = await install(project, [
    tarball,
    `express@${expressMajor}`,
    `@types/express@${expressMajor}`,
    `typescript@${typescript}`,
    '@types/node@20',
  ]);
  if (!installed.ok) return [report(false, label, 'install', installed.output)];
  console.log(`       ${label}: installed in ${secondsSince(start)}`);
  return Promise.all(moduleKinds.map((kind) => checkModuleKind(project, kind, label)));
}

function install(project, packages) {
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n');
  return runBeside('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages], project);
}

async function checkModuleKind(project, { name, type }, label) {
  const start = performance.now();
  const folder = join(project, type);
  mkdirSync(folder);
  cpSync(join(root, '__tests__', 'consumer', 'app.ts'), join(folder, 'app.ts'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['app.ts'] }));

  const row = `${name}, ${label}`;
  const compiled = await runBeside(
    join(project, 'node_modules', '.bin', 'tsc'),
    ['-p', 'tsconfig.json'],
    folder,
  );
  if (!compiled.ok) return report(false, row, 'does not compile', compiled.output);
  const ran = await runBeside(process.execPath, [join('out', 'app.js')], folder);
  const ok = ran.ok && isDeepStrictEqual(parse(ran.stdout), expected);
  return report(ok, row, secondsSince(start), ran.output);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function checkIdentity(tarball) {
  const project = join(scratch, 'identity');
  const installed = await install(project, [tarball]);
  if (!installed.ok) return [report(false, 'one copy for require and import', 'install', installed.output)];
  writeFileSync(join(project, 'identity.cjs'), identityProgram);
  return availableNodes().map((node) => {
    const { ok, output } = run(node.path, ['identity.cjs'], { cwd: project });
    return report(ok, `one copy for require and import, Node ${node.version}`, '', output);
  });
}

function report(ok, row, details, output) {
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${row}  ${details}`);
  if (!ok) console.log(output);
  return ok ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}
