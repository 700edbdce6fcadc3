import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommandLine } from '../../lib/cli/command-line.ts';
import { createTerminal } from '../../lib/cli/terminal.ts';
import { root } from './built-package.ts';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  /** What the screen shows before the input is typed. @default anything */
  readonly typedAt?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface Started {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ran>;
}

/** Where the command of this run is built. The end of the run removes it. */
function buildFolder(): string {
  return join(root, '.cache', `cli-${basename(process.env['KEYSTILE_TEST_SERVERS'] as string)}`);
}

const LONGEST_BUILD_MS = 120_000;

/** Within it the command is built, on a busy machine too, by this test file or by another one. */
export const BUILD_TIMEOUT_MS = 180_000;

/** Compiles lib/ once for all test files of a run, so that what is tested is what is there now. */
async function ensureCommand(): Promise<void> {
  const folder = buildFolder();
  if (takes(join(process.env['KEYSTILE_TEST_SERVERS'] as string, 'cli.lock'))) return compile(folder);
  for (const end = performance.now() + LONGEST_BUILD_MS; !existsSync(folder); await sleep(50)) {
    if (performance.now() > end) throw new Error('another test file was to compile lib/cli, and has not');
  }
}

async function compile(folder: string): Promise<void> {
  const made = `${folder}-making`;
  const args = ['-p', 'tsconfig.json', '--outDir', made];
  // Types are checked elsewhere; the command must come to be.
  await new Promise((resolve) => execFile(join(root, 'node_modules/.bin/tsc'), args, { cwd: root }, resolve));
  const worker = 'authentication/bcrypt-worker.cjs';
  cpSync(join(root, 'lib', worker), join(made, worker));
  chmodSync(join(made, 'cli/keystile.js'), 0o755);
  renameSync(made, folder);
}

function takes(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/** A folder to work in, from which the drivers of this repository can be loaded, and the command in it. */
export class CommandLine {
  /** Where the commands run. */
  readonly folder: string;
  readonly #mask: number;

  constructor() {
    // As the command sets it: the files that it makes are for their owner alone.
    this.#mask = process.umask(0o077);
    mkdirSync(join(root, '.cache'), { recursive: true });
    this.folder = mkdtempSync(join(root, '.cache/work-'));
  }

  /** Before the first process: what runs here needs no build. */
  build(): Promise<void> {
    return ensureCommand();
  }

  get bin(): string {
    return join(buildFolder(), 'cli/keystile.js');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Runs it in this process, which takes a tenth of the time: without the few lines that make it a process. */
  here(args: readonly string[], { cwd = this.folder, ...options }: RunOptions = {}): Promise<Ran> {
    return runHere(args, { cwd, ...options });
  }

  /** Runs it in a pipe, as a process of its own. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const { child, ended } = this.start(args, options);
    child.stdin.end(options.input ?? '');
    return ended;
  }

  /** Begins it; what it has said comes when it has ended. */
  start(args: readonly string[], options: RunOptions = {}): Started {
    return this.#spawn(this.bin, args, options);
  }

  /** Runs a line of bash, in which `$0` is the command. */
  async shell(line: string, options: RunOptions = {}): Promise<Ran> {
    const { child, ended } = this.#spawn('bash', ['-c', line, this.bin], options);
    child.stdin.end(options.input ?? '');
    return ended;
  }

  #spawn(file: string, args: readonly string[], { env = {}, cwd = this.folder }: RunOptions): Started {
    const child = spawn(file, args, { cwd, env: { ...plainEnv(), ...env }, stdio: 'pipe' });
    // A command that reads nothing may have ended before it is sent something.
    child.stdin.on('error', () => undefined);
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    const ended = Promise.all([text(child.stdout), text(child.stderr), closed]).then(
      ([stdout, stderr, code]): Ran => ({ stdout, stderr, code }),
    );
    return { child, ended };
  }

  /** Runs it on a pseudo-terminal of 80 columns, on which both streams come out together. */
  async onTerminal(
    args: readonly string[],
    options: RunOptions = {},
  ): Promise<{ code: number | null; screen: string }> {
    const { input = '', typedAt = '', env = {}, cwd = this.folder } = options;
    const words = [this.bin, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    const command = `stty cols 80 rows 24; exec ${words.join(' ')}`;
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      cwd,
      env: { ...plainEnv(), TERM: 'xterm', ...env },
      stdio: 'pipe',
    });
    let screen = '';
    let isTyped = input === '';
    child.stdout.setEncoding('utf8').on('data', (some: string) => {
      screen += some;
      if (isTyped || !screen.includes(typedAt)) return;
      isTyped = true;
      child.stdin.write(input);
    });
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, screen: screen.replaceAll('\r\n', '\n') };
  }

  remove(): void {
    process.umask(this.#mask);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function plainEnv(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
}

/** Runs a command in this process, with the streams of a pipe. */
export async function runHere(
  args: readonly string[],
  { input = '', env = {}, cwd = root }: RunOptions = {},
): Promise<Ran> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(input);
  const said = [text(stdout), text(stderr)] as const;
  const streams = { stdin, stdout, stderr, env } as unknown as NodeJS.Process;
  const code = await runCommandLine(args, createTerminal(streams, cwd));
  stdout.end();
  stderr.end();
  return { code, stdout: await said[0], stderr: await said[1] };
}
