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
  | { readonly type: 'warning'; readonly at: number; readonly code: WarningCode; readonly message: string };

/** Each has a section in docs/warnings.md. */
export type WarningCode = (typeof MISCONFIGURATIONS)[number] | (typeof INCIDENTS)[number];

/** Faults of the program that uses us, which its authors should hear of even if they listen to nothing. */
const MISCONFIGURATIONS = [
  'authorize_failed',
  'late_in_outage',
  'late_without_watch',
  'memory_store_in_production',
  'mounted_twice',
  'no_pepper',
  'trust_proxy_unset',
  'validate_router_behind_auth',
] as const;

const INCIDENTS = ['key_in_query', 'watch_lost'] as const;

export const WARNING_CODES: readonly WarningCode[] = [...MISCONFIGURATIONS, ...INCIDENTS];

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
  /** Whether a warning of this code would be told: it is not silenced, was not told before, and somebody would hear. */
  mayWarn(code: WarningCode): boolean;
  /**
   * Tells once in the life of this object, however often it is called with one code. A misconfiguration that nobody
   * listens for becomes a warning of the process, once for each code.
   */
  warnOnce(code: WarningCode, at: number, message: string): void;
}

/** Of this process; several `createApiKeys()` with one fault make one line. */
const printed = new Set<WarningCode>();

/** @param silence - warnings that are not wanted */
export function createEvents(
  onEvent?: (event: KeyEvent) => void,
  silence: readonly WarningCode[] = [],
): Events {
  const warned = new Set(silence);
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
    mayWarn: (code) => !warned.has(code) && (events.hears('warning') || mayPrint(code)),
    warnOnce(code, at, message) {
      if (!events.mayWarn(code)) return;
      warned.add(code);
      if (events.hears('warning')) events.emit({ type: 'warning', at, code, message });
      else printWarning(code, message);
    },
  };
  return events;
}

function mayPrint(code: WarningCode): boolean {
  return !printed.has(code) && (MISCONFIGURATIONS as readonly WarningCode[]).includes(code);
}

function printWarning(code: WarningCode, message: string): void {
  printed.add(code);
  process.emitWarning(`${message} See docs/warnings.md#${code}.`, { type: 'KeystileWarning', code });
}
