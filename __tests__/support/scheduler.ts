import type { KeyRecord } from '../../lib/keys/key-record.ts';
import { makeKeyText } from '../../lib/keys/key-text.ts';
import type { KeyChange, MaybePromise } from '../../lib/stores/key-store.ts';
import { changedRecord, GatedStore, type Narrowed, type Random } from './gated-store.ts';
import { buildRecord, CREATED_AT, digestOf } from './records.ts';

/*
 * Races between requests, changes of a key and the news of them, one interleaving for each seed. A design answers
 * requests over a gated store; which request asks, which store call goes on, which message arrives next is drawn by
 * lot. What it decides is then held against all versions that the key has had.
 */

export type ChangeKind = 'revoke' | 'disable' | 'enable' | 'narrow' | 'widen' | 'rotate' | 'delete';

/** An accepted request is one with these scopes. `unavailable` is what becomes a 503. */
export type Decision = readonly string[] | 'refused' | 'unavailable';

/** How a change ended: the version that the key has by it, and after a rotation its new text. */
export interface Changed {
  readonly version: number;
  readonly text?: string;
}

/** What is under test: something that decides requests and keeps records to do so. */
export interface Design {
  ask(text: string): MaybePromise<Decision>;
  /** A change by this process itself. After it resolves it must hold. */
  change(id: string, kind: ChangeKind): Promise<Changed>;
  close?(): unknown;
}

/** What a design stands on. Foreign changes come by `store.watch`. */
export interface World {
  readonly store: GatedStore;
  now(): number;
  /** A text for a rotated key. */
  spareText(): string;
  /** All texts that a key has had. A real process knows no key's text; some wrong designs are granted it. */
  textsOf(id: string): string[];
}

/** How long a design may decide by what it has read, and how much longer while its reads fail. */
export const TTL_MS = 10_000;
export const STALE_MS = 30_000;

/** Texts are the same in all interleavings: what they are plays no part. */
const TEXTS: readonly string[] = Array.from({ length: 16 }, () => makeKeyText('sk', 'live'));
const DIGESTS = new Map(TEXTS.map((text) => [text, digestOf(text)]));

/** The digest of a text, worked out once for each of ours. */
export function digestFor(text: string): string {
  return DIGESTS.get(text) ?? digestOf(text);
}

const CHANGING = buildRecord(1, { digest: digestOf(TEXTS[0] as string), scopes: ['a', 'b'] });
/** Nothing ever happens to it. */
const BYSTANDER = buildRecord(2, { digest: digestOf(TEXTS[1] as string), scopes: ['a'] });

const KINDS: readonly ChangeKind[] = ['revoke', 'disable', 'enable', 'narrow', 'widen', 'rotate', 'delete'];

// Looked up once: globals of a test's realm are slow to find.
const { floor, imul } = Math;

/** mulberry32: small, and good enough to draw lots. */
function randomFrom(seed: number): Random {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + imul(mixed ^ (mixed >>> 7), mixed | 61);
    return floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** The change as a store is told it; `undefined` when it would change nothing, or is not allowed. */
export function planOf(kind: ChangeKind, record: KeyRecord, newDigest: string): KeyChange | undefined {
  const { enabled, revokedAt, scopes } = record;
  if (kind === 'revoke')
    return revokedAt === undefined ? { revokedAt: CREATED_AT, narrows: true } : undefined;
  if (kind === 'disable') return enabled ? { enabled: false, narrows: true } : undefined;
  if (kind === 'enable') return enabled ? undefined : { enabled: true, narrows: false };
  if (kind === 'narrow') return { scopes: ['a'], narrows: scopes.length > 1 };
  if (kind === 'widen') return { scopes: ['a', 'b', 'c'], narrows: false };
  return enabled && revokedAt === undefined
    ? { digest: newDigest, clear: ['previous'], narrows: true }
    : undefined;
}

interface Credential {
  readonly id: string;
  readonly text: string;
  readonly digest: string;
  /** The first version that has this text. */
  readonly since: number;
}

export interface Scenario {
  readonly seed: number;
  readonly hasReplica: boolean;
  /** Whether promises settle after every step; else sometimes after two or three, done at one stroke. */
  readonly isGentle?: boolean;
  /** Whether messages get lost, and come twice. Late and in any order they come anyhow. */
  readonly isLossy?: boolean;
  readonly makeDesign: (world: World) => Design;
}

export interface Counts {
  accepted: number;
  refused: number;
  unavailable: number;
  falseAccepts: number;
  falseRefusals: number;
}

type Step = readonly [label: string, go: () => void];

class Interleaving {
  readonly counts: Counts = { accepted: 0, refused: 0, unavailable: 0, falseAccepts: 0, falseRefusals: 0 };
  readonly story: string[] = [];
  readonly #random: Random;
  readonly #store: GatedStore;
  readonly #design: Design;
  readonly #hasReplica: boolean;
  readonly #isGentle: boolean;
  readonly #isTold: boolean;
  readonly #credentials: Credential[] = [];
  /** Of each key, the version whose narrowing this process has been told of. */
  readonly #told = new Map<string, number>();
  #now = CREATED_AT.getTime();
  #texts = 2;
  #asked = 0;
  readonly #left: { asks: number; changes: number; ages: number; faults: number; losses: number };
  readonly #hasFaults: boolean;
  readonly #isLossy: boolean;
  #undecided = 0;

  constructor({ seed, hasReplica, isGentle = false, isLossy = false, makeDesign }: Scenario, isTold = false) {
    const random = randomFrom(seed);
    this.#random = random;
    this.#hasReplica = hasReplica;
    this.#isGentle = isGentle;
    this.#isTold = isTold;
    this.#left = {
      asks: 3 + random(4),
      changes: 1 + random(3),
      ages: random(2),
      faults: random(4) > 0 ? 0 : 2,
      losses: isLossy ? 3 : 0,
    };
    this.#hasFaults = this.#left.faults > 0;
    this.#isLossy = isLossy;
    this.#store = new GatedStore([CHANGING, BYSTANDER], hasReplica, random);
    for (const { id, digest } of [CHANGING, BYSTANDER]) {
      this.#credentials.push({ id, digest, text: TEXTS[this.#credentials.length] as string, since: 1 });
    }
    this.#design = makeDesign({
      store: this.#store,
      now: () => this.#now,
      spareText: () => this.#spareText(),
      textsOf: (id) => this.#credentials.filter((one) => one.id === id).map(({ text }) => text),
    });
  }

  /** One step, sometimes a few at one stroke, so that a message overtakes what a promise has yet to bring. */
  advance(): boolean {
    const strokes = this.#isGentle || this.#random(4) > 0 ? 1 : 2 + this.#random(2);
    for (let stroke = 1; stroke <= strokes; stroke += 1) {
      const steps = this.#steps();
      if (steps.length === 0) return stroke > 1;
      const [label, go] = steps[this.#random(steps.length)] as Step;
      this.#tell(stroke === 1 ? label : `  at once: ${label}`);
      go();
    }
    return true;
  }

  close(): unknown {
    return this.#design.close?.();
  }

  #steps(): Step[] {
    const steps: Step[] = [];
    const left = this.#left;
    if (left.asks > 0) steps.push(['', () => this.#ask()]);
    if (left.changes > 0) {
      steps.push(['', () => this.#changeHere()]);
      steps.push(['', () => this.#changeElsewhere()]);
    }
    for (const call of this.#store.calls) {
      if (!call.isDone) steps.push([`${call.label}: does its work`, call.work]);
      else {
        steps.push([`${call.label}: answers`, call.answer]);
        if (left.faults > 0) steps.push([`${call.label}: fails`, () => this.#fail(call)]);
      }
    }
    for (const message of this.#store.messages) {
      const { version } = message;
      steps.push([`message: version ${version}`, () => this.#deliver(message)]);
      if (left.losses === 0) continue;
      steps.push([`message: version ${version}, which will come again`, () => this.#deliver(message, true)]);
      steps.push([`message is lost: version ${version}`, () => this.#lose(message)]);
    }
    if (this.#store.isBehind)
      steps.push(['the replica catches up by one commit', () => this.#store.catchUp()]);
    if (left.ages > 0) steps.push(['what is cached grows too old', () => this.#age()]);
    return steps;
  }

  #ask(): void {
    this.#left.asks -= 1;
    this.#asked += 1;
    const credential = this.#credentials[this.#random(this.#credentials.length)] as Credential;
    const name = `request ${this.#asked}`;
    this.#tell(`${name} asks with text ${this.#credentials.indexOf(credential) + 1}`);
    const decision = this.#design.ask(credential.text);
    if (!isPromise(decision)) this.#judge(name, credential, decision);
    else {
      this.#undecided += 1;
      const settled = (made: Decision): void => {
        this.#undecided -= 1;
        this.#judge(name, credential, made);
      };
      decision.then(settled, () => settled('unavailable'));
    }
  }

  #changeHere(): void {
    this.#left.changes -= 1;
    const kind = KINDS[this.#random(KINDS.length)] as ChangeKind;
    const { id } = CHANGING;
    this.#tell(`own change begins: ${kind}`);
    this.#design.change(id, kind).then(
      ({ version, text }) => {
        this.#tell(`own change is over: ${kind}, version ${version}`);
        if (kind !== 'enable' && kind !== 'widen') this.#learn(id, version);
        if (text !== undefined) this.#add(text, version);
      },
      (error: Error) => this.#tell(`own change has failed: ${kind}, ${error.message}`),
    );
  }

  #changeElsewhere(): void {
    this.#left.changes -= 1;
    const kind = KINDS[this.#random(KINDS.length)] as ChangeKind;
    const { id } = CHANGING;
    const record = this.#store.latest(id);
    if (record === undefined) return;
    this.#tell(`foreign change is committed: ${kind}`);
    if (kind === 'delete') {
      this.#store.commit(id, undefined, true);
      return;
    }
    const text = this.#spareText();
    const change = planOf(kind, record, digestFor(text));
    if (change === undefined) return;
    this.#store.commit(id, changedRecord(record, change), change.narrows);
    if (kind === 'rotate') this.#add(text, record.version + 1);
  }

  #fail(call: { fail(): void }): void {
    this.#left.faults -= 1;
    call.fail();
  }

  #deliver(message: Narrowed, again = false): void {
    this.#store.deliver(message);
    this.#learn(message.id, message.version);
    if (again) {
      this.#left.losses -= 1;
      this.#store.messages.push(message);
    }
  }

  #lose(message: Narrowed): void {
    this.#left.losses -= 1;
    this.#store.messages.splice(this.#store.messages.indexOf(message), 1);
  }

  /**
   * So long that no entry lives on. Where messages can be lost it stands for them: of all that was committed before it this
   * process now knows as if it had been told. No request and no call takes as long, nor does a replica lag as long.
   */
  #age(): void {
    this.#left.ages -= 1;
    this.#now += TTL_MS + 1;
    if (!this.#isLossy || this.#undecided > 0 || this.#store.calls.length > 0) return;
    if (this.#hasFaults) this.#now += STALE_MS;
    while (this.#store.isBehind) this.#store.catchUp();
    for (const [id, { length }] of this.#store.histories) this.#learn(id, length);
  }

  #spareText(): string {
    const text = TEXTS[this.#texts] as string;
    this.#texts += 1;
    return text;
  }

  #add(text: string, since: number): void {
    this.#credentials.push({ id: CHANGING.id, text, digest: digestFor(text), since });
  }

  #learn(id: string, version: number): void {
    this.#told.set(id, Math.max(version, this.#told.get(id) ?? 1));
  }

  /**
   * Right is what some version of the key would have been answered: for an acceptance, one not older than the last
   * that this process was told of; for a refusal, any that has been, and on a replica also one before the text was.
   */
  #judge(name: string, credential: Credential, decision: Decision): void {
    const history = this.#store.historyOf(credential.id);
    let wrong = '';
    if (decision === 'unavailable') this.counts.unavailable += 1;
    else if (decision === 'refused') {
      this.counts.refused += 1;
      const possible = history.slice(this.#hasReplica ? 0 : credential.since - 1);
      if (possible.every((record) => admits(record, credential.digest, []))) wrong = 'FALSE REFUSAL';
      if (wrong !== '') this.counts.falseRefusals += 1;
    } else {
      this.counts.accepted += 1;
      const possible = history.slice((this.#told.get(credential.id) ?? 1) - 1);
      if (!possible.some((record) => admits(record, credential.digest, decision))) wrong = 'FALSE ACCEPT';
      if (wrong !== '') this.counts.falseAccepts += 1;
    }
    if (this.#isTold) this.#tell(`${name} is decided: ${describe(decision)} ${wrong}`.trimEnd());
  }

  #tell(line: string): void {
    if (this.#isTold && line !== '') this.story.push(line);
  }
}

export interface Outcome extends Counts {
  interleavings: number;
  /** The first scenario in which something was decided wrongly, and its place in the row, from 1. */
  firstWrong?: { readonly scenario: Scenario; readonly at: number };
}

export interface Plan extends Omit<Scenario, 'seed'> {
  readonly baseSeed: number;
  readonly interleavings: number;
  /** The kind of wrong decision of which one is enough. @default none: all that goes wrong counts */
  readonly stopsAt?: 'falseAccepts' | 'falseRefusals';
}

/** Interleavings that go on side by side, each in a world of its own, to wait for their promises together. */
const SIDE_BY_SIDE = 50;

export async function runInterleavings(plan: Plan): Promise<Outcome> {
  const { baseSeed, interleavings, stopsAt, ...circumstances } = plan;
  const outcome: Outcome = {
    interleavings: 0,
    accepted: 0,
    refused: 0,
    unavailable: 0,
    falseAccepts: 0,
    falseRefusals: 0,
  };
  while (outcome.interleavings < interleavings) {
    const size = Math.min(SIDE_BY_SIDE, interleavings - outcome.interleavings);
    const scenarios = Array.from({ length: size }, (_, n) => ({
      seed: seedOf(baseSeed, outcome.interleavings + n),
      ...circumstances,
    }));
    const batch = scenarios.map((scenario) => new Interleaving(scenario));
    await finish(batch);
    for (const [n, { counts }] of batch.entries()) {
      outcome.interleavings += 1;
      add(counts, outcome);
      const wrong = stopsAt === undefined ? counts.falseAccepts + counts.falseRefusals : counts[stopsAt];
      if (wrong > 0) outcome.firstWrong ??= { scenario: scenarios[n] as Scenario, at: outcome.interleavings };
      if (wrong > 0 && stopsAt !== undefined) return outcome;
    }
  }
  return outcome;
}

/** The steps of one interleaving, one to a line, under its seed. */
export async function replay(scenario: Scenario): Promise<string> {
  const interleaving = new Interleaving(scenario, true);
  await finish([interleaving]);
  const { seed, hasReplica } = scenario;
  return [`seed ${seed}, ${hasReplica ? 'with' : 'without'} a replica`, ...interleaving.story].join('\n');
}

async function finish(batch: readonly Interleaving[]): Promise<void> {
  let going = batch;
  while (going.length > 0) {
    await promisesAreSettled();
    going = going.filter((interleaving) => interleaving.advance());
  }
  await Promise.all(batch.map((interleaving) => interleaving.close()));
}

/** A turn of the event loop: no step of ours waits for anything but promises. */
function promisesAreSettled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function seedOf(baseSeed: number, n: number): number {
  return (baseSeed + imul(n, 0x9e3779b1)) | 0;
}

function add(counts: Counts, outcome: Outcome): void {
  for (const name of Object.keys(counts) as (keyof Counts)[]) outcome[name] += counts[name];
}

function admits(record: KeyRecord | undefined, digest: string, scopes: readonly string[]): boolean {
  if (record === undefined || record.digest !== digest || !record.enabled) return false;
  return record.revokedAt === undefined && scopes.every((scope) => record.scopes.includes(scope));
}

function describe(decision: Decision): string {
  return typeof decision === 'string' ? decision : `accepted with ${decision.join(' ')}`;
}

function isPromise(decision: MaybePromise<Decision>): decision is Promise<Decision> {
  return decision instanceof Promise;
}
