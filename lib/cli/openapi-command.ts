import { type OpenApiOptions, openApiDocument } from '../management/openapi-document.ts';
import type { Command } from './command.ts';
import { UsageError } from './usage-error.ts';

export const openapiCommand: Command = {
  name: 'openapi',
  summary: 'print the OpenAPI document of the HTTP interfaces',
  flags: {
    server: { takes: 'URL', help: 'where the paths begin; /' },
    'management-path': { takes: 'PATH', help: 'where managementRouter() is mounted; /keys' },
    dialect: {
      takes: 'NAME',
      repeats: true,
      help: 'a validate endpoint to describe; all of them',
    },
  },
  notes: ['JSON, whether or not --json is there. No store is opened.'],
  async run({ terminal, values }) {
    const document = readDocument({
      serverUrl: values.text('server'),
      managementPath: values.text('management-path'),
      dialects: values.texts('dialect') as OpenApiOptions['dialects'],
    });
    terminal.print(JSON.stringify(document, null, 2));
    return 0;
  },
};

/** @throws UsageError in the words of the options, which are named like the flags */
function readDocument(options: OpenApiOptions): object {
  try {
    return openApiDocument(options);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
