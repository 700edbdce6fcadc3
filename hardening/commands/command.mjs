// A program that does the work of a part by itself.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Runs a Node program of this repository to its end.
 *
 * @param {string[]} args - the program, and what it is told
 * @param {(line: string) => void} say - is given each line as it comes
 * @param {Record<string, string>} [env] - beside our own
 * @returns {Promise<{ ok: boolean, lines: string[] }>} what it said, on either stream
 */
export async function runCommand(args, say, env = {}) {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      say(line);
    });
  }
  const code = await new Promise((resolve) => {
    child.once('error', () => resolve(undefined));
    child.once('close', resolve);
  });
  return { ok: code === 0, lines };
}

/** What is left to say where a program failed and no line of its own says why: the last of what it said. */
export function unexplained(args, { ok, lines }, rows) {
  if (ok && rows.length > 0) return [];
  if (rows.some(({ problems }) => problems.length > 0)) return [];
  const problems = [`node ${args.join(' ')} failed: ${lines.slice(-5).join(' | ')}`];
  return [{ name: 'the program', iterations: 0, problems }];
}
