// Runs Stryker: `node hardening/mutation/main.mjs [FILE,FILE...]`. Without files it mutates all that the configuration names.
import { Stryker } from '@stryker-mutator/core';

const [, , files] = process.argv;
const mutate = files === undefined ? undefined : { mutate: files.split(',') };
await new Stryker({ configFile: 'hardening/mutation/stryker.config.mjs', ...mutate }).runMutationTest();
