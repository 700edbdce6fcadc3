// Revocations that were acknowledged right before the database is killed: bench/durability.mjs.
import { runCommand, unexplained } from './command.mjs';

const ROUNDS = 100;
const ROW = /^(\w+) +(\d+) of (\d+) revoked (\{.*\})$/;

/** @param {import('../parts.mjs').Plan} plan */
export async function run({ scale, say }) {
  const args = ['bench/durability.mjs', String(Math.max(2, Math.round(ROUNDS * scale)))];
  const ran = await runCommand(args, say);
  const rows = ran.lines.flatMap((line) => rowOf(line) ?? []);
  return [...rows, ...unexplained(args, ran, rows)];
}

function rowOf(line) {
  const [, name, revoked, rounds, outcomes] = ROW.exec(line) ?? [];
  if (name === undefined) return undefined;
  const falseAccepts = JSON.parse(outcomes).accepted ?? 0;
  const problems = revoked === rounds ? [] : [`${revoked} of ${rounds} are revoked afterwards: ${outcomes}`];
  return { name: `${name}, kill -9`, iterations: Number(rounds), falseAccepts, details: outcomes, problems };
}
