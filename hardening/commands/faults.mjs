// Whether a test catches each fault that is planted in the code: scripts/plant-faults.mjs.
import { runCommand, unexplained } from './command.mjs';

const ROW = /^(caught|NOT CAUGHT|ERROR|FAILED) +(.*)$/;

/** All of them, whatever the scale: none stands for another. @param {import('../parts.mjs').Plan} plan */
export async function run({ say }) {
  const args = ['scripts/plant-faults.mjs'];
  const ran = await runCommand(args, say);
  const rows = ran.lines.flatMap((line, at) => rowOf(line, ran.lines[at + 1]) ?? []);
  return [...rows, ...unexplained(args, ran, rows)];
}

function rowOf(line, next = '') {
  const [, outcome, name] = ROW.exec(line) ?? [];
  if (outcome === undefined) return undefined;
  const problems = outcome === 'caught' ? [] : [`${outcome}: ${next.trim()}`];
  return { name, iterations: 1, details: next.trim(), problems };
}
