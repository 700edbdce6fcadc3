/** Keeps what is written to the standard streams and the console until `end()`, and lets it through all the same. */
export function captureOutput(): { end(): string } {
  const pieces: string[] = [];
  const undo: (() => void)[] = [];

  function listenTo<T extends object>(target: T, name: keyof T): void {
    const real = target[name];
    if (typeof real !== 'function') return;
    const listening = (...args: unknown[]): unknown => {
      pieces.push(args.map(String).join(' '));
      return Reflect.apply(real, target, args);
    };
    target[name] = listening as T[keyof T];
    undo.push(() => {
      target[name] = real;
    });
  }

  listenTo(process.stdout, 'write');
  listenTo(process.stderr, 'write');
  for (const name of Object.keys(globalThis.console) as (keyof Console)[]) listenTo(globalThis.console, name);
  return {
    end() {
      for (const restore of undo) restore();
      return pieces.join('\n');
    },
  };
}
