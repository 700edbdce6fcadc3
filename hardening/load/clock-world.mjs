// What one random schedule plays with: a process that checks keys, another that changes them, the store between them, and
// the judge of every answer, who knows what the store has held and when it was read.
import { createHash } from 'node:crypto';
import { createApiKeys, MemoryKeyStore } from 'keystile';
import { PREFIX } from './key-texts.mjs';

const TTL_MS = 10_000;
const STALE_MS = 30_000;
const SILENCE_MS = 5_000;
const HEARTBEAT_MS = 2_000;
/** Of a call to the store: who has waited longer, behind a process that stood still, may be told of a fault. */
const DEADLINE_MS = 1_000;
/** So long a store that failed may be left alone, by its own clock. */
const LONGEST_REST_MS = 31_000;

export class ClockWorld {
  problems = [];
  counts = { accepted: 0, refused: 0, unavailable: 0, hits: 0, falseAccepts: 0, falseRefusals: 0 };
  isDown = false;
  isSilent = false;
  latencyMs = 0;
  keys = [];
  #time;
  #memory = new MemoryKeyStore();
  /** Hears of changes; nobody does after a watch was lost and before the next one. */
  #onChange;
  /** Of each key, the versions that there were. @type {Map<string, Map<number, import('keystile').KeyRecord>>} */
  #versions = new Map();
  /** Answers of the store to the process that checks. */
  #reads = [];
  /** Questions that have no answer yet, the oldest first. */
  #open = [];
  #failedAt = Number.NEGATIVE_INFINITY;
  #heardAt = { wall: Number.NEGATIVE_INFINITY, monotonic: Number.NEGATIVE_INFINITY };
  /** Messages that have not arrived. */
  #messages = [];
  /** Of each key, the lowest version that may be believed. */
  #floors = new Map();

  constructor(time) {
    this.#time = time;
    const now = () => time.wall;
    const silence = ['late_without_watch', 'watch_lost'];
    this.apiKeys = createApiKeys({ store: this.#watchedStore(), prefix: PREFIX, now, silence });
    this.elsewhere = createApiKeys({ store: methodsOf(this.#memory), prefix: PREFIX, now, silence });
  }

  /** A new key, which the process that checks has not seen yet. */
  async addKey(input) {
    const { key, apiKey } = await this.elsewhere.create({
      name: 'key',
      organization: { id: 'org_1' },
      ...input,
    });
    this.keys.push({ text: key, id: apiKey.id });
    await this.#remember(apiKey.id);
  }

  /** Another process changes a key, and a message is on its way. */
  async changeElsewhere(id, change) {
    await change(this.elsewhere, id);
    const { version, revokedAt } = await this.#remember(id);
    this.#messages.push({ type: 'narrowed', id, version, ended: revokedAt !== undefined });
  }

  /** The process that checks changes a key itself. */
  async changeHere(id, change) {
    await change(this.apiKeys, id);
    const { version } = await this.#remember(id);
    this.#raise(id, version);
  }

  deliver() {
    for (const message of this.#messages.splice(0)) {
      if (this.isSilent || this.#onChange === undefined) continue;
      this.#tell(message);
      this.#raise(message.id, message.version);
    }
  }

  /** Asks about a text, and judges the answer at the moment at which it comes. */
  ask({ text, id }) {
    const verdict = this.apiKeys.verify(text);
    if (!(verdict instanceof Promise)) {
      this.counts.hits += 1;
      this.#judge(text, id, verdict, true);
      return undefined;
    }
    const question = { id, ...this.#now() };
    this.#open.push(question);
    return verdict
      .then(
        (late) => this.#judge(text, id, late, false),
        (error) => this.#judgeFault(question, error),
      )
      .finally(() => this.#open.splice(this.#open.indexOf(question), 1));
  }

  async close() {
    this.isDown = false;
    await Promise.all([this.apiKeys.close(), this.elsewhere.close()]);
  }

  // ---- the store of the process that checks -------------------------------------------------------------------------

  #watchedStore() {
    const { findByDigest, findById, update } = methodsOf(this.#memory);
    const call = async (act) => {
      if (this.isDown) {
        this.#failedAt = this.#time.monotonic;
        throw new Error('the store is down');
      }
      return act();
    };
    return {
      findByDigest: (digests) => this.#read(() => call(() => findByDigest(digests))),
      findById: (id) => call(() => findById(id)),
      update: (...given) => call(() => update(...given)),
      insert: async () => undefined,
      list: async () => ({ records: [] }),
      watch: (onChange) => call(() => this.#watch(onChange)),
    };
  }

  async #read(find) {
    const begunAt = this.#now();
    const latencyMs = this.latencyMs;
    if (latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, latencyMs));
    const record = await find();
    if (record !== undefined) {
      const { id, version } = record;
      const askedAt = this.#open.find((question) => question.id === id) ?? begunAt;
      this.#reads.push({ id, version, begunAt, askedAt, answeredAt: this.#now() });
    }
    return record;
  }

  #watch(onChange) {
    let isOver = false;
    this.#onChange = onChange;
    this.#heardAt = this.#now();
    const beat = () => {
      if (isOver) return;
      if (!this.isSilent && !this.isDown) this.#tell({ type: 'alive' });
      setTimeout(beat, HEARTBEAT_MS);
    };
    setTimeout(beat, HEARTBEAT_MS);
    return () => {
      isOver = true;
      if (this.#onChange === onChange) this.#onChange = undefined;
    };
  }

  #tell(message) {
    this.#heardAt = this.#now();
    this.#onChange(message);
  }

  // ---- the judge ----------------------------------------------------------------------------------------------------

  #judge(text, id, verdict, isHit) {
    if (!verdict.ok) {
      this.counts.refused += 1;
      const reason = refusalOf(this.#latest(id), text, this.#time.wall);
      if (reason !== undefined) return;
      this.counts.falseRefusals += 1;
      this.problems.push(`a good key was refused as ${verdict.reason}`);
      return;
    }
    this.counts.accepted += 1;
    const problem = this.#problemOf(text, id, verdict.apiKey.version, isHit);
    if (problem === undefined) return;
    this.counts.falseAccepts += 1;
    this.problems.push(problem);
  }

  /** What is wrong with accepting a key by this version of its record. */
  #problemOf(text, id, version, isHit) {
    const reason = refusalOf(this.#versions.get(id)?.get(version), text, this.#time.wall);
    if (reason !== undefined) return `a key was accepted that was ${reason}`;
    if (version < (this.#floors.get(id) ?? 0))
      return 'a key was accepted as it was before a change that is known';
    const reads = this.#reads.filter((read) => read.id === id && read.version === version);
    // It is as old as its question; where the clock was set back in between, that may be younger than the read.
    const ageMs = Math.min(
      ...reads.flatMap(({ begunAt, askedAt }) => [begunAt, askedAt].map((at) => this.#ageOf(at))),
    );
    if (isHit) {
      const mostMs = this.#ageOf(this.#heardAt) < SILENCE_MS ? TTL_MS : SILENCE_MS;
      return ageMs < mostMs ? undefined : `an entry decided ${ageMs} ms after it was read, and not ${mostMs}`;
    }
    if (reads.some(({ answeredAt }) => this.#isNow(answeredAt))) return undefined;
    if (!this.#mayBeFailing()) return 'an old entry decided although the store answers';
    return ageMs < TTL_MS + STALE_MS ? undefined : `an entry bridged ${ageMs} ms`;
  }

  #judgeFault({ id }, error) {
    this.counts.unavailable += 1;
    // Whoever asks meanwhile waits for the same read, and shares its end.
    const hasWaited = this.#open.some(
      (one) => one.id === id && this.#time.monotonic - one.monotonic >= DEADLINE_MS,
    );
    if (error.code !== 'temporarily_unavailable') this.problems.push(`${id}: ${error.code} ${error.message}`);
    else if (!this.#mayBeFailing() && !hasWaited) this.problems.push('a fault although the store answers');
  }

  #now() {
    const { wall, monotonic } = this.#time;
    return { wall, monotonic };
  }

  /** The larger of what both clocks say. */
  #ageOf({ wall, monotonic }) {
    return Math.max(this.#time.wall - wall, this.#time.monotonic - monotonic);
  }

  #isNow({ wall, monotonic }) {
    return wall === this.#time.wall && monotonic === this.#time.monotonic;
  }

  #mayBeFailing() {
    return this.isDown || this.#time.monotonic - this.#failedAt < LONGEST_REST_MS;
  }

  #latest(id) {
    return [...(this.#versions.get(id)?.values() ?? [])].at(-1);
  }

  #raise(id, version) {
    this.#floors.set(id, Math.max(version, this.#floors.get(id) ?? 0));
  }

  async #remember(id) {
    const record = await this.#memory.findById(id);
    const versions = this.#versions.get(id) ?? new Map();
    this.#versions.set(id, versions.set(record.version, record));
    return record;
  }
}

/** Why a text is to be refused by a record at a time of the wall clock. */
function refusalOf(record, text, wall) {
  const digest = `sha256:${createHash('sha256').update(text).digest('base64url')}`;
  if (record === undefined) return 'unknown';
  if (record.revokedAt !== undefined) return 'revoked';
  if (!record.enabled) return 'disabled';
  const isOld = record.digest !== digest;
  if (isOld && record.previous?.digest !== digest) return 'unknown';
  if (isOld && wall >= record.previous.expiresAt.getTime()) return 'rotated';
  if (record.expiresAt !== undefined && wall >= record.expiresAt.getTime()) return 'expired';
  if (record.notBefore !== undefined && wall < record.notBefore.getTime()) return 'not yet valid';
  return undefined;
}

/** As functions that can be handed on; `watch()` is not among them. */
function methodsOf(store) {
  const names = ['findByDigest', 'findById', 'insert', 'update', 'list', 'delete'];
  return Object.fromEntries(names.map((name) => [name, store[name].bind(store)]));
}
