import { channel } from 'node:diagnostics_channel';
import type { ErrorCode } from './errors.ts';
import type { RefusalReason } from './keys/checks.ts';

/** What happened, for logs and metrics. Holds no key, digest or pepper. Times are milliseconds since 1970. */
export type KeyEvent =
  /** One request or `verify()` decided. Channel `keystile:decision`. */
  | {
      readonly type: 'decision';
      readonly at: number;
      readonly outcome: 'accepted' | 'refused' | 'unavailable' | 'anonymous';
      readonly reason?: RefusalReason | ErrorCode;
      readonly keyId?: string;
      readonly organizationId?: string;
      readonly cache: 'hit' | 'miss' | 'stale' | 'none';
      readonly durationMs: number;
    }
  /** One call to the store. Channel `keystile:store`. */
  | {
      readonly type: 'store';
      readonly at: number;
      readonly operation: string;
      readonly ok: boolean;
      readonly durationMs: number;
      readonly error?: Error;
    }
  /** One change of a key. Channel `keystile:audit`. */
  | {
      readonly type: 'audit';
      readonly at: number;
      readonly action: string;
      readonly keyId: string;
      readonly organizationId: string;
      readonly actor?: string;
      readonly from?: string;
      readonly changed: readonly string[];
    }
  /** Refused texts of our own shape, at most one event per `start` and minute. Channel `keystile:warning`. */
  | { readonly type: 'refusals'; readonly at: number; readonly start: string; readonly count: number }
  /** Something that somebody should look at. Channel `keystile:warning`. */
  | { readonly type: 'warning'; readonly at: number; readonly code: string; readonly message: string };

const CHANNELS = {
  decision: channel('keystile:decision'),
  store: channel('keystile:store'),
  audit: channel('keystile:audit'),
  refusals: channel('keystile:warning'),
  warning: channel('keystile:warning'),
};

/** Tells whoever listens; an event is built only after `hears` has said that somebody does. */
export interface Events {
  hears(type: KeyEvent['type']): boolean;
  emit(event: KeyEvent): void;
  /** Whether a warning of this code would be told: somebody listens, and it was not told before. */
  mayWarn(code: string): boolean;
  /** Tells once in the life of this object, however often it is called with one code. */
  warnOnce(code: string, at: number, message: string): void;
}

export function createEvents(onEvent?: (event: KeyEvent) => void): Events {
  const warned = new Set<string>();
  const events: Events = {
    hears: (type) => onEvent !== undefined || CHANNELS[type].hasSubscribers,
    emit(event) {
      // A broken listener must not change what a request is answered, nor end the process.
      try {
        const pending: unknown = onEvent?.(event);
        if (pending instanceof Promise) pending.catch(() => undefined);
      } catch {}
      CHANNELS[event.type].publish(event);
    },
    mayWarn: (code) => !warned.has(code) && events.hears('warning'),
    warnOnce(code, at, message) {
      if (!events.mayWarn(code)) return;
      warned.add(code);
      events.emit({ type: 'warning', at, code, message });
    },
  };
  return events;
}
