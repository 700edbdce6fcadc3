export { type ActingAsOptions, actingAs } from './testing/acting-as.ts';
export { type FakeClock, fakeClock } from './testing/fake-clock.ts';
export { type Fault, type FaultStore, faultStore, type StoreMethod } from './testing/fault-store.ts';
export {
  keyStoreCases,
  type OpenedStore,
  type StoreAbility,
  type StoreCase,
} from './testing/key-store-cases.ts';
export { type TestKeyInput, testKey } from './testing/test-key.ts';
