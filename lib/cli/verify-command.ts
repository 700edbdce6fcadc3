import type { RefusalReason } from '../keys/checks.ts';
import type { Command } from './command.ts';
import { printJson, printKey } from './key-view.ts';
import { readSecret } from './secret-input.ts';

const MEANING: Readonly<Record<RefusalReason, string>> = {
  malformed: 'it is not of the shape of a key made here: check --prefix, and whether all of it was copied',
  unknown: 'no record has it: check the store and the peppers',
  wrong_environment: 'it is for the other environment: see --environment',
  revoked: 'it was revoked',
  disabled: 'it is disabled',
  expired: 'it has expired',
  not_yet_valid: 'it does not work yet',
  rotated: 'it was rotated, and its grace has ended',
  owner_inactive: 'its owner is not active',
};

export const verifyCommand: Command = {
  name: 'verify',
  summary: 'say whether a key is accepted, and whose it is',
  flags: {},
  notes: [
    'The key is read from standard input: keystile verify < file',
    'Exit code 0 when it is accepted, 1 when it is not. Keys made here and pairs',
    '(<id>.<secret>) are known; other kinds need the verifiers of your application.',
  ],
  async run({ terminal, isJson, clock, keys }) {
    const key = await readSecret(terminal);
    const verdict = await (await keys()).verify(key);
    if (isJson) printJson(terminal, verdict);
    else if (verdict.apiKey !== undefined) printKey(terminal, verdict.apiKey, clock.now());
    if (!verdict.ok) terminal.say(`Not accepted (${verdict.reason}): ${MEANING[verdict.reason]}.`);
    else if (verdict.graceUntil === undefined) terminal.say('Accepted.');
    else terminal.say(`Accepted as the old key, until ${verdict.graceUntil.toISOString()}.`);
    return verdict.ok ? 0 : 1;
  },
};
