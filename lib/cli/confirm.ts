import { createInterface } from 'node:readline/promises';
import type { Context } from './command.ts';
import type { FlagRule } from './flags.ts';
import { RefusedError } from './usage-error.ts';

export const YES: FlagRule = { short: 'y', help: 'do not ask' };

/**
 * Asks before what cannot be undone. Where nobody can be asked, `--yes` has to be there.
 *
 * @throws RefusedError
 */
export async function confirm({ terminal, values }: Context, question: string): Promise<void> {
  if (values.isSet('yes')) return;
  const { stdin, stderr } = terminal;
  if (!stdin.isTTY || !stderr.isTTY) {
    throw new RefusedError(`${question} Nobody can be asked here: add --yes. Nothing was done.`);
  }
  const lines = createInterface({ input: stdin, output: stderr });
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `), ended]);
    if (!/^y(?:es)?$/i.test(answer.trim())) throw new RefusedError('Nothing was done.');
  } finally {
    lines.close();
  }
}
