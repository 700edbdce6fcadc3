// What the process felt while something was done to it.
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** From now until `read()`: the longest time for which the event loop stood still, and by how much the process grew. */
export function startGauges() {
  collectGarbage();
  const rss = process.memoryUsage.rss();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  return {
    read() {
      delay.disable();
      const loopDelayMs = delay.max / 1e6;
      collectGarbage();
      return { loopDelayMs, rssGrowthMb: (process.memoryUsage.rss() - rss) / 2 ** 20 };
    },
  };
}

/** Only where Node was started with --expose-gc, as main.mjs does. */
function collectGarbage() {
  globalThis.gc?.();
  globalThis.gc?.();
}
