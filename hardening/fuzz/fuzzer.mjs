// Sends random inputs through one check, for as many as are asked for, and says which of them failed.
import { setImmediate } from 'node:timers/promises';
import { createChoices, seedOf } from './choices.mjs';
import { wrong } from './findings.mjs';
import { watchProcess } from './process-watch.mjs';
import { smallest } from './smallest.mjs';

/**
 * @typedef {import('./findings.mjs').Finding} Finding
 * @typedef {import('./choices.mjs').Choices} Choices
 * @typedef {import('../parts.mjs').Row} Row
 *
 * @typedef {object} Fuzzer
 * @property {string} name
 * @property {(choose: Choices) => any} make - an input, as JSON
 * @property {(input: any) => Finding | undefined | Promise<Finding | undefined>} check
 * @property {(input: any) => boolean} [mayTakeLong] - whether its time is not judged
 * @property {() => Finding | undefined | Promise<Finding | undefined>} control - whether good credentials still work
 * @property {() => string} [details] - what its inputs came to, for the table
 * @property {() => void | Promise<void>} [refresh] - now and then: forgets what has piled up
 * @property {() => void | Promise<void>} close
 */

/** Inputs between two controls, after which the event loop turns once. */
const BATCH = 500;
const BATCHES_UNTIL_REFRESH = 100;
/** More would mean that nothing works, and each costs a search for the smallest. */
const MOST_FINDINGS = 5;
/** What is cut off can be had again by the seed. */
const LONGEST_LINE = 1_500;
const SLOW_MS = 5;
const SLOW_TRIES = 8;

/**
 * @param {Fuzzer} fuzzer
 * @param {object} options
 * @param {number} options.seed
 * @param {number} options.iterations
 * @param {boolean} [options.isTimed] - whether an input may fail for being slow
 * @returns {Promise<Row>}
 */
export async function fuzz(fuzzer, { seed, iterations, isTimed = false }) {
  const run = new Run(fuzzer, seed, isTimed);
  // The timers of what is tested let a process end; that of a question that has no answer yet must not.
  const alive = setInterval(() => undefined, 1_000);
  try {
    const start = performance.now();
    const done = await run.askAll(iterations);
    const rate = `${Math.round((done / (performance.now() - start)) * 1_000).toLocaleString('en')}/s`;
    const slowest = isTimed ? `slowest ${run.slowestMs.toFixed(1)} ms` : '';
    await run.end();
    const details = [rate, slowest, fuzzer.details?.() ?? ''].filter((text) => text !== '').join(', ');
    return { name: fuzzer.name, iterations: done, ...run.counts, details, problems: run.problems };
  } finally {
    clearInterval(alive);
    run.stop();
  }
}

/**
 * One line of what was once found, asked again.
 *
 * @param {Fuzzer} fuzzer
 * @param {unknown} input
 */
export async function replay(fuzzer, input) {
  await setImmediate();
  const finding = (await fuzzer.check(input)) ?? (await fuzzer.control());
  return finding && `${finding.kind}: ${finding.text}, by ${JSON.stringify(input)}`;
}

class Run {
  counts = { falseAccepts: 0, falseRefusals: 0 };
  /** @type {string[]} */
  problems = [];
  slowestMs = 0;
  #fuzzer;
  #seed;
  #isTimed;
  #watch = watchProcess();

  /** @param {Fuzzer} fuzzer @param {number} seed @param {boolean} isTimed */
  constructor(fuzzer, seed, isTimed) {
    this.#fuzzer = fuzzer;
    this.#seed = seed;
    this.#isTimed = isTimed;
  }

  get goesOn() {
    return this.problems.length < MOST_FINDINGS;
  }

  /** @param {number} iterations @returns how many it came to */
  async askAll(iterations) {
    const choose = createChoices(seedOf(this.#seed, this.#fuzzer.name));
    // A store's watch begins in the background, and what is read meanwhile is read twice.
    await setImmediate();
    // What is good is known from then on, whatever follows.
    await this.control();
    let done = 0;
    for (let batch = 1; done < iterations && this.goesOn; batch += 1) {
      const end = Math.min(iterations, done + BATCH);
      for (; done < end && this.goesOn; done += 1) await this.ask(this.#fuzzer.make(choose));
      if (batch % BATCHES_UNTIL_REFRESH === 0) await this.#fuzzer.refresh?.();
      await this.control();
    }
    return done;
  }

  /** Without a promise where there is none: most inputs are decided at once. @param {unknown} input */
  ask(input) {
    const start = performance.now();
    const pending = this.#fuzzer.check(input);
    if (pending === undefined || !('then' in pending)) {
      return this.#judge(input, pending, performance.now() - start);
    }
    return pending.then((finding) => this.#judge(input, finding, performance.now() - start));
  }

  /** @param {unknown} input @param {Finding | undefined} finding @param {number} ms */
  #judge(input, finding, ms) {
    if (finding !== undefined) return this.#report(input, finding);
    return this.#isTimed && ms > SLOW_MS ? this.#judgeTime(input) : undefined;
  }

  /** Of a busy machine every input is slow now and then; one that is slow each time is slow by itself. @param {unknown} input */
  async #judgeTime(input) {
    if (this.#fuzzer.mayTakeLong?.(input)) return;
    const ms = await quickest(this.#fuzzer, input);
    this.slowestMs = Math.max(this.slowestMs, ms);
    if (ms > SLOW_MS) await this.#report(input, wrong(`takes ${ms.toFixed(1)} ms`));
  }

  /** @param {unknown} input @param {Finding} finding */
  async #report(input, { kind, text }) {
    this.#count(kind);
    const isSlow = text.startsWith('takes ');
    const found = isSlow
      ? input
      : await smallest(input, async (one) => isFoundAgain(this.#fuzzer, one, { kind, text }));
    const line = JSON.stringify({ fuzzer: this.#fuzzer.name, input: found });
    this.problems.push(`${kind}: ${text}; --seed ${this.#seed}; to be kept: ${line.slice(0, LONGEST_LINE)}`);
  }

  /** @param {Finding['kind']} kind */
  #count(kind) {
    if (kind === 'false accept') this.counts.falseAccepts += 1;
    if (kind === 'false refusal') this.counts.falseRefusals += 1;
  }

  async control() {
    const finding = await this.#fuzzer.control();
    if (finding !== undefined) {
      this.#count(finding.kind);
      this.problems.push(`${finding.kind}, of the control: ${finding.text}; --seed ${this.#seed}`);
    }
    await this.#look();
  }

  async #look() {
    await setImmediate();
    for (const seen of this.#watch.read()) this.problems.push(`${seen}; --seed ${this.#seed}`);
  }

  async end() {
    await this.#fuzzer.close();
    await this.#look();
  }

  stop() {
    this.#watch.end();
  }
}

/**
 * Where a part of what describes an input is gone, the check itself may fail, which shows nothing.
 *
 * @param {Fuzzer} fuzzer
 * @param {unknown} input
 * @param {Finding} finding
 */
async function isFoundAgain(fuzzer, input, { kind, text }) {
  try {
    const again = await fuzzer.check(input);
    return again?.kind === kind && again.text === text;
  } catch {
    return false;
  }
}

/**
 * In milliseconds of this process alone: on the clock of the wall, other processes count too.
 *
 * @param {Fuzzer} fuzzer
 * @param {unknown} input
 */
async function quickest(fuzzer, input) {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < SLOW_TRIES && least > SLOW_MS; tries += 1) {
    const start = process.cpuUsage();
    await fuzzer.check(input);
    const { user, system } = process.cpuUsage(start);
    least = Math.min(least, (user + system) / 1_000);
  }
  return least;
}
