import type { FixtureApp, FixtureAppOptions } from './fixture-app.ts';
import type { FixtureKeys } from './fixture-keys.ts';
import type { RawAnswer, RawRequest } from './raw-http.ts';

/** An answer, and how many look-ups there were while it was made. */
export interface CountedAnswer extends RawAnswer {
  readonly lookups: number;
}

/** A case while it is run. */
export interface Stage {
  readonly app: FixtureApp;
  readonly keys: FixtureKeys;
  /** The request of the case, filled in. */
  readonly request: RawRequest;
  /** Sends it, with another key in `X-API-Key` where one is given. */
  send(key?: string): Promise<CountedAnswer>;
}

/** How a case is set up and gone through. */
export interface Arrangement {
  readonly app?: (keys: FixtureKeys) => FixtureAppOptions | Promise<FixtureAppOptions>;
  /** Timers and the monotonic clock move only when they are told to. */
  readonly fakeTimers?: true;
  /** Cannot be gone through where servers are left out. */
  readonly needsServer?: true;
  readonly prepare?: (stage: Stage) => void;
  /** The answers that the expectation is about. @default the request, sent once */
  readonly perform?: (stage: Stage) => Promise<readonly CountedAnswer[]>;
}

/** Something that two sides wait for each other at. */
export interface Gate {
  /** Ends when somebody stands at the gate. */
  readonly reached: Promise<void>;
  /** Waits at the gate for it to open. */
  pass(): Promise<void>;
  open(): void;
}

export function makeGate(): Gate {
  let open = () => {};
  let reach = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const pass = () => {
    reach();
    return opened;
  };
  return { reached, pass, open };
}
