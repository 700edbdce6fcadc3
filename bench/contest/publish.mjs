// Writes results down: as JSON, as a chart, and on request where readers of the repository find them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from '../../scripts/counts.mjs';
import { chartOf } from './chart.mjs';
import { asMarkdown, tablesOf } from './tables.mjs';

/** @param options - `out`, a folder; `publish` writes to where the repository shows them instead. @returns the paths */
export function writeResults(results, { publish = false, out = join(root, '.cache/bench') }) {
  const major = /^v(\d+)/.exec(results.machine.node)[1];
  const json = publish ? join(root, 'bench/results') : out;
  const files = new Map([[join(json, `node-${major}.json`), asJson(results)]]);
  const chart = chartOf(results);
  const chartPath = publish ? join(root, `docs/performance-${major}.svg`) : join(out, `node-${major}.svg`);
  if (chart !== undefined) files.set(chartPath, chart);
  if (publish) files.set(join(root, 'docs/performance.md'), pageWith(results, major));
  for (const [path, text] of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return Array.from(files.keys(), (path) => relative(process.cwd(), path));
}

function asJson(results) {
  return `${JSON.stringify(results, undefined, 2)}\n`;
}

/** The page, with these figures between the marks of their Node. */
function pageWith(results, major) {
  const page = readFileSync(join(root, 'docs/performance.md'), 'utf8');
  const [begin, end] = [`<!-- node ${major}: begin -->`, `<!-- node ${major}: end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to === -1) throw new Error(`docs/performance.md has no place for Node ${major}`);
  const tables = tablesOf(results).map(asMarkdown).join('\n');
  const picture = `![What each adds to Express on Node ${major}](performance-${major}.svg)`;
  const figures = [begin, `${conditionsOf(results)}\n`, `${picture}\n`, tables].join('\n');
  return page.slice(0, from) + figures + page.slice(to);
}

export function conditionsOf({ machine, load, isQuick, isPinned, versions }) {
  const { node, processor, cores, memoryGb, system } = machine;
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const lines = [
    `Node ${node}, ${cores} cores of ${processor}, ${memoryGb} GB, ${system}.`,
    `Load of the machine when it began ${load.begin}, when it ended ${load.end}.`,
    ...(isQuick ? ['Measured with `--quick`: few rounds, so the spread is wide.'] : []),
    ...(isPinned === false ? ['Server and load shared their cores.'] : []),
    `${programs.join(', ')}.`,
  ];
  return lines.join('\n');
}
