import type { ExplanationStep } from '../authentication/explanation.ts';
import type { Command } from './command.ts';
import { printJson } from './key-view.ts';
import { readSecret } from './secret-input.ts';
import { type Column, tableLines } from './table.ts';
import { printable } from './terminal.ts';

const COLUMNS: readonly Column[] = [{ title: 'STEP' }, { title: 'OUTCOME' }, { title: 'DETAIL' }];

const STYLES = { pass: 'green', fail: 'red', info: 'dim' } as const;

export const whyCommand: Command = {
  name: 'why',
  summary: 'say why a key is accepted or not, step by step',
  flags: {},
  notes: [
    'The key is read from standard input: keystile why < file',
    'Exit code 0 when it is accepted, 1 when it is not. Keys made here and pairs',
    '(<id>.<secret>) are known. It asks the store, and nothing that an application',
    'holds in its cache; there, apiKeys.explain() tells that as well.',
  ],
  async run({ terminal, isJson, keys }) {
    const key = await readSecret(terminal);
    const { error, ...explanation } = await (await keys()).explain(key);
    const { verdict, reason, steps } = explanation;
    const cause = error?.cause instanceof Error ? ` ${error.cause.message}` : '';
    const fault = error && `${error.message}${cause}`;
    if (isJson) {
      printJson(terminal, fault === undefined ? explanation : { ...explanation, error: fault });
    } else {
      const [titles = '', ...lines] = tableLines(COLUMNS, steps.map(cellsOf), undefined);
      terminal.print(terminal.style('bold', titles));
      for (const [index, line] of lines.entries()) {
        terminal.print(terminal.style(STYLES[(steps[index] as ExplanationStep).outcome], line));
      }
    }
    const why = reason === undefined ? '' : ` (${reason})`;
    if (fault === undefined) terminal.say(verdict === 'accepted' ? 'Accepted.' : `Not accepted${why}.`);
    else terminal.say(`Not known: ${printable(fault)}`);
    return verdict === 'accepted' ? 0 : 1;
  },
};

function cellsOf({ step, outcome, detail }: ExplanationStep): readonly string[] {
  return [step, outcome, printable(detail)];
}
