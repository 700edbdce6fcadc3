import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The folder of package.json. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** The last file that the build writes. */
const BUILT = `${root}dist/cjs/package.json`;
const LOCK = `${root}.cache/build.lock`;
const LONGEST_BUILD_MS = 50_000;

/** Builds the package where that has not been done. Of the test files that run at once, one does and the others wait. */
export async function ensureBuilt(): Promise<void> {
  if (existsSync(BUILT)) return;
  if (!takeLock()) {
    for (const end = performance.now() + LONGEST_BUILD_MS; !existsSync(BUILT); await sleep(100)) {
      if (performance.now() > end) throw new Error(`no build by another test; if none runs, delete ${LOCK}`);
    }
    return;
  }
  try {
    execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: root });
  } finally {
    rmSync(LOCK, { recursive: true });
  }
}

function takeLock(): boolean {
  mkdirSync(`${root}.cache`, { recursive: true });
  try {
    mkdirSync(LOCK);
    return true;
  } catch {
    return false;
  }
}

export interface RunningExample {
  /** All that it has said so far. */
  output(): string;
  /** What it has said, once that matches; rejects when it ends before. */
  said(pattern: RegExp): Promise<string>;
  /** Sends a signal, if any, and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Runs a program of examples/, as `node` would, with further environment variables. */
export function runExample(name: string, env: Readonly<Record<string, string>> = {}): RunningExample {
  const child = spawn(process.execPath, [`examples/${name}`], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
    });
  }
  const closed = once(child, 'close');
  return {
    output: () => output,
    async said(pattern) {
      let isClosed = false;
      const noted = closed.then(() => {
        isClosed = true;
      });
      while (!pattern.test(output)) {
        if (isClosed) throw new Error(`${name} ended and said: ${output}`);
        await Promise.race([noted, once(child.stdout, 'data')]);
      }
      return output;
    },
    async end(signal) {
      if (signal !== undefined) child.kill(signal);
      await closed;
      return { code: child.exitCode, signal: child.signalCode };
    },
  };
}
