import { execFileSync } from 'node:child_process';
import { beforeAll, expect, jest, test } from '@jest/globals';
import { ensureBuilt, root } from '../support/built-package.ts';

// Programs are started here, and on a busy machine each of them takes seconds.
jest.setTimeout(60_000);

beforeAll(ensureBuilt);

const PROGRAM = `
  import { createRequire } from 'node:module';
  import express from 'express';
  import * as esm from 'keystile';
  const cjs = createRequire(import.meta.url)('./dist/cjs/index.js');
  if (esm.auditRoutes === cjs.auditRoutes) throw new Error('the two formats are one');
  const app = express();
  app.get('/open', (req, res) => res.end());
  app.use(cjs.apiKeyAuth(cjs.createApiKeys({ store: new cjs.MemoryKeyStore() })));
  app.get('/a', esm.requireScope('a'), cjs.requireScope('b'), (req, res) => res.end());
  const shown = (routes) => routes.map(({ path, authentication, guards }) => [path, authentication, guards.length]);
  console.log(JSON.stringify([shown(esm.auditRoutes(app)), shown(cjs.auditRoutes(app))]));
`;

test('each module format knows the handlers of the other', () => {
  const flags = ['--input-type=module', '--eval', PROGRAM];
  const output = execFileSync(process.execPath, flags, { cwd: root, encoding: 'utf8' });
  const audit = [
    ['/open', 'none', 0],
    ['/a', 'required', 2],
  ];

  expect(JSON.parse(output)).toEqual([audit, audit]);
});
