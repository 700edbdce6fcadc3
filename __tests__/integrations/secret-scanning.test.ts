import { expect, test } from '@jest/globals';
import type { SecretScanningPattern } from '../../lib/index.ts';
import { loadDocumented } from '../support/documented-code.ts';
import { codeBlocks, readPage } from '../support/markdown.ts';

test('the documented rule is the one that is made', async () => {
  const { gitleaks } = await loadDocumented<SecretScanningPattern>(
    'docs/integrations.md',
    'export const { regex',
  );
  const shown = codeBlocks(readPage('docs/integrations.md')).filter(({ language }) => language === 'toml');

  expect(shown.map(({ code }) => code)).toEqual([gitleaks]);
});
