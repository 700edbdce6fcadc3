// Whether two classes of times differ, by Welch's t. Slow samples are cut off at a hundred places, as dudect does, and the
// largest |t| counts, so that a small difference does not drown in what the machine did besides.

/** Where fewer are left of a class, nothing is proved. */
const FEWEST_SAMPLES = 100;

/**
 * @param {readonly Float64Array[]} classes milliseconds of each sample; two classes
 * @returns the largest |t| of all cuts; the difference of what lies below the 80th percentile, and the median of all
 */
export function judge([first, second]) {
  const sorted = Float64Array.from([...first, ...second]).sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const cuts = [Infinity, ...Array.from({ length: 100 }, (_, i) => at(1 - 0.5 ** ((10 * (i + 1)) / 100)))];
  const t = Math.max(...cuts.map((cut) => Math.abs(welch(moments(first, cut), moments(second, cut)))));
  const difference = moments(second, at(0.8)).mean - moments(first, at(0.8)).mean;
  return { t, difference, median: at(0.5) };
}

function moments(times, cut) {
  let n = 0;
  let mean = 0;
  let squares = 0;
  for (const time of times) {
    if (time >= cut) continue;
    n += 1;
    const delta = time - mean;
    mean += delta / n;
    squares += delta * (time - mean);
  }
  return { n, mean, variance: squares / (n - 1) };
}

function welch(a, b) {
  if (Math.min(a.n, b.n) < FEWEST_SAMPLES) return 0;
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.n + b.variance / b.n);
}
