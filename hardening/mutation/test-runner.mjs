// Stryker's plug-in that runs the tests: all in one process, the quickest first.
import { readFileSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { INSTRUMENTER_CONSTANTS } from '@stryker-mutator/api/core';
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import {
  DryRunStatus,
  determineHitLimitReached,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';

/** Where the first process leaves for the others how long each test took. */
const TIMES = 'test-times.json';

/**
 * What all tests take, a mutant is given this share of. The slowest of those that come past it are left out where there are
 * too many: a mutant that only they would notice counts as missed.
 */
const SHARE_OF_TIME = 0.1;

class OneProcessRunner {
  /** What the mutants read: which of them is the one, and who came past. */
  #context = {};
  /** Of the copy of the project with the mutants in it, which is not the one that this file is read from. */
  #root = pathToFileURL(`${process.cwd()}/`);
  #files = [];
  #tests = new Map();
  #openFile;
  #problemOf;
  #times;
  #loaded = new Set();

  capabilities() {
    // Modules are loaded once; so mutants in what runs only while they are loaded are left out.
    return { reloadEnvironment: false };
  }

  async init() {
    globalThis[INSTRUMENTER_CONSTANTS.NAMESPACE] = this.#context;
    const own = (name) => new URL(`hardening/mutation/${name}.mjs`, this.#root);
    register(own('loader-hooks'));
    const { default: fc } = await import('fast-check');
    // A mutant that is noticed is noticed again the next time.
    fc.configureGlobal({ seed: 1 });
    const { openFile, tests } = await import(own('jest-globals'));
    const { problemOf } = await import(own('one-test'));
    const { testFiles } = await import(own('test-files'));
    this.#openFile = openFile;
    this.#tests = tests;
    this.#problemOf = problemOf;
    this.#files = testFiles(new URL('__tests__/', this.#root));
  }

  async dryRun() {
    await this.#load(this.#files);
    const results = [];
    for (const test of this.#tests.values()) {
      this.#context.currentTestId = test.id;
      results.push(await this.#runPatiently(test));
    }
    this.#context.currentTestId = undefined;
    const times = Object.fromEntries(results.map(({ id, timeSpentMs }) => [id, timeSpentMs]));
    writeFileSync(TIMES, JSON.stringify(times));
    return { status: DryRunStatus.Complete, tests: results, mutantCoverage: coverageOf(this.#context) };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit, sandboxFileName }) {
    this.#context.hitLimit = hitLimit;
    this.#context.hitCount = hitLimit === undefined ? undefined : 0;
    await this.#load(this.#files);
    this.#context.activeMutant = activeMutant.id;
    const nearest = relative(join(process.cwd(), 'lib'), sandboxFileName).replace('.ts', '');
    const results = await this.#tryTests(testFilter, nearest);
    const isEndless = determineHitLimitReached(this.#context.hitCount, this.#context.hitLimit);
    return isEndless ?? toMutantRunResult({ status: DryRunStatus.Complete, tests: results });
  }

  async #load(files) {
    for (const file of files.filter((one) => !this.#loaded.has(one))) {
      this.#loaded.add(file);
      this.#openFile(file);
      await import(new URL(`__tests__/${file}.test.ts`, this.#root));
    }
  }

  /** Those of the mutant's own file first, then those of its folder; the quicker before the slower; until one fails. */
  async #tryTests(ids, nearest) {
    this.#times ??= JSON.parse(readFileSync(TIMES, 'utf8'));
    const [folder] = nearest.split('/');
    const distance = ({ file }) => (file === nearest ? 0 : file.startsWith(`${folder}/`) ? 1 : 2);
    const tests = ids === undefined ? [...this.#tests.values()] : ids.map((id) => this.#tests.get(id));
    const inOrder = tests.toSorted(
      (a, b) => distance(a) - distance(b) || this.#times[a.id] - this.#times[b.id],
    );
    return this.#untilOneFails(this.#affordable(inOrder));
  }

  #affordable(tests) {
    let leftMs = SHARE_OF_TIME * Object.values(this.#times).reduce((sum, ms) => sum + ms, 0);
    return tests.filter(({ id }) => {
      leftMs -= this.#times[id];
      return leftMs > 0;
    });
  }

  async #untilOneFails(tests) {
    const results = [];
    for (const test of tests) {
      results.push(await this.#run(test));
      if (results.at(-1).status === TestStatus.Failed) break;
    }
    return results;
  }

  /** Without a mutant: some tests ask servers, which on a busy machine may take too long once. */
  async #runPatiently(test) {
    let result = await this.#run(test);
    for (let again = 0; again < 3 && result.status === TestStatus.Failed; again += 1)
      result = await this.#run(test);
    return result;
  }

  async #run(test) {
    const { id, file } = test;
    const start = performance.now();
    const problem = await this.#problemOf(test);
    const timeSpentMs = Math.round(performance.now() - start);
    const fileName = join(process.cwd(), '__tests__', `${file}.test.ts`);
    if (problem !== undefined) return failed(id, fileName, problem, timeSpentMs);
    return { id, name: id, fileName, timeSpentMs, status: TestStatus.Success };
  }
}

/** What tests come past is tried in them, though it ran while modules were loaded too. */
function coverageOf({ mutantCoverage: { static: whileLoaded, perTest } }) {
  const inTests = new Set(Object.values(perTest).flatMap((counts) => Object.keys(counts)));
  const onlyThen = Object.entries(whileLoaded).filter(([id]) => !inTests.has(id));
  return { static: Object.fromEntries(onlyThen), perTest };
}

function failed(id, fileName, failureMessage, timeSpentMs) {
  return { id, name: id, fileName, timeSpentMs, status: TestStatus.Failed, failureMessage };
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'one-process', OneProcessRunner)];
