import type { Command } from './command.ts';
import type { FlagRule, FlagRules } from './flags.ts';

/** What every command takes. */
export const COMMON_FLAGS: FlagRules = {
  store: { takes: 'ADDRESS', help: 'sqlite:FILE, postgres://, mysql://, redis://' },
  table: { takes: 'NAME', help: 'table of an SQL store, prefix in Redis' },
  prefix: { takes: 'TEXT', help: 'what keys begin with; sk' },
  environment: { takes: 'NAME', help: 'live or test; live' },
  config: { takes: 'FILE', help: 'in place of keystile.config.json' },
  json: { help: 'print JSON' },
  help: { short: 'h', help: 'this text' },
};

const SHORT_COMMON = ['store', 'table', 'prefix', 'environment', 'config', 'json', 'help'];

/** Of one command: at most 24 lines of 80 columns, so that a screen holds it. */
export function commandHelp({ name, summary, argument, flags, notes = [] }: Command): string {
  const usage = ['keystile', name, argument, '[flags]'].filter((word) => word !== undefined).join(' ');
  return [
    usage,
    `  ${summary}`,
    ...section(flagLines(flags)),
    ...section(notes),
    '',
    `And --${SHORT_COMMON.join(' --')}`,
    'which keystile --help explains.',
  ].join('\n');
}

export function generalHelp(commands: readonly Command[]): string {
  const { json: _, help: __, ...flags } = COMMON_FLAGS;
  // With a blank line more it would not fit a screen.
  return [
    'keystile COMMAND [flags] [--json]      keystile COMMAND --help',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(9)}${summary}`),
    '',
    ...flagLines(flags),
  ].join('\n');
}

function section(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', ...lines];
}

function flagLines(flags: FlagRules): readonly string[] {
  const entries = Object.entries(flags).map(([name, rule]) => [nameOf(name, rule), rule.help] as const);
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.map(([name, help]) => `  ${name.padEnd(width)}  ${help}`);
}

function nameOf(name: string, { takes, short }: FlagRule): string {
  return `--${name}${short === undefined ? '' : `, -${short}`}${takes === undefined ? '' : ` ${takes}`}`;
}
