import type { ApiKeys } from '../api-keys.ts';
import type { ApiKey } from '../keys/api-key.ts';
import type { KeyFilter } from '../keys/key-filter.ts';
import type { Command } from './command.ts';
import { printJson, printKey, printKeys } from './key-view.ts';
import { RefusedError, UsageError } from './usage-error.ts';
import type { Values } from './values.ts';

export const listCommand: Command = {
  name: 'list',
  summary: 'list keys, the newest first',
  flags: {
    organization: { takes: 'ID', help: 'only keys of this organization' },
    owner: { takes: 'TYPE:ID', help: 'only keys of this owner' },
    enabled: { help: 'only enabled ones; --disabled: only others' },
    disabled: { help: 'only disabled ones' },
    revoked: { help: 'only revoked ones; --not-revoked: only others' },
    'not-revoked': { help: 'only ones that are not revoked' },
    'expiring-within': { takes: 'TIME', help: 'only keys that have ended, or end within 14d' },
    'unused-for': { takes: 'TIME', help: 'only keys that nobody has used for 90d' },
    oldest: { help: 'the oldest first' },
    limit: { takes: 'N', help: 'so many, 1 to 500; 50' },
    cursor: { takes: 'ID', help: 'go on after this one' },
    all: { help: 'all of them, page after page' },
  },
  async run({ terminal, values, isJson, clock, keys }) {
    const filter = readFilter(values);
    const apiKeys = await keys();
    const page = values.isSet('all')
      ? { apiKeys: await listAll(apiKeys, filter) }
      : await apiKeys.list(filter);
    if (isJson) printJson(terminal, page);
    else printKeys(terminal, page.apiKeys, clock.now());
    const { nextCursor } = page as { nextCursor?: string };
    if (nextCursor !== undefined) terminal.say(`There are more: --cursor ${nextCursor}, or --all`);
    return 0;
  },
};

export const showCommand: Command = {
  name: 'show',
  summary: 'show one key, without its text',
  argument: 'ID',
  flags: {},
  async run({ terminal, argument: id, isJson, clock, keys }) {
    const apiKey = await (await keys()).get(id);
    if (apiKey === undefined) throw new RefusedError('There is no key with this id.');
    if (isJson) printJson(terminal, apiKey);
    else printKey(terminal, apiKey, clock.now());
    return 0;
  },
};

function readFilter(values: Values): KeyFilter {
  const owner = values.owner('owner');
  return {
    organizationId: values.text('organization'),
    ownerId: owner?.id,
    ownerType: owner?.type,
    enabled: oneOfTwo(values, 'enabled', 'disabled'),
    revoked: oneOfTwo(values, 'revoked', 'not-revoked'),
    expiringWithinMs: values.durationMs('expiring-within'),
    unusedForMs: values.durationMs('unused-for'),
    order: values.isSet('oldest') ? 'oldest' : 'newest',
    limit: values.isSet('all') ? 500 : values.whole('limit'),
    cursor: values.text('cursor'),
  };
}

function oneOfTwo(values: Values, yes: string, no: string): boolean | undefined {
  if (values.isSet(yes) && values.isSet(no))
    throw new UsageError(`--${yes} and --${no} exclude one another.`);
  return values.isSet(yes) ? true : values.isSet(no) ? false : undefined;
}

async function listAll(apiKeys: ApiKeys, filter: KeyFilter): Promise<readonly ApiKey[]> {
  const found: ApiKey[] = [];
  for (let cursor = filter.cursor; ; ) {
    const page = await apiKeys.list({ ...filter, cursor });
    found.push(...page.apiKeys);
    if (page.nextCursor === undefined) return found;
    cursor = page.nextCursor;
  }
}
