import { describe, expect, test } from '@jest/globals';
import { openApiDocument } from '../../lib/management/management-router.ts';
import { runHere } from '../support/command-line.ts';

describe('openapi', () => {
  test('prints the document that the package makes, with no store', async () => {
    const { code, stdout, stderr } = await runHere(['openapi']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual(openApiDocument());
  });

  test('describes what the flags say', async () => {
    const flags = ['--server', 'https://api.example.com', '--management-path', '/admin/keys'];
    const { stdout } = await runHere(['openapi', ...flags, '--dialect', 'pluto', '--dialect', 'gmi']);
    const document = openApiDocument({
      serverUrl: 'https://api.example.com',
      managementPath: '/admin/keys',
      dialects: ['pluto', 'gmi'],
    });
    expect(JSON.parse(stdout)).toEqual(document);
    expect(Object.keys(document.paths)).toContain('/me/api-keys/current');
    expect(Object.keys(document.paths)).not.toContain('/api_keys/validations');
  });

  test('says which validate endpoints there are', async () => {
    const { code, stdout, stderr } = await runHere(['openapi', '--dialect', 'plato']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('pluto');
  });
});
