// Database servers that are stopped and killed under load: bench/outage.mjs, each of whose rounds does both.
import { runCommand, unexplained } from './command.mjs';

const ROUNDS = 5;
const ROW = /^(\w+) +\d+ x .*?: (\{.*\}), (\d+) of a wrong key$/;

/** @param {import('../parts.mjs').Plan} plan */
export async function run({ scale, say }) {
  const args = ['bench/outage.mjs', String(Math.max(1, Math.round(ROUNDS * scale)))];
  const ran = await runCommand(args, say);
  const rows = ran.lines.flatMap((line) => rowOf(line) ?? []);
  return [...rows, ...unexplained(args, ran, rows)];
}

/** Every answer is 200 or 503: another is one about a good key that nobody could give. */
function rowOf(line) {
  const [, name, counts, wrong] = ROW.exec(line) ?? [];
  if (name === undefined) return undefined;
  const statuses = JSON.parse(counts);
  const others = Object.keys(statuses).filter((status) => status !== '200' && status !== '503');
  const falseRefusals = others.reduce((sum, status) => sum + statuses[status], 0);
  const answered = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  const problems = [
    ...(falseRefusals > 0 ? [`answers that are neither 200 nor 503: ${counts}`] : []),
    ...(Number(wrong) > 0 ? [`${wrong} answers named another key than the one that asked`] : []),
    ...(statuses['200'] > 0 && statuses['503'] > 0 ? [] : [`no outage was felt, or nothing else: ${counts}`]),
  ];
  const row = {
    name: `${name}, stopped and killed`,
    iterations: answered,
    falseAccepts: Number(wrong),
    falseRefusals,
  };
  return { ...row, details: counts, problems };
}
