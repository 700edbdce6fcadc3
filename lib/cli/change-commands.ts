import type { ApiKeys } from '../api-keys.ts';
import type { UpdateInput } from '../issuance/key-input.ts';
import type { ApiKey } from '../keys/api-key.ts';
import type { Command, Context } from './command.ts';
import { confirm, YES } from './confirm.ts';
import type { FlagRule } from './flags.ts';
import { printJson, printKey } from './key-view.ts';
import { UsageError } from './usage-error.ts';
import { counted } from './words.ts';

export const IF_VERSION: FlagRule = { takes: 'N', help: 'only if the key has this version' };

const REASON: FlagRule = { takes: 'TEXT', help: 'why; it is kept with the key' };

export const updateCommand: Command = {
  name: 'update',
  summary: 'change the name, scopes, ends or metadata of a key',
  argument: 'ID',
  flags: {
    name: { takes: 'TEXT', help: 'a new name' },
    scope: { takes: 'SCOPE', repeats: true, help: 'all that it may do from now on; once for each' },
    'no-scopes': { help: 'from now on it may do nothing' },
    expires: { takes: 'WHEN', help: '90d, or 2027-01-31T12:00:00Z, or never' },
    'not-before': { takes: 'WHEN', help: 'the same, or none' },
    metadata: { takes: 'JSON', help: 'an object, in place of the one that is there' },
    'if-version': IF_VERSION,
  },
  async run(context) {
    const { values } = context;
    const scopes = values.isSet('no-scopes') ? [] : values.texts('scope');
    if (values.isSet('no-scopes') && values.isSet('scope'))
      throw new UsageError('--scope and --no-scopes exclude one another.');
    const changes: UpdateInput = {
      name: values.text('name'),
      scopes,
      expiresAt: values.timeOr('expires', 'never'),
      notBefore: values.timeOr('not-before', 'none'),
      metadata: values.metadata('metadata'),
    };
    if (Object.values(changes).every((change) => change === undefined))
      throw new UsageError('Nothing to change was given; see keystile update --help');
    return change(context, 'Updated', (apiKeys, id, conditional) => apiKeys.update(id, changes, conditional));
  },
};

export const disableCommand: Command = {
  name: 'disable',
  summary: 'stop a key until it is enabled again',
  argument: 'ID',
  flags: { 'if-version': IF_VERSION },
  run: (context) =>
    change(context, 'Disabled', (apiKeys, id, conditional) => apiKeys.disable(id, conditional)),
};

export const enableCommand: Command = {
  name: 'enable',
  summary: 'let a disabled key work again',
  argument: 'ID',
  flags: { 'if-version': IF_VERSION },
  run: (context) => change(context, 'Enabled', (apiKeys, id, conditional) => apiKeys.enable(id, conditional)),
};

export const revokeCommand: Command = {
  name: 'revoke',
  summary: 'stop a key for ever, or all of an organization or owner',
  argument: '[ID]',
  flags: {
    organization: { takes: 'ID', help: 'all keys of it, in place of one' },
    owner: { takes: 'TYPE:ID', help: 'all keys of it, in place of one' },
    reason: REASON,
    'if-version': IF_VERSION,
    yes: YES,
  },
  async run(context) {
    const { values, argument: id, terminal, isJson } = context;
    const organizationId = values.text('organization');
    const owner = values.owner('owner');
    const reason = values.text('reason');
    const given = [id === '' ? undefined : id, organizationId, owner].filter((one) => one !== undefined);
    if (given.length !== 1) throw new UsageError('Name one of ID, --organization and --owner.');
    if (id !== '') {
      await confirm(context, 'The key stops for ever. Revoke it?');
      return change(context, 'Revoked', (apiKeys, one, conditional) =>
        apiKeys.revoke(one, { reason, ...conditional }),
      );
    }
    if (values.isSet('if-version')) throw new UsageError('--if-version goes with an ID.');
    const whose = owner === undefined ? `organization ${organizationId}` : `${owner.type} ${owner.id}`;
    await confirm(context, `All keys of ${whose} stop for ever. Revoke them?`);
    const apiKeys = await context.keys();
    const which = owner === undefined ? { organizationId: organizationId as string } : { owner };
    const { revoked } = await apiKeys.revokeAll(which, { reason });
    if (isJson) printJson(terminal, { revoked });
    else terminal.print(`Revoked ${counted(revoked, 'key')}.`);
    return 0;
  },
};

export const deleteCommand: Command = {
  name: 'delete',
  summary: 'erase a key and all that is known of it',
  argument: 'ID',
  flags: { yes: YES },
  notes: ['To stop a key and keep its history, revoke it.'],
  async run(context) {
    const { terminal, isJson, argument: id } = context;
    await confirm(context, 'The key and its history are erased. Delete it?');
    const deleted = await (await context.keys()).delete(id);
    if (isJson) printJson(terminal, { deleted });
    else if (deleted) terminal.print(`Deleted ${id}.`);
    if (!deleted) terminal.say('There is no key with this id.');
    return deleted ? 0 : 1;
  },
};

async function change(
  { terminal, values, argument: id, isJson, clock, keys }: Context,
  done: string,
  call: (apiKeys: ApiKeys, id: string, conditional: { ifVersion?: number | undefined }) => Promise<ApiKey>,
): Promise<number> {
  const ifVersion = values.whole('if-version');
  const apiKey = await call(await keys(), id, { ifVersion });
  if (isJson) printJson(terminal, apiKey);
  else printKey(terminal, apiKey, clock.now());
  terminal.say(`${done} ${apiKey.id}.`);
  return 0;
}
