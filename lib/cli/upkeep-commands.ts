import { SqlKeyStore } from '../stores/sql-key-store.ts';
import type { Command } from './command.ts';
import { confirm, YES } from './confirm.ts';
import { printJson } from './key-view.ts';
import { DEFAULT_TABLE, storeAddress } from './open-store.ts';
import { counted, durationWords } from './words.ts';

const DEFAULT_AGE_MS = 30 * 86_400_000;

export const pruneCommand: Command = {
  name: 'prune',
  summary: 'erase keys that were revoked long ago',
  flags: {
    'revoked-before': { takes: 'TIME', help: 'at least so long ago; 30d' },
    yes: YES,
  },
  async run(context) {
    const { terminal, values, isJson, keys } = context;
    const revokedBeforeMs = values.durationMs('revoked-before') ?? DEFAULT_AGE_MS;
    await confirm(
      context,
      `Keys revoked ${durationWords(revokedBeforeMs)} ago or earlier are erased. Go on?`,
    );
    const { deleted } = await (await keys()).prune({ revokedBeforeMs });
    if (isJson) printJson(terminal, { deleted });
    else terminal.print(`Erased ${counted(deleted, 'key')}.`);
    return 0;
  },
};

export const migrateCommand: Command = {
  name: 'migrate',
  summary: 'make the table, or print what makes it',
  flags: { print: { help: 'only print the statements; nothing is run' } },
  notes: ['Safe to run twice. A Redis store needs no table.'],
  async run({ terminal, values, settings, isJson, open }) {
    const { kind, shown } = storeAddress(settings, terminal.cwd);
    const table = settings.table.value ?? DEFAULT_TABLE;
    if (kind === 'redis') {
      terminal.say('A Redis store needs no table; nothing was done.');
      if (isJson) printJson(terminal, { migrated: false });
      return 0;
    }
    if (values.isSet('print')) {
      const schema = SqlKeyStore.schema(kind, { table });
      if (isJson) printJson(terminal, { schema });
      else terminal.print(schema.trimEnd());
      return 0;
    }
    await (await open({ mayCreate: true })).migrate();
    if (isJson) printJson(terminal, { migrated: true, table });
    else terminal.print(`The table ${table} is there, in ${shown}.`);
    return 0;
  },
};
