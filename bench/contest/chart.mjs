// The results as a picture: bars, longest below, in colours that can be read on white and on black alike.

const WIDTH = 880;
const NAMES = 290;
const FIGURES = 80;
const ROW = 22;
const BAR = 14;
const TOP = 54;
const GAP = 34;

/** @returns an SVG with what each adds to a request, and what each leaves of Express; `undefined` with nothing to draw */
export function chartOf({ machine, contenders }) {
  const panels = [
    {
      title: 'CPU time added to a request, in process: microseconds, logarithmic',
      bars: barsOf(contenders, ({ inProcess }) => inProcess?.cpu.median).sort((a, b) => a.value - b.value),
      lengthOf: logarithmic,
      textOf: (value) => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(2)),
    },
    {
      title: 'Requests over loopback for a second of CPU, of what Express alone makes of it',
      bars: barsOf(contenders, ({ loopback }) => loopback?.share.median).sort((a, b) => b.value - a.value),
      lengthOf: linear,
      textOf: (value) => `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`,
    },
  ].filter(({ bars }) => bars.length > 0);
  if (panels.length === 0) return undefined;
  let top = 0;
  const drawn = panels.map((panel) => {
    const group = drawPanel(panel, top);
    top += TOP + panel.bars.length * ROW + GAP;
    return group;
  });
  return document(drawn, top, `keystile and others, Node ${machine.node}`);
}

function barsOf(contenders, figureOf) {
  return contenders.flatMap((contender) => {
    const value = figureOf(contender);
    return value === undefined ? [] : [{ name: contender.name, kind: contender.kind, value }];
  });
}

function drawPanel({ title, bars, lengthOf, textOf }, top) {
  const room = WIDTH - NAMES - FIGURES;
  const scale = lengthOf(bars.map(({ value }) => value));
  const rows = bars.map(({ name, kind, value }, row) => {
    const y = top + TOP + row * ROW;
    const length = Math.max(2, room * scale(value)).toFixed(1);
    const middle = y + BAR - 3;
    return [
      `<text class="name" x="${NAMES - 10}" y="${middle}">${escaped(name)}</text>`,
      `<rect class="${kind}" x="${NAMES}" y="${y}" width="${length}" height="${BAR}" rx="2"/>`,
      `<text x="${(NAMES + Number(length) + 6).toFixed(1)}" y="${middle}">${escaped(textOf(value))}</text>`,
    ].join('');
  });
  return `<text class="title" x="10" y="${top + 32}">${escaped(title)}</text>\n${rows.join('\n')}`;
}

/** From a tenth of a microsecond; what is less, or less than nothing by noise, is a sliver. */
function logarithmic(values) {
  const [least, most] = [0.1, Math.max(1, ...values)];
  return (value) => Math.log(Math.max(value, least) / least) / Math.log(most / least);
}

function linear(values) {
  const most = Math.max(...values);
  return (value) => value / most;
}

function document(groups, height, title) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 14px }
.name { text-anchor: end }
.keystile { fill: #0969da }
.peer { fill: #9a6700 }
.express { fill: #6e7781 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.keystile { fill: #4493f8 }
.peer { fill: #d29922 }
.express { fill: #8b949e }
}
</style>
${groups.join('\n')}
</svg>
`;
}

function escaped(text) {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
