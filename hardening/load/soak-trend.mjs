// What the samples of a long run say: whether memory grows, and whether anything is left open.

/**
 * The slope of a line through points, by least squares, and its standard error.
 *
 * @param {readonly { x: number, y: number }[]} points
 */
export function slopeOf(points) {
  const n = points.length;
  if (n < 3) return { slope: Number.NaN, standardError: Number.NaN };
  const meanX = mean(points.map(({ x }) => x));
  const meanY = mean(points.map(({ y }) => y));
  const squares = sum(points.map(({ x }) => (x - meanX) ** 2));
  const slope = sum(points.map(({ x, y }) => (x - meanX) * (y - meanY))) / squares;
  const rest = sum(points.map(({ x, y }) => (y - meanY - slope * (x - meanX)) ** 2));
  return { slope, standardError: Math.sqrt(rest / (n - 2) / squares) };
}

/**
 * Names of what has grown: in the last quarter of the samples it was never down to where it was in the first. What comes
 * and goes with requests is down again in some sample; what is leaked never is.
 *
 * @param {readonly Readonly<Record<string, number>>[]} samples counts by name
 */
export function grown(samples) {
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  const first = samples.slice(0, quarter);
  const last = samples.slice(-quarter);
  const names = new Set(samples.flatMap((sample) => Object.keys(sample)));
  return [...names].filter((name) => least(last, name) > most(first, name));
}

/** @param {readonly Readonly<Record<string, number>>[]} samples */
function least(samples, name) {
  return Math.min(...samples.map((sample) => sample[name] ?? 0));
}

/** @param {readonly Readonly<Record<string, number>>[]} samples */
function most(samples, name) {
  return Math.max(...samples.map((sample) => sample[name] ?? 0));
}

/** @param {readonly number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

/** @param {readonly number[]} numbers */
function mean(numbers) {
  return sum(numbers) / numbers.length;
}
