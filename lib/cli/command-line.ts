import type { ApiKeys } from '../api-keys.ts';
import { createClock } from '../clock.ts';
import { ApiKeyError, InvalidInputError } from '../errors.ts';
import { nearestName } from '../options.ts';
import { withDeadline } from '../stores/guarded-store.ts';
import { redactedError } from '../stores/redacted-error.ts';
import {
  deleteCommand,
  disableCommand,
  enableCommand,
  revokeCommand,
  updateCommand,
} from './change-commands.ts';
import type { Command, Context } from './command.ts';
import { doctorCommand } from './doctor-command.ts';
import { exportCommand } from './export-command.ts';
import { type Parsed, parseFlags } from './flags.ts';
import { COMMON_FLAGS, commandHelp, generalHelp } from './help.ts';
import { importCommand } from './import-command.ts';
import { createCommand, rotateCommand } from './issue-commands.ts';
import { KEY_IN_ARGUMENTS, refuseKeys } from './key-text-guard.ts';
import { openKeys } from './open-keys.ts';
import { type OpenStore, openStore } from './open-store.ts';
import { openapiCommand } from './openapi-command.ts';
import { readSettings } from './settings.ts';
import { printable, type Terminal } from './terminal.ts';
import { migrateCommand, pruneCommand } from './upkeep-commands.ts';
import { RefusedError, UsageError } from './usage-error.ts';
import { Values } from './values.ts';
import { verifyCommand } from './verify-command.ts';
import { listCommand, showCommand } from './view-commands.ts';
import { whyCommand } from './why-command.ts';

const COMMANDS: readonly Command[] = [
  createCommand,
  listCommand,
  showCommand,
  updateCommand,
  rotateCommand,
  disableCommand,
  enableCommand,
  revokeCommand,
  deleteCommand,
  verifyCommand,
  whyCommand,
  importCommand,
  exportCommand,
  pruneCommand,
  migrateCommand,
  doctorCommand,
  openapiCommand,
];

/** A driver waits for ever for the answer that a server which has stopped still owes it. */
const CLOSING_MS = 2_000;

/**
 * Runs one command.
 *
 * @returns the exit code: 0 done, 1 refused or failed, 2 the command line is wrong
 */
export async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    refuseKeys(argv);
    return await run(argv, terminal);
  } catch (error) {
    terminal.say(`${terminal.style('red', 'keystile:', terminal.stderr)} ${harmless(messageOf(error))}`);
    return error instanceof UsageError || error instanceof InvalidInputError ? 2 : 1;
  }
}

async function run([name, ...rest]: readonly string[], terminal: Terminal): Promise<number> {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    const named = COMMANDS.find((command) => command.name === rest[0]);
    terminal.print(named === undefined ? generalHelp(COMMANDS) : commandHelp(named));
    return name === undefined ? 2 : 0;
  }
  const command = COMMANDS.find((one) => one.name === name) ?? refuseCommand(name);
  const { values, positionals } = parseFlags(name, rest, { ...COMMON_FLAGS, ...command.flags });
  if (values['help'] === true) {
    terminal.print(commandHelp(command));
    return 0;
  }
  return runCommand(command, terminal, values, readArgument(command, positionals));
}

async function runCommand(
  command: Command,
  terminal: Terminal,
  parsed: Parsed['values'],
  argument: string,
): Promise<number> {
  const clock = createClock();
  const values = new Values(parsed, clock);
  const settings = readSettings(values, terminal.env, terminal.cwd);
  let opened: Promise<OpenStore> | undefined;
  let keys: ApiKeys | undefined;
  const open: Context['open'] = ({ mayCreate = false } = {}) => {
    opened ??= openStore(settings, terminal.cwd, mayCreate);
    return opened;
  };
  const context: Context = {
    terminal,
    values,
    argument,
    settings,
    clock,
    isJson: values.isSet('json'),
    open,
    async keys() {
      keys ??= openKeys(settings, (await open()).store);
      return keys;
    },
  };
  try {
    return await command.run(context);
  } finally {
    await keys?.close().catch(() => undefined);
    const close = async (): Promise<void> => (await opened)?.close();
    await withDeadline({ run: close }, CLOSING_MS).catch(() => undefined);
  }
}

/** What was given may be a key, and is not repeated unless it is like a word. */
function refuseCommand(name: string): never {
  const nearest = nearestName(
    name,
    COMMANDS.map((command) => command.name),
  );
  const shown = /^-{0,2}[a-z][a-z-]{0,15}$/i.test(name) ? ` ${name}` : '';
  const hint = nearest === undefined ? 'see keystile --help' : `did you mean ${nearest}?`;
  throw new UsageError(`There is no command${shown}; ${hint}`);
}

function readArgument({ name, argument }: Command, positionals: readonly string[]): string {
  const [first = '', ...others] = positionals;
  if ((name === 'verify' || name === 'why') && first !== '') throw new UsageError(KEY_IN_ARGUMENTS);
  if (argument === undefined && first !== '')
    throw new UsageError(`keystile ${name} takes flags only; see keystile ${name} --help`);
  if (others.length > 0)
    throw new UsageError(`keystile ${name} takes one ${argument}, not ${positionals.length}.`);
  if (argument !== undefined && !argument.startsWith('[') && first === '')
    throw new UsageError(`keystile ${name} needs the ${argument} of a key; keystile list shows them.`);
  return first;
}

/** Members of an input by the flags that set them. */
const FLAG_OF: Readonly<Record<string, string>> = {
  organization: '--organization',
  scopes: '--scope',
  expiresAt: '--expires',
  notBefore: '--not-before',
  createdBy: '--created-by',
  gracePeriodMs: '--grace',
  ifVersion: '--if-version',
  organizationId: '--organization',
  ownerId: '--owner',
  expiringWithinMs: '--expiring-within',
  unusedForMs: '--unused-for',
  revokedBeforeMs: '--revoked-before',
};

function messageOf(error: unknown): string {
  if (error instanceof InvalidInputError) {
    const [, member = ''] = error.field.split('/');
    const problem = error.message.slice(error.field.length + 1);
    return error.field === '' ? error.message : `${FLAG_OF[member] ?? `--${member}`} ${problem}`;
  }
  if (error instanceof UsageError || error instanceof RefusedError) return error.message;
  if (error instanceof ApiKeyError) return withCause(error);
  // A driver's, or the system's: what it quotes may be a digest or an address.
  return redactedError(error).message;
}

/** What a database says, or a member of a file is called, must not move the cursor; lines of ours stay lines. */
function harmless(message: string): string {
  return message.split('\n').map(printable).join('\n');
}

function withCause({ message, cause }: ApiKeyError): string {
  if (!(cause instanceof Error)) return message;
  const isTableMissing = /no such table|does not exist|doesn't exist/i.test(cause.message);
  return `${message} ${cause.message}${isTableMissing ? ' (keystile migrate makes the table)' : ''}`;
}
