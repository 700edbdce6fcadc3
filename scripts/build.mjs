// Compiles lib/ twice, as ES modules and as CommonJS, into dist/.
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
for (const project of ['tsconfig.json', 'tsconfig.cjs.json']) {
  execFileSync('node_modules/.bin/tsc', ['-p', project], { stdio: 'inherit' });
}
// Without this marker Node would read the CommonJS files as ES modules.
writeFileSync('dist/cjs/package.json', '{"type":"commonjs"}\n');
