import type { Clock } from '../clock.ts';
import { ConflictError, InvalidInputError, KeyNotFoundError } from '../errors.ts';
import type { Events } from '../events.ts';
import type { ApiKey } from '../keys/api-key.ts';
import { apiKeyOf } from '../keys/api-key-view.ts';
import { idProblem } from '../keys/fields.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { KeyChange } from '../stores/key-store.ts';
import { membersOf } from './key-input.ts';
import type { ManagedRecords } from './managed-records.ts';

/** On what condition a change is made. */
export interface Conditional {
  /** The version that the key must have, else the call is a `ConflictError`. */
  readonly ifVersion?: number | undefined;
}

/** Who has to know of changes: the cache of this process. */
export interface ChangeListener {
  inserted(): void;
  narrowed(id: string, version: number, ended: boolean): void;
  readAgain(id: string): void;
}

export interface KeyEditorParts {
  readonly records: ManagedRecords;
  readonly listener: ChangeListener;
  readonly clock: Clock;
  readonly events: Events;
}

/** Who acts, as the audit tells it: somebody, and from where. */
export interface Actor {
  readonly actor: string;
  readonly from?: string | undefined;
}

/** How often a change is tried when another process keeps coming in between. */
const MAX_TRIES = 10;

/** Changes one key at a time, and tells the cache and the audit of it. */
export class KeyEditor {
  readonly #parts: KeyEditorParts;
  readonly #actor: Actor | undefined;
  /** The last edit under way of each key. */
  readonly #turns: Map<string, Promise<void>>;
  /** Keys of which the last write failed, so that it may have been carried out, or may yet be. */
  readonly #unsettled: Set<string>;

  /** @param sibling - whose edits wait for those of this one, and the reverse */
  constructor(parts: KeyEditorParts, actor?: Actor, sibling?: KeyEditor) {
    this.#parts = parts;
    this.#actor = actor;
    this.#turns = sibling === undefined ? new Map() : sibling.#turns;
    this.#unsettled = sibling === undefined ? new Set() : sibling.#unsettled;
  }

  /** The same editor, whose audit events name who acts. */
  actingFor(actor: Actor): KeyEditor {
    return new KeyEditor(this.#parts, actor, this);
  }

  /**
   * Reads, decides, and writes on condition that nothing changed in between; else begins again, unless the caller
   * named the version. In this process the edits of one key wait for each other.
   */
  async edit(
    action: string,
    id: string,
    options: Conditional | undefined,
    plan: (record: KeyRecord, now: number) => KeyChange | 'done' | Promise<KeyChange>,
  ): Promise<ApiKey> {
    const ifVersion = readIfVersion(options);
    if (idProblem(id) !== undefined) throw new KeyNotFoundError(typeof id === 'string' ? id : '');
    const turn = (this.#turns.get(id) ?? Promise.resolve()).then(() =>
      this.#tryEdit(action, id, ifVersion, plan),
    );
    const settled = turn.then(ignore, ignore);
    this.#turns.set(id, settled);
    settled.then(() => this.#turns.get(id) === settled && this.#turns.delete(id));
    return turn;
  }

  async #tryEdit(
    action: string,
    id: string,
    ifVersion: number | undefined,
    plan: (record: KeyRecord, now: number) => KeyChange | 'done' | Promise<KeyChange>,
  ): Promise<ApiKey> {
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      const record = await this.#parts.records.find(id);
      if (record === undefined) throw new KeyNotFoundError(id);
      if (ifVersion !== undefined && record.version !== ifVersion)
        throw otherVersion(ifVersion, record.version);
      const now = this.#parts.clock.now();
      const planned = await plan(record, now);
      if (planned === 'done' && !this.#unsettled.has(id)) {
        this.#tellWhatStopped(record);
        return apiKeyOf(record);
      }
      // A write that we gave up waiting for may still come, and undo what is done: a new version keeps it out.
      const change = planned === 'done' ? { narrows: true } : planned;
      const changed = await this.#write(record, { ...change, updatedAt: new Date(now) });
      if (changed === undefined) continue;
      this.audit(action, changed, changedMembers(record, change));
      return apiKeyOf(changed);
    }
    throw new ConflictError('The key was changed by others each time; try again.');
  }

  /** Somebody else stopped the key, and the news of it may still be on its way to the cache. */
  #tellWhatStopped({ id, version, enabled, revokedAt }: KeyRecord): void {
    const isRevoked = revokedAt !== undefined;
    if (isRevoked || !enabled) this.#parts.listener.narrowed(id, version, isRevoked);
  }

  /** Writes, and tells the cache whatever comes of it: a call that fails or ends too late may have been carried out. */
  async #write(record: KeyRecord, change: KeyChange): Promise<KeyRecord | undefined> {
    const { records, listener } = this.#parts;
    const { id, version } = record;
    const isMaybeDone = () => listener.readAgain(id);
    const onLate = () => {
      this.#unsettled.delete(id);
      isMaybeDone();
    };
    try {
      const changed = await records.update(id, change, version, onLate);
      this.#unsettled.delete(id);
      if (changed === undefined || !decides(change)) isMaybeDone();
      else listener.narrowed(id, changed.version, changed.revokedAt !== undefined);
      return changed;
    } catch (error) {
      this.#unsettled.add(id);
      isMaybeDone();
      throw error;
    } finally {
      if (change.digest !== undefined) listener.inserted();
    }
  }

  audit(action: string, { id, organization }: KeyRecord, changed: readonly string[]): void {
    const { events, clock } = this.#parts;
    if (!events.hears('audit')) return;
    events.emit({
      type: 'audit',
      at: clock.now(),
      action,
      keyId: id,
      organizationId: organization.id,
      ...(this.#actor === undefined ? undefined : { actor: this.#actor.actor }),
      ...(this.#actor?.from === undefined ? undefined : { from: this.#actor.from }),
      changed,
    });
  }
}

function ignore(): void {
  // How one edit ended is nothing to the next.
}

const DECIDES_NOTHING = new Set(['name', 'metadata', 'updatedAt', 'narrows', 'clear']);

/**
 * Whether a change touches what checks and guards read. Then no older version may be believed any more, also where
 * this change gives: it may stand on one by another process that took, and of which the news has not come.
 */
function decides(change: KeyChange): boolean {
  const cleared = change.clear?.length ?? 0;
  return cleared > 0 || Object.keys(change).some((name) => !DECIDES_NOTHING.has(name));
}

/** The members that a change sets, and of those that it clears the ones that were there. */
function changedMembers(record: KeyRecord, { clear = [], narrows: _narrows, ...set }: KeyChange): string[] {
  return [...Object.keys(set), ...clear.filter((name) => record[name] !== undefined)];
}

function readIfVersion(options: Conditional | undefined): number | undefined {
  if (options === undefined) return undefined;
  const ifVersion = membersOf(options, ['ifVersion'], '')['ifVersion'];
  if (ifVersion === undefined) return undefined;
  if (Number.isSafeInteger(ifVersion) && (ifVersion as number) >= 1) return ifVersion as number;
  throw new InvalidInputError('/ifVersion', 'must be a whole number of at least 1');
}

function otherVersion(wanted: number, found: number): ConflictError {
  return new ConflictError(`The key has version ${found} and not ${wanted}; read it again and decide anew.`);
}
