import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** More than any key has: JSON Web Tokens end at 8,192 characters. */
const LONGEST = 16_384;

/**
 * A key, from standard input and from nowhere else: arguments are seen by all who may list processes. On a terminal it
 * is asked for, and not shown while it is typed.
 *
 * @throws UsageError where there is none
 */
export async function readSecret(terminal: Terminal): Promise<string> {
  const text = terminal.stdin.isTTY ? await askHidden(terminal) : await readAll(terminal.stdin);
  const key = text.replace(/\r?\n$/, '');
  if (key === '') throw new UsageError('No key came on standard input: keystile verify < file');
  return key;
}

async function askHidden({ stdin, stderr }: Terminal): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silent, terminal: true });
  // Only now: until readline has the terminal, that itself shows what is typed.
  stderr.write('Key (it is not shown): ');
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    return await Promise.race([lines.question(''), ended]);
  } finally {
    lines.close();
    stderr.write('\n');
  }
}

async function readAll(stdin: NodeJS.ReadStream): Promise<string> {
  let text = '';
  stdin.setEncoding('utf8');
  for await (const chunk of stdin) {
    text += chunk;
    if (text.length > LONGEST) throw new UsageError('What came on standard input is too long for a key.');
  }
  return text;
}
