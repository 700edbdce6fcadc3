import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CacheOptions } from '../api-keys-options.ts';
import type { Environment } from '../keys/api-key.ts';
import type { Pepper } from '../keys/digest.ts';
import { checkOptionNames } from '../options.ts';
import { UsageError } from './usage-error.ts';
import type { Values } from './values.ts';

/** A value and where it came from. */
export interface Setting<T> {
  readonly value: T;
  readonly source: string;
}

/** What every command goes by. Flags come first, then the environment, then the file, then the default. */
export interface Settings {
  readonly store: Setting<string | undefined>;
  /** Of an SQL store its table, of a Redis store the prefix of its keys. */
  readonly table: Setting<string | undefined>;
  readonly prefix: Setting<string>;
  readonly environment: Setting<Environment>;
  readonly peppers: Setting<readonly Pepper[]>;
  /** Whether a Redis without append-only persistence is refused. */
  readonly durable: Setting<boolean>;
  /** What the application is given as `cache`; only `doctor` reads it. */
  readonly cache: Setting<CacheOptions | undefined>;
}

const CONFIG_FILE = 'keystile.config.json';

const MEMBERS: Readonly<Record<keyof Settings, 'text' | 'other'>> = {
  store: 'text',
  table: 'text',
  prefix: 'text',
  environment: 'text',
  peppers: 'other',
  durable: 'other',
  cache: 'other',
};

type Environ = Readonly<Record<string, string | undefined>>;

/** @throws UsageError for a value that cannot be read; that it makes sense is seen by who uses it */
export function readSettings(values: Values, env: Environ, cwd: string): Settings {
  const file = readConfigFile(values, env, cwd);
  const text = <T extends string | undefined>(name: keyof Settings, fallback: T): Setting<string | T> => {
    const variable = variableOf(name);
    const inFile = file?.members[name];
    if (values.isSet(name)) return { value: values.text(name) as string, source: `--${name}` };
    if ((env[variable] ?? '') !== '') return { value: env[variable] as string, source: variable };
    if (inFile !== undefined) return { value: inFile as string, source: file?.name ?? '' };
    return { value: fallback, source: 'default' };
  };
  return {
    store: text('store', undefined),
    table: text('table', undefined),
    prefix: text('prefix', 'sk'),
    environment: readEnvironment(text('environment', 'live')),
    peppers: readPeppers(text('peppers', undefined) as Setting<unknown>),
    durable: readDurable(text('durable', undefined) as Setting<unknown>),
    cache: { value: file?.members['cache'] as CacheOptions | undefined, source: file?.name ?? 'default' },
  };
}

function variableOf(name: string): string {
  return `KEYSTILE_${name.toUpperCase()}`;
}

interface ConfigFile {
  readonly name: string;
  readonly members: Readonly<Record<string, unknown>>;
}

function readConfigFile(values: Values, env: Environ, cwd: string): ConfigFile | undefined {
  const named = values.text('config') ?? env['KEYSTILE_CONFIG'];
  const name = named ?? CONFIG_FILE;
  const path = resolve(cwd, name);
  if (named === undefined && !existsSync(path)) return undefined;
  let members: Readonly<Record<string, unknown>>;
  try {
    members = checkOptionNames(name, JSON.parse(readFileSync(path, 'utf8')), Object.keys(MEMBERS));
  } catch (error) {
    // What JSON.parse says quotes the text, in which there may be a password.
    throw new UsageError(error instanceof TypeError ? error.message : `${name} cannot be read as JSON.`);
  }
  for (const [member, kind] of Object.entries(MEMBERS)) {
    const value = members[member];
    if (kind === 'text' && value !== undefined && typeof value !== 'string')
      throw new UsageError(`${name}: "${member}" must be a text.`);
  }
  return { name, members };
}

function readEnvironment({ value, source }: Setting<string>): Setting<Environment> {
  if (value === 'live' || value === 'test') return { value, source };
  throw new UsageError(`The environment must be live or test (from ${source}).`);
}

/** In the environment `id:secret,id:secret`, in the file an array of objects; the newest first in both. */
function readPeppers({ value, source }: Setting<unknown>): Setting<readonly Pepper[]> {
  if (value === undefined) return { value: [], source };
  if (typeof value === 'string')
    return { value: value.split(',').map((one) => pepperOf(one, source)), source };
  if (Array.isArray(value)) return { value, source };
  throw new UsageError(`${source}: "peppers" must be an array of { "id", "secret" }.`);
}

function pepperOf(text: string, source: string): Pepper {
  const colon = text.indexOf(':');
  if (colon < 1)
    throw new UsageError(`${source} must be ID:SECRET, several with commas between, newest first.`);
  return { id: text.slice(0, colon).trim(), secret: text.slice(colon + 1) };
}

function readDurable({ value, source }: Setting<unknown>): Setting<boolean> {
  if (value === undefined) return { value: true, source };
  if (value === true || value === 'true') return { value: true, source };
  if (value === false || value === 'false') return { value: false, source };
  throw new UsageError(`durable must be true or false (from ${source}).`);
}
