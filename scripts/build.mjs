// Compiles lib/ twice, as ES modules and as CommonJS, into dist/.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync, writeFileSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
for (const project of ['tsconfig.json', 'tsconfig.cjs.json']) {
  execFileSync('node_modules/.bin/tsc', ['-p', project], { stdio: 'inherit' });
}
// The one file that is not compiled: see its head.
for (const format of ['esm', 'cjs']) {
  const worker = 'authentication/bcrypt-worker.cjs';
  cpSync(`lib/${worker}`, `dist/${format}/${worker}`);
}
// npm does so on its own when it installs; a checkout that is linked does not go through it.
chmodSync('dist/esm/cli/keystile.js', 0o755);
// Without this marker Node would read the CommonJS files as ES modules.
writeFileSync('dist/cjs/package.json', '{"type":"commonjs"}\n');
