// Before a run of Jest: a folder where its workers agree on the database servers that they share.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default function setUp() {
  process.env['KEYSTILE_TEST_SERVERS'] = mkdtempSync(join(tmpdir(), 'keystile-servers-'));
  process.env['KEYSTILE_TEST_OWNER'] = String(process.pid);
}
