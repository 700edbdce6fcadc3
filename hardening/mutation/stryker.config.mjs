// Mutation testing of what decides: `npm run test:hardening -- mutation`.
export default {
  mutate: ['lib/{keys,authentication,middleware}/**/*.ts'],
  testRunner: 'one-process',
  plugins: ['./hardening/mutation/test-runner.mjs'],
  coverageAnalysis: 'perTest',
  // What runs only while modules are loaded would take a process of seconds for each mutant.
  ignoreStatic: true,
  // Stryker would rewrite it with an API that TypeScript 7 does not have any more, and nothing here compiles.
  tsconfigFile: 'none',
  disableTypeChecks: false,
  concurrency: 2,
  // A mutant that takes too long counts as noticed: on a busy machine one that lives on must not.
  timeoutMS: 60_000,
  timeoutFactor: 0.5,
  ignorePatterns: ['dist', '.cache', 'bench/peers'],
  tempDirName: '.cache/stryker',
  incremental: true,
  incrementalFile: '.cache/stryker-incremental.json',
  reporters: ['clear-text', 'json', 'progress-append-only'],
  jsonReporter: { fileName: '.cache/mutation.json' },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportMutants: false },
};
