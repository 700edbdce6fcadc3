import { resolve } from 'node:path';
import { UsageError } from './usage-error.ts';

/** Where the keys are, as `--store` says it. */
export interface StoreAddress {
  readonly kind: 'sqlite' | 'postgres' | 'mysql' | 'redis';
  /** Of a file its path, else the whole URL, with whatever password is in it. */
  readonly target: string;
  /** Without what must not be seen. */
  readonly shown: string;
}

const KINDS: Readonly<Record<string, StoreAddress['kind']>> = {
  'postgres:': 'postgres',
  'postgresql:': 'postgres',
  'mysql:': 'mysql',
  'mariadb:': 'mysql',
  'redis:': 'redis',
  'rediss:': 'redis',
};

/**
 * The message never quotes what was given, as a password may be in it.
 *
 * @throws UsageError
 */
export function readStoreAddress(text: string, cwd: string): StoreAddress {
  const path = /^(?:sqlite|file):(?:\/\/)?(.+)$/.exec(text)?.[1];
  if (path !== undefined) return { kind: 'sqlite', target: resolve(cwd, path), shown: `sqlite:${path}` };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const kind = url && KINDS[url.protocol];
  if (url === undefined || kind === undefined || url.hostname === '') {
    throw new UsageError(
      'The store must be sqlite:FILE, postgres://..., mysql://... or redis://..., with a host where it is a URL.',
    );
  }
  const target = kind === 'mysql' ? text.replace(/^mariadb:/, 'mysql:') : text;
  return { kind, target, shown: masked(url) };
}

function masked(url: URL): string {
  const user = url.username === '' ? '' : url.username;
  const login = user === '' && url.password === '' ? '' : `${user}${url.password === '' ? '' : ':***'}@`;
  const names = [...url.searchParams.keys()].map((name) => `${name}=***`);
  const query = names.length === 0 ? '' : `?${names.join('&')}`;
  return `${url.protocol}//${login}${url.host}${url.pathname}${query}`;
}
