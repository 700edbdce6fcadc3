import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import { parseKeyText, shownParts } from '../keys/key-text.ts';

const WINDOW_MS = 60_000;
const MAX_STARTS = 1_000;

/**
 * Counts refused texts of our own shape by their shown start, so that somebody who tries a withdrawn key all day is
 * one line a minute in a log and not thousands.
 */
export interface RefusalCounter {
  count(text: string): void;
  /** Tells what was counted since the last event. */
  flush(): void;
}

export function createRefusalCounter(prefix: string, clock: Clock, events: Events): RefusalCounter {
  const counts = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const [start, count] of counts) events.emit({ type: 'refusals', at: clock.now(), start, count });
    counts.clear();
  }

  return {
    count(text) {
      if (!events.hears('refusals') || parseKeyText(text)?.prefix !== prefix) return;
      const { start } = shownParts(text);
      if (counts.size >= MAX_STARTS && !counts.has(start)) return;
      counts.set(start, (counts.get(start) ?? 0) + 1);
      timer ??= setTimeout(flush, WINDOW_MS).unref();
    },
    flush,
  };
}
