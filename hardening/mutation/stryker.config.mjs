// Mutation testing of what decides: `npm run test:hardening -- mutation`.
export default {
  mutate: ['lib/{keys,authentication,middleware}/**/*.ts'],
  testRunner: 'one-process',
  plugins: ['./hardening/mutation/test-runner.mjs'],
  coverageAnalysis: 'perTest',
  // Stryker would rewrite it with an API that TypeScript 7 does not have any more, and nothing here compiles.
  tsconfigFile: 'none',
  disableTypeChecks: false,
  concurrency: 2,
  timeoutMS: 20_000,
  timeoutFactor: 0.5,
  ignorePatterns: ['dist', '.cache', 'bench/peers'],
  tempDirName: '.cache/stryker',
  incremental: true,
  incrementalFile: '.cache/stryker-incremental.json',
  reporters: ['clear-text', 'json', 'progress-append-only'],
  jsonReporter: { fileName: '.cache/mutation.json' },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportMutants: false },
};
