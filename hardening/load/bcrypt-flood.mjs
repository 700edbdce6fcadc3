// The measurement of a flood of bcrypt secrets as a row: it says itself which of its goals were not reached.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../bench/bcrypt-flood.mjs', import.meta.url));
const MOST_SECONDS = 15;
const LEAST_SECONDS = 3;
const PER_SECOND = 200;

/** @param {import('../parts.mjs').Plan} plan */
export async function bcryptFlood({ scale, say }) {
  const seconds = Math.max(LEAST_SECONDS, Math.round(MOST_SECONDS * Math.min(1, scale)));
  say(`bcrypt for ${seconds} s`);
  const args = [PROGRAM, '--seconds', String(seconds), '--rate', String(PER_SECOND)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let told = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      told += text;
    });
  }
  const [code] = await once(child, 'close');
  const lines = told.split('\n').filter((line) => line.trim() !== '');
  const figures = lines.filter((line) => / (ok|FAILED), at most /.test(line));
  const failed = figures.filter((line) => line.includes('FAILED'));
  const answers = JSON.parse(/^answers: (\{.*\});/m.exec(told)?.[1] ?? '{}');
  const refused = Number(/(\d+) refused$/m.exec(told)?.[1] ?? Number.NaN);
  const problems = failed.map(squeezed);
  if (code !== 0 && failed.length === 0) problems.push(`it ended with ${code}: ${told.slice(-500)}`);
  if (refused !== 0) problems.push(`${refused} good keys were not accepted`);
  const strange = Object.keys(answers).filter(
    (name) => !['unknown', 'temporarily_unavailable'].includes(name),
  );
  if (strange.length > 0) problems.push(`answers: ${JSON.stringify(answers)}`);
  return {
    name: 'wrong bcrypt secrets',
    iterations: seconds * PER_SECOND,
    falseAccepts: answers.accepted ?? 0,
    falseRefusals: refused,
    details: figures.map(squeezed).join('; '),
    problems,
  };
}

function squeezed(line) {
  return line.replaceAll(/\s+/g, ' ').trim();
}
