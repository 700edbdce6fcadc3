import { styleText } from 'node:util';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

/** The three streams, and what may be done with them. Data goes out; all that is said to a person is said beside it. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Columns of standard output; `undefined` where it is no terminal. */
  readonly width: number | undefined;
  /** Data, with a line end behind it. */
  print(text: string): void;
  /** Something for a person, with a line end behind it. */
  say(text: string): void;
  style(style: Style, text: string, stream?: NodeJS.WriteStream): string;
}

export function createTerminal({ stdin, stdout, stderr, env }: NodeJS.Process, cwd: string): Terminal {
  return {
    stdin,
    stdout,
    stderr,
    env,
    cwd,
    width: stdout.isTTY ? Math.max(40, stdout.columns || 80) : undefined,
    print: (text) => void stdout.write(`${text}\n`),
    say: (text) => void stderr.write(`${text}\n`),
    style: (style, text, stream = stdout) => (hasColors(stream, env) ? styleText(style, text) : text),
  };
}

/** https://no-color.org: any text in NO_COLOR but an empty one. */
function hasColors(stream: NodeJS.WriteStream, env: Terminal['env']): boolean {
  if ((env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return false;
  return stream.isTTY === true || (env['FORCE_COLOR'] ?? '0') !== '0';
}

/** Characters that move the cursor, or turn the direction of writing: a name of a key must not rewrite the screen. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A text of somebody else's, on one line and harmless to a terminal. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (one) => `\\u{${(one.codePointAt(0) as number).toString(16)}}`);
}

const WIDE =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}/u;

/** Columns that a text takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += /\p{Mark}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}
