import type { ApiKeys } from '../api-keys.ts';
import type { Clock } from '../clock.ts';
import type { FlagRules } from './flags.ts';
import type { OpenStore } from './open-store.ts';
import type { Settings } from './settings.ts';
import type { Terminal } from './terminal.ts';
import type { Values } from './values.ts';

/** One word behind `keystile`. */
export interface Command {
  readonly name: string;
  /** For the list of commands. */
  readonly summary: string;
  /** The arguments that are no flags, such as `ID`; in brackets where it may be left out. */
  readonly argument?: string;
  readonly flags: FlagRules;
  /** Under the flags in the help: what would be guessed wrongly. */
  readonly notes?: readonly string[];
  /** @returns the exit code */
  run(context: Context): Promise<number>;
}

/** What a command works with. */
export interface Context {
  readonly terminal: Terminal;
  readonly values: Values;
  /** The one argument that is no flag; '' where there is none. */
  readonly argument: string;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly isJson: boolean;
  /** Opens the store on the first call; it is closed when the command ends. */
  open(options?: { mayCreate?: boolean }): Promise<OpenStore>;
  /** The keys in that store. */
  keys(): Promise<ApiKeys>;
}
