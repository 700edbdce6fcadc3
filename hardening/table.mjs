// The summary of all parts.

const COLUMNS = [
  ['part', ({ part }) => part],
  ['case', ({ name }) => name],
  ['iterations', ({ iterations }) => iterations.toLocaleString('en')],
  ['false accepts', ({ falseAccepts }) => falseAccepts],
  ['false refusals', ({ falseRefusals }) => falseRefusals],
  ['max loop ms', ({ loopDelayMs }) => loopDelayMs?.toFixed(1)],
  ['RSS MB', ({ rssGrowthMb }) => rssGrowthMb?.toFixed(1)],
  ['|t|', ({ t }) => t?.map((one) => one.toFixed(1)).join(' ')],
  ['score', ({ score }) => score?.toFixed(1)],
  ['', ({ problems }) => (problems.length === 0 ? 'ok' : 'FAILED')],
  ['details', ({ details }) => details],
];

/** One line for each row of each part. */
export function asTable(results) {
  const rows = results.flatMap(({ part, rows }) => rows.map((row) => ({ part, ...row })));
  const lines = [
    COLUMNS.map(([title]) => title),
    ...rows.map((row) => COLUMNS.map(([, cell]) => String(cell(row) ?? ''))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
