// The results as tables: for a terminal, and as Markdown for docs/performance.md.

/** @returns `{ title, head, rows }` of each part that was measured; all cells are texts */
export function tablesOf(results) {
  const { contenders, memory } = results;
  return [inProcess(contenders), loopback(contenders), bursts(contenders), keysInMemory(memory)].filter(
    ({ rows }) => rows.length > 0,
  );
}

function inProcess(contenders) {
  const ours = contenders.find(({ id }) => id === 'opaque')?.inProcess?.cpu.median;
  return {
    title: 'Added to a request, in process',
    head: ['', 'CPU, us', '8 of 10 lie in', 'wall, us', 'CPU, of Express alone', 'CPU added, of keystile'],
    rows: having(contenders, 'inProcess').map(({ name, inProcess: { cpu, wall, ratio } }) => [
      name,
      figure(cpu.median),
      `${figure(cpu.low)} - ${figure(cpu.high)}`,
      figure(wall.median),
      times(ratio.median),
      ours === undefined ? '' : times(cpu.median / ours),
    ]),
  };
}

function loopback(contenders) {
  return {
    title: 'Over loopback',
    head: [
      '',
      'requests/s',
      'per CPU second',
      'of Express alone',
      '8 of 10 lie in',
      'p50, ms',
      'p99, ms',
      'p99.9, ms',
    ],
    rows: having(contenders, 'loopback').map(
      ({ name, loopback: { perSecond, perCpuSecond, share, milliseconds } }) => [
        name,
        figure(perSecond.median),
        figure(perCpuSecond.median),
        percent(share.median),
        `${percent(share.low)} - ${percent(share.high)}`,
        ...[milliseconds.p50, milliseconds.p99, milliseconds.p999].map(figure),
      ],
    ),
  };
}

function bursts(contenders) {
  const rows = having(contenders, 'burst').map(({ name, burst: { count, storeCalls, milliseconds } }) => [
    name,
    figure(count),
    figure(storeCalls),
    figure(milliseconds.median),
  ]);
  return {
    title: 'One cold key, asked for at once',
    head: ['', 'requests', 'store calls', 'ms for all'],
    rows,
  };
}

function keysInMemory({ keys, figures } = {}) {
  const rows = (figures ?? []).map(({ name, bytes }) => [name, figure(bytes)]);
  return { title: `Memory, at ${figure(keys ?? 0)} keys`, head: ['', 'bytes for each key'], rows };
}

export function asMarkdown({ title, head, rows }) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const marks = line(head.map((_, column) => (column === 0 ? '---' : '---:')));
  return [`**${title}**`, '', line(head), marks, ...rows.map(line), ''].join('\n');
}

export function asText({ title, head, rows }) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => cells[column].length)));
  const line = (cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join('  ');
  return [title, line(head), ...rows.map(line), ''].join('\n');
}

function having(contenders, part) {
  return contenders.filter((contender) => contender[part] !== undefined);
}

function figure(number) {
  if (Math.abs(number) >= 100) return Math.round(number).toLocaleString('en');
  return String(Number(number.toPrecision(2)));
}

function times(ratio) {
  return `${figure(ratio)} x`;
}

function percent(share) {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}
