// Whether the tests notice mutants of what decides: Stryker over keys/, authentication/ and middleware/.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { shuffler } from '../../bench/contest/rounds.mjs';
import { runCommand, unexplained } from './command.mjs';

const ROOT = new URL('../../', import.meta.url);
const REPORT = new URL('.cache/mutation.json', ROOT);
const FOLDERS = ['keys', 'authentication', 'middleware'];

/** What each folder has to reach, in per cent: hardening/mutation/survivors.md says what is missed, and why. */
const LEAST_SCORE = 90;
const SAY_EVERY_MS = 30_000;
const PROGRESS = /^Mutation testing +(\d+)%.*$/;

/** At a smaller scale only some files, of each folder, are mutated. @param {import('../parts.mjs').Plan} plan */
export async function run({ seed, scale, say }) {
  rmSync(REPORT, { force: true });
  const files = filesToMutate(seed, scale);
  const args = ['hardening/mutation/main.mjs', files.join(',')];
  const ran = await runCommand(args, rarely(say));
  const report = ran.ok ? JSON.parse(readFileSync(REPORT, 'utf8')) : { files: {} };
  const rows = ran.ok ? FOLDERS.map((folder) => rowOf(folder, mutantsIn(report, folder, files))) : [];
  return [...rows, ...unexplained(args, ran, rows)];
}

function filesToMutate(seed, scale) {
  if (scale >= 1) return FOLDERS.map((folder) => `lib/${folder}/**/*.ts`);
  const shuffled = shuffler(seed);
  return FOLDERS.flatMap((folder) => {
    const names = readdirSync(new URL(`lib/${folder}`, ROOT)).filter((name) => name.endsWith('.ts'));
    const some = shuffled(names).slice(0, Math.max(1, Math.round(names.length * scale)));
    return some.map((name) => `lib/${folder}/${name}`);
  });
}

/** Stryker tells of its progress every second and of much else besides. */
function rarely(say) {
  let nextAt = 0;
  return (line) => {
    if (!PROGRESS.test(line) || performance.now() < nextAt) return;
    nextAt = performance.now() + SAY_EVERY_MS;
    say(line);
  };
}

/** By file. The report has what an earlier run left for the files that this one was not asked for. */
function mutantsIn({ files }, folder, asked) {
  const isAsked = (path) => asked.includes(path) || asked.includes(`lib/${folder}/**/*.ts`);
  const paths = Object.keys(files).filter((path) => path.startsWith(`lib/${folder}/`) && isAsked(path));
  return paths.map((path) => ({ path, ...countsOf(files[path].mutants) }));
}

function countsOf(mutants) {
  const count = (...outcomes) => mutants.filter(({ status }) => outcomes.includes(status)).length;
  return {
    noticed: count('Killed', 'Timeout'),
    missed: count('Survived', 'NoCoverage'),
    ignored: count('Ignored'),
  };
}

function rowOf(folder, files) {
  const sum = (name) => files.reduce((total, file) => total + file[name], 0);
  const iterations = sum('noticed') + sum('missed');
  const score = iterations === 0 ? 0 : (100 * sum('noticed')) / iterations;
  const details = `${sum('missed')} not noticed; ${sum('ignored')} left out, which are in what runs while modules are loaded`;
  const problems =
    score >= LEAST_SCORE ? [] : [`${score.toFixed(1)} % noticed; the worst: ${worstOf(files)}`];
  return { name: `lib/${folder}`, iterations, score, details, problems };
}

function worstOf(files) {
  const worst = files.toSorted((a, b) => b.missed - a.missed).slice(0, 5);
  return worst.map(({ path, missed }) => `${path} (${missed})`).join(', ');
}
