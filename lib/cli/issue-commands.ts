import type { IssuedKey } from '../issuance/issuer.ts';
import type { CreateInput } from '../issuance/key-input.ts';
import { IF_VERSION } from './change-commands.ts';
import type { Command, Context } from './command.ts';
import { confirm, YES } from './confirm.ts';
import { printJson } from './key-view.ts';
import { durationWords } from './words.ts';

export const createCommand: Command = {
  name: 'create',
  summary: 'issue a key; it is shown this once',
  flags: {
    name: { takes: 'TEXT', help: 'for people, 1 to 100 characters' },
    organization: { takes: 'ID', help: 'whose key it is' },
    'organization-slug': { takes: 'TEXT', help: 'a readable name of it' },
    owner: { takes: 'TYPE:ID', help: 'organization, user or service; the organization' },
    scope: { takes: 'SCOPE', repeats: true, help: 'what it may do; once for each' },
    expires: { takes: 'WHEN', help: '90d, or 2027-01-31T12:00:00Z; never' },
    'not-before': { takes: 'WHEN', help: 'from when on it works' },
    metadata: { takes: 'JSON', help: 'an object of your own' },
    'created-by': { takes: 'TEXT', help: 'who makes it' },
    kind: { takes: 'KIND', help: 'opaque, or pair: an id and a secret' },
  },
  notes: ['The key alone goes to standard output, as <id>.<secret> where it is a pair.'],
  async run(context) {
    const { values } = context;
    const id = values.needed('organization', 'ID');
    const slug = values.text('organization-slug');
    const input: CreateInput = {
      name: values.needed('name', 'TEXT'),
      organization: slug === undefined ? { id } : { id, slug },
      owner: values.owner('owner'),
      scopes: values.texts('scope'),
      expiresAt: values.time('expires'),
      notBefore: values.time('not-before'),
      metadata: values.metadata('metadata'),
      createdBy: values.text('created-by'),
      kind: values.oneOf('kind', ['opaque', 'pair']),
    };
    const issued = await (await context.keys()).create(input);
    printIssued(context, issued, 'Created');
    return 0;
  },
};

export const rotateCommand: Command = {
  name: 'rotate',
  summary: 'give a key a new text; the old one works on for a while',
  argument: 'ID',
  flags: {
    grace: { takes: 'TIME', help: 'how long the old one works, 0s to 30d; 24h' },
    'if-version': IF_VERSION,
    yes: YES,
  },
  notes: ['The new key alone goes to standard output. A grace of 0s asks first.'],
  async run(context) {
    const { values, argument: id } = context;
    const gracePeriodMs = values.durationMs('grace');
    const ifVersion = values.whole('if-version');
    if (gracePeriodMs === 0) await confirm(context, 'The old key stops at once. Rotate?');
    const issued = await (await context.keys()).rotate(id, { gracePeriodMs, ifVersion });
    printIssued(context, issued, 'Rotated');
    return 0;
  },
};

function printIssued({ terminal, isJson, clock }: Context, issued: IssuedKey, done: string): void {
  const { key, secret, apiKey } = issued;
  if (isJson) printJson(terminal, issued);
  else terminal.print(secret === undefined ? key : `${key}.${secret}`);
  const grace = apiKey.grace?.expiresAt.getTime();
  const old = grace === undefined ? '' : ` The old key works for ${durationWords(grace - clock.now())}.`;
  terminal.say(`${done} ${apiKey.id}.${old} The key is shown this once and cannot be had again.`);
}
