import type { ApiKeysConfig } from './api-keys-options.ts';
import { Authenticator } from './authentication/authenticator.ts';
import { warnOfLateChanges } from './authentication/bound-warnings.ts';
import { createCircuit } from './authentication/circuit.ts';
import { EntryReader } from './authentication/entry-reader.ts';
import { Explainer } from './authentication/explainer.ts';
import { LookupCache } from './authentication/lookup-cache.ts';
import { createOwnerCheck } from './authentication/owner-check.ts';
import { createRecordReader } from './authentication/record-reader.ts';
import { createRefusalCounter, type RefusalCounter } from './authentication/refusal-counter.ts';
import { createRehasher } from './authentication/rehasher.ts';
import { createUseRecorder, type UseRecorder } from './authentication/use-recorder.ts';
import { createVerifiers, type Verifiers } from './authentication/verifiers.ts';
import { startWatcher, type Watcher } from './authentication/watcher.ts';
import { WrongSecrets } from './authentication/wrong-secrets.ts';
import { type Clock, createClock } from './clock.ts';
import { createEvents, type Events } from './events.ts';
import { Issuer } from './issuance/issuer.ts';
import { createManagedRecords } from './issuance/managed-records.ts';
import { createDigester } from './keys/digest.ts';
import { createStoreCaller, type StoreCaller } from './stores/guarded-store.ts';

export interface ApiKeysParts {
  readonly authenticator: Authenticator;
  readonly explainer: Explainer;
  readonly issuer: Issuer;
  readonly caller: StoreCaller;
  readonly uses: UseRecorder | undefined;
  readonly refusals: RefusalCounter;
  readonly watcher: Watcher | undefined;
  readonly verifiers: Verifiers;
  readonly events: Events;
  readonly clock: Clock;
}

/** The parts of one `createApiKeys()`, made and put together. */
export function assembleParts(config: ApiKeysConfig): ApiKeysParts {
  const { store, prefix, environment, environments } = config;
  const clock = createClock(config.now);
  const events = createEvents(config.onEvent, config.silence);
  const caller = createStoreCaller(config.storeTimeoutMs, clock, events);
  const cache = new LookupCache(config.cache, clock);
  const digester = createDigester(config.peppers, config.acceptPlainDigests);
  const circuit = createCircuit(clock, config.storeTimeoutMs);
  const reader = createRecordReader({ store, caller, circuit, digester, clock });
  const verifiers = createVerifiers(prefix, environments, config.verifiers);
  const refusals = createRefusalCounter(prefix, clock, events);
  const uses = createUseRecorder(store, caller);
  const ownerCheck = config.ownerStatus && createOwnerCheck(config.ownerStatus, caller);
  const rehash = createRehasher(store, caller, clock);
  const entryReader = new EntryReader({ environments, cache, reader, ownerCheck, rehash, clock });
  const authenticator = new Authenticator({
    environments,
    verifiers,
    cache,
    reader,
    entryReader,
    uses,
    refusals,
    wrongSecrets: new WrongSecrets(clock),
    clock,
    events,
  });
  const explainer = new Explainer({
    prefix,
    environments,
    verifiers,
    plugIns: config.verifiers,
    cache,
    reader,
    ownerCheck,
    clock,
  });
  const records = createManagedRecords(store, caller);
  const { makers } = verifiers;
  const issuer = new Issuer({
    prefix,
    environment,
    records,
    digester,
    makers,
    scopes: config.scopes,
    listener: cache,
    clock,
    events,
  });
  warnOfLateChanges(store, config.cache, clock, events);
  const watcher = startWatcher({ store, caller, cache, clock, events });
  return { authenticator, explainer, issuer, caller, uses, refusals, watcher, verifiers, events, clock };
}
