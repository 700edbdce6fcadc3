import { statSync } from 'node:fs';
import type { Pepper } from '../keys/digest.ts';
import { redactedError } from '../stores/redacted-error.ts';
import { dialectRules } from '../stores/sql-options.ts';
import { COLUMN_NAMES } from '../stores/sql-schema.ts';
import type { Command, Context } from './command.ts';
import {
  boundCheck,
  type Check,
  clockCheck,
  fileCheck,
  pepperCheck,
  persistenceCheck,
} from './doctor-checks.ts';
import { printJson } from './key-view.ts';
import { openKeys } from './open-keys.ts';
import { DEFAULT_TABLE, type OpenStore, storeAddress } from './open-store.ts';
import type { Setting, Settings } from './settings.ts';
import { type Column, tableLines } from './table.ts';
import { printable } from './terminal.ts';

const LOOKED_AT = 500;

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'say which settings hold, and what is wrong with the store',
  flags: {},
  notes: [
    'Looks at the driver, the connection, the table, the clock of the database, the',
    'persistence of Redis, the peppers and the cache. Changes nothing.',
    'Exit code 1 when something is wrong.',
  ],
  async run(context) {
    const { terminal, settings, isJson } = context;
    const shown = shownSettings(settings, terminal.cwd);
    const checks = await checkAll(context);
    if (isJson) printJson(terminal, { settings: shown, checks });
    else printReport(context, shown, checks);
    return checks.some(({ status }) => status === 'wrong') ? 1 : 0;
  },
};

interface ShownSetting {
  readonly name: string;
  readonly value: string;
  readonly source: string;
}

/** Of peppers the ids, of the store no password. */
function shownSettings(settings: Settings, cwd: string): readonly ShownSetting[] {
  const { store, table, prefix, environment, peppers, durable, cache } = settings;
  const show = (name: string, { source }: Setting<unknown>, value: string): ShownSetting => ({
    name,
    value,
    source,
  });
  return [
    show('store', store, shownStore(settings, cwd)),
    show('table', table, table.value ?? `${DEFAULT_TABLE}, in Redis keystile`),
    show('prefix', prefix, prefix.value),
    show('environment', environment, environment.value),
    show('peppers', peppers, peppers.value.map(shownPepper).join(', ') || 'none'),
    show('durable', durable, String(durable.value)),
    show('cache', cache, cache.value === undefined ? 'as it comes' : JSON.stringify(cache.value)),
  ];
}

/** Where the id is none, the secret may stand in its place. */
function shownPepper({ id }: Pepper): string {
  return /^[a-z0-9-]{1,32}$/.test(id) ? `${id}:***` : '***';
}

function shownStore(settings: Settings, cwd: string): string {
  if (settings.store.value === undefined) return 'none';
  try {
    return storeAddress(settings, cwd).shown;
  } catch {
    return 'cannot be read';
  }
}

async function checkAll(context: Context): Promise<readonly Check[]> {
  const { settings, open } = context;
  let opened: OpenStore;
  try {
    opened = await open();
  } catch (error) {
    const advice = 'see the message; --store, KEYSTILE_STORE or keystile.config.json name the store';
    return [wrong('connection', error, advice)];
  }
  const { name, version = '' } = opened.driver;
  const checks: Check[] = [{ name: 'driver', status: 'ok', message: `${name} ${version}`.trim() }];
  const skew = await skewOf(context, opened);
  if (typeof skew !== 'number') return [...checks, skew];
  checks.push(
    { name: 'connection', status: 'ok', message: `${opened.address.shown} answers` },
    clockCheck(skew),
  );
  checks.push(...(await storeChecks(opened, settings)));
  if (checks.every(({ status }) => status !== 'wrong')) checks.push(await checkPeppers(settings, opened));
  checks.push(boundCheck(settings, opened.store.watch !== undefined));
  return checks;
}

/** How far the clock of the store is ahead of ours; a store that does not answer is found out by it too. */
async function skewOf({ clock }: Context, { now }: OpenStore): Promise<number | Check> {
  try {
    const before = clock.now();
    return (await now()) - (before + clock.now()) / 2;
  } catch (error) {
    return wrong('connection', error, 'see whether the server runs, and whether the user may log in');
  }
}

async function storeChecks(
  { sql, info, address }: OpenStore,
  { durable }: Settings,
): Promise<readonly Check[]> {
  if (sql !== undefined) {
    const schema = await checkSchema(sql);
    return address.kind === 'sqlite' ? [fileCheck(statSync(address.target).mode), schema] : [schema];
  }
  try {
    return [persistenceCheck((await info?.()) ?? '', durable.value)];
  } catch (error) {
    return [wrong('persistence', error, 'allow the user INFO, by which the store sees that nothing is lost')];
  }
}

async function checkSchema({ dialect, table, query }: NonNullable<OpenStore['sql']>): Promise<Check> {
  const { quote } = dialectRules('keystile', dialect);
  const missing = async (columns: string): Promise<boolean> => {
    try {
      await query(`SELECT ${columns} FROM ${quote(table)} WHERE 1 = 0`, []);
      return false;
    } catch {
      return true;
    }
  };
  const name = 'table';
  const advice = 'keystile migrate; or keystile migrate --print, for a migration of your own';
  if (await missing('1')) return { name, status: 'wrong', message: `there is no table ${table}`, advice };
  if (!(await missing(COLUMN_NAMES.join(', '))))
    return { name, status: 'ok', message: `${table} has all ${COLUMN_NAMES.length} columns` };
  const lacking: string[] = [];
  for (const column of COLUMN_NAMES) if (await missing(column)) lacking.push(column);
  return { name, status: 'wrong', message: `the table ${table} lacks ${lacking.join(', ')}`, advice };
}

async function checkPeppers(settings: Settings, { store }: OpenStore): Promise<Check> {
  try {
    openKeys(settings, store);
    const { records } = await store.list({ limit: LOOKED_AT, order: 'newest' });
    return pepperCheck(
      settings,
      records.map(({ digest }) => digest),
    );
  } catch (error) {
    return wrong('peppers', error, 'see the message, and docs/options.md about prefix and peppers');
  }
}

function wrong(name: string, error: unknown, advice: string): Check {
  return { name, status: 'wrong', message: redactedError(error).message, advice };
}

const SETTING_COLUMNS: readonly Column[] = [
  { title: 'SETTING' },
  { title: 'VALUE', least: 20 },
  { title: 'FROM' },
];

const STYLES = { ok: 'green', warning: 'yellow', wrong: 'red' } as const;

function printReport(
  { terminal }: Context,
  settings: readonly ShownSetting[],
  checks: readonly Check[],
): void {
  const rows = settings.map(({ name, value, source }) => [name, printable(value), source]);
  for (const line of tableLines(SETTING_COLUMNS, rows, terminal.width)) terminal.print(line);
  terminal.print('');
  for (const { name, status, message, advice } of checks) {
    terminal.print(`${terminal.style(STYLES[status], status.padEnd(8))} ${name}: ${printable(message)}`);
    if (advice !== undefined) terminal.print(`         do: ${advice}`);
  }
}
