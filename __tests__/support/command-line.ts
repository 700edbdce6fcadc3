import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
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

/** The built command, and a folder to work in from which the drivers of this repository can be loaded. */
export class CommandLine {
  /** Where the commands run. */
  readonly folder: string;
  readonly #build: string;

  /** Compiles lib/ into a folder of its own, so that what is tested is what is there now. */
  constructor() {
    const cache = join(root, '.cache');
    mkdirSync(cache, { recursive: true });
    this.#build = mkdtempSync(join(cache, 'cli-'));
    this.folder = join(this.#build, 'work');
    mkdirSync(this.folder);
    const lib = join(this.#build, 'lib');
    // Types are checked elsewhere; the command must come to be.
    spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.json', '--outDir', lib], { cwd: root });
    const worker = 'authentication/bcrypt-worker.cjs';
    cpSync(join(root, 'lib', worker), join(lib, worker));
    if (!existsSync(this.bin)) throw new Error('lib/cli was not compiled');
    chmodSync(this.bin, 0o755);
  }

  get bin(): string {
    return join(this.#build, 'lib/cli/keystile.js');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Runs it in a pipe. */
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
    rmSync(this.#build, { recursive: true, force: true });
  }
}

function plainEnv(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
}

/** Runs a command in this process, which is fast: for what needs no store. */
export async function runHere(args: readonly string[], cwd: string = root): Promise<Ran> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end();
  const streams = { stdin, stdout, stderr, env: {} } as unknown as NodeJS.Process;
  const code = await runCommandLine(args, createTerminal(streams, cwd));
  stdout.end();
  stderr.end();
  return { code, stdout: await text(stdout), stderr: await text(stderr) };
}
