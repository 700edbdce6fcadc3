import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { root } from './built-package.ts';

/**
 * What a document tells its reader to install is here already: it is linked, and what is not here is an error. And npx takes
 * a second before it runs what is there.
 */
const LINKING_NPM = `npm() {
  if [ "$1" != install ]; then command npm "$@" > /dev/null; return; fi
  mkdir -p node_modules/.bin
  for name in "\${@:2}"; do
    case $name in
      -*) continue ;;
      keystile) from='${root}' ;;
      *) from='${root}node_modules/'$name ;;
    esac
    test -f "$from/package.json" || return 1
    mkdir -p "$(dirname "node_modules/$name")"
    ln -sfn "$from" "node_modules/$name"
  done
  ln -sf '${root}dist/esm/cli/keystile.js' node_modules/.bin/keystile
}
npx() { "node_modules/.bin/$1" "\${@:2}"; }
`;

/** One shell for all blocks of a page, so that what one exports the next one has. */
export class Shell {
  readonly #child: ChildProcessWithoutNullStreams;
  #output = '';

  constructor(folder: string, env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn('bash', [], { cwd: folder, env: { ...process.env, ...env } });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        this.#output += text;
      });
    }
    this.#child.stdin.write(LINKING_NPM);
  }

  /** Runs the lines of a block, each if the one before has succeeded, and answers what they said; rejects if one fails. */
  async run(code: string): Promise<string> {
    this.#output = '';
    this.#child.stdin.write(`${code.trim().split('\n').join(' &&\n')}\necho "status $?"\n`);
    for (;;) {
      const [, said, status] = /^([\s\S]*)status (\d+)\n$/.exec(this.#output) ?? [];
      if (status === '0') return said ?? '';
      if (status !== undefined) throw new Error(`${code}failed: ${said}`);
      await new Promise((resolve) => this.#child.stdout.once('data', resolve));
    }
  }

  end(): void {
    this.#child.stdin.end();
  }
}
