import type { ApiKey } from '../keys/api-key.ts';
import { type Column, tableLines } from './table.ts';
import { printable, type Terminal } from './terminal.ts';

/** The most telling first, as those at the end are left out where there is no room. */
const COLUMNS: readonly (Column & { readonly of: (apiKey: ApiKey, now: number) => string })[] = [
  { title: 'ID', of: ({ id }) => id },
  { title: 'STATE', of: stateOf },
  { title: 'NAME', least: 8, of: ({ name }) => name },
  { title: 'ORGANIZATION', least: 12, of: ({ organization }) => organization.id },
  { title: 'SCOPES', least: 10, of: ({ scopes }) => scopes.join(' ') },
  { title: 'LAST USED', of: ({ lastUsedAt }) => dayOf(lastUsedAt) },
  { title: 'EXPIRES', of: ({ expiresAt }) => dayOf(expiresAt) },
  { title: 'START', of: ({ start }) => start },
];

/** What decides whether it works now, in the order in which it is judged. */
function stateOf({ revokedAt, enabled, expiresAt, notBefore }: ApiKey, now: number): string {
  if (revokedAt !== undefined) return 'revoked';
  if (!enabled) return 'disabled';
  if (expiresAt !== undefined && now >= expiresAt.getTime()) return 'expired';
  return notBefore !== undefined && now < notBefore.getTime() ? 'not yet' : 'active';
}

export function printKeys(terminal: Terminal, apiKeys: readonly ApiKey[], now: number): void {
  const rows = apiKeys.map((apiKey) => COLUMNS.map(({ of }) => printable(of(apiKey, now))));
  const [titles = '', ...lines] = tableLines(COLUMNS, rows, terminal.width);
  terminal.print(terminal.style('bold', titles));
  for (const line of lines) terminal.print(line);
}

/** Every member on a line of its own. */
export function printKey(terminal: Terminal, apiKey: ApiKey, now: number): void {
  const { grace, organization, owner, scopes, metadata, start, end } = apiKey;
  const members: [string, string | undefined][] = [
    ['id', apiKey.id],
    ['state', stateOf(apiKey, now)],
    ['name', apiKey.name],
    ['kind', apiKey.kind],
    ['environment', apiKey.environment],
    ['key', start === '' && end === '' ? undefined : `${start}...${end}`],
    [
      'organization',
      organization.slug === undefined ? organization.id : `${organization.id} (${organization.slug})`,
    ],
    ['owner', `${owner.type}:${owner.id}`],
    ['scopes', scopes.length === 0 ? 'none' : scopes.join(' ')],
    ['version', String(apiKey.version)],
    [
      'created',
      `${timeOf(apiKey.createdAt)}${apiKey.createdBy === undefined ? '' : ` by ${apiKey.createdBy}`}`,
    ],
    ['updated', timeOf(apiKey.updatedAt)],
    ['last used', timeOf(apiKey.lastUsedAt) ?? 'never'],
    ['not before', timeOf(apiKey.notBefore)],
    ['expires', timeOf(apiKey.expiresAt) ?? 'never'],
    ['rotated', timeOf(apiKey.rotatedAt)],
    ['old key until', timeOf(grace?.expiresAt)],
    ['old key used', grace && (timeOf(grace.lastUsedAt) ?? 'never')],
    ['revoked', timeOf(apiKey.revokedAt)],
    ['reason', apiKey.revocationReason],
    ['metadata', Object.keys(metadata).length === 0 ? undefined : JSON.stringify(metadata)],
  ];
  for (const [name, value] of members) {
    if (value !== undefined) terminal.print(`${terminal.style('dim', name.padEnd(14))}${printable(value)}`);
  }
}

/** All but the line ends between members: JSON escapes no more than it must, and some terminals obey U+009B. */
const UNSEEN = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu;

function escaped(text: string): string {
  const units = text.split('').map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'));
  return units.map((unit) => `\\u${unit}`).join('');
}

export function printJson(terminal: Terminal, value: unknown): void {
  terminal.print(JSON.stringify(value, undefined, 2).replace(UNSEEN, escaped));
}

function dayOf(time: Date | undefined): string {
  return time === undefined ? 'never' : time.toISOString().slice(0, 10);
}

function timeOf(time: Date | undefined): string | undefined {
  return time?.toISOString();
}
