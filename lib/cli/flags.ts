import { type ParseArgsConfig, parseArgs } from 'node:util';
import { nearestName } from '../options.ts';
import { UsageError } from './usage-error.ts';

/** One flag of a command. Without `takes` it stands alone; with it, a value follows. */
export interface FlagRule {
  /** What stands for the value in the help. */
  readonly takes?: string;
  readonly repeats?: true;
  readonly short?: string;
  readonly help: string;
}

export type FlagRules = Readonly<Record<string, FlagRule>>;

export interface Parsed {
  /** A list for a flag that repeats. */
  readonly values: Readonly<Record<string, string | true | readonly string[]>>;
  readonly positionals: readonly string[];
}

type OptionToken = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number] & { kind: 'option' };

/** @throws UsageError for a flag that is not known, has no value, has one too many, or comes twice */
export function parseFlags(command: string, argv: readonly string[], rules: FlagRules): Parsed {
  const options: ParseArgsConfig['options'] = {};
  for (const [name, { takes, short }] of Object.entries(rules)) {
    options[name] = {
      type: takes === undefined ? 'boolean' : 'string',
      ...(short === undefined ? undefined : { short }),
    };
  }
  const { tokens = [], positionals } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, string | true | string[]> = {};
  for (const token of tokens) {
    if (token.kind === 'option') addValue(values, token, checkedRule(command, token, rules));
  }
  return { values, positionals };
}

function checkedRule(command: string, { name, rawName, value, inlineValue }: OptionToken, rules: FlagRules) {
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
  if (rule === undefined) throw unknownFlag(command, rawName, name, Object.keys(rules));
  if (rule.takes === undefined) {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value.`);
    return rule;
  }
  if (value === undefined) throw new UsageError(`${rawName} needs a value: ${rawName} ${rule.takes}`);
  if (inlineValue === false && value.startsWith('-') && value.length > 1) {
    throw new UsageError(
      `${rawName} needs a value: ${rawName} ${rule.takes}. One that begins with a dash is written ${rawName}=-...`,
    );
  }
  return rule;
}

function addValue(
  values: Record<string, string | true | string[]>,
  { name, rawName, value }: OptionToken,
  { repeats }: FlagRule,
): void {
  const before = values[name];
  if (repeats) values[name] = [...((before ?? []) as string[]), value as string];
  else if (before !== undefined) throw new UsageError(`${rawName} was given twice.`);
  else values[name] = value ?? true;
}

function unknownFlag(command: string, rawName: string, name: string, known: readonly string[]): UsageError {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? `see keystile ${command} --help` : `did you mean --${nearest}?`;
  // What looks like a flag may be the end of a key that was pasted in.
  const shown = /^--?[a-z][a-z-]{0,30}$/i.test(rawName) ? ` ${rawName}` : '';
  return new UsageError(`keystile ${command}: unknown flag${shown}; ${hint}`);
}
