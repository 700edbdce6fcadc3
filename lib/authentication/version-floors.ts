/** What a floor says of a record that was read. */
export type Standing =
  | 'current'
  /** It was read before something happened that may have changed it. */
  | 'read_again'
  /** The store answered with an older version than one that is known to exist. */
  | 'below'
  /** As `below`, and the newer version is the end of the key. */
  | 'ended';

/** Of the changes that this process made itself. */
interface Floor {
  readonly version: number;
  readonly ended: boolean;
  /** Reads with at most this number must be repeated, whatever version they found. */
  readonly readAgainUpTo: number;
  /** Reads with at most this number began before the floor rose. */
  readonly setAt: number;
}

/** Of the changes that others told of, kept apart so that a lie cannot last as long as the truth beside it. */
interface ToldFloor {
  readonly version: number;
  readonly ended: boolean;
  /** Reads with at most this number began before it was told. */
  readonly at: number;
  /** Monotonic time from which a later read is believed, whatever version it found. */
  readonly heldUntil: number;
}

const MAX_FLOORS = 100_000;

const NOT_TOLD: ToldFloor = { version: 0, ended: false, at: 0, heldUntil: 0 };
const NO_FLOOR: Floor = { version: 0, ended: false, readAgainUpTo: 0, setAt: 0 };

/** A floor that was told need not be set anew for each time that it is told. */
const TOLD_ANEW_AFTER_MS = 10_000;

function holdsAlready(told: ToldFloor, version: number, ended: boolean, heldUntil: number): boolean {
  if (version > told.version || (ended && !told.ended)) return false;
  return version === 0 || heldUntil - told.heldUntil < TOLD_ANEW_AFTER_MS;
}

/**
 * For each key that was narrowed, the lowest version that may still be believed. Deleting a cached entry is not
 * enough: a read that was in flight during the change would put the old record back, and so would one from a replica
 * that lags. With a floor, such a record is recognised whenever it arrives.
 *
 * Reads are numbered, so that "read again" needs no list of the entries that it concerns.
 */
export class VersionFloors {
  /** Rises with each change here: an entry that was found current under it need not be asked about again. */
  generation = 0;
  #reads = 0;
  #allReadAgainUpTo = 0;
  /** Reads with at most this number were perhaps never held against a floor that has been forgotten since. */
  #forgottenUpTo = 0;
  /** In the order in which they rose last. */
  readonly #floors = new Map<string, Floor>();
  readonly #oldest: Iterator<[string, Floor]> = this.#floors.entries();
  /** What was told since then, and what was told before: the latter is dropped as a whole when nothing needs it. */
  #told = new Map<string, ToldFloor>();
  #toldBefore = new Map<string, ToldFloor>();
  #toldSince = Number.NEGATIVE_INFINITY;
  readonly #longestLifeMs: number;

  /** @param longestLifeMs - for which an entry may decide */
  constructor(longestLifeMs: number) {
    this.#longestLifeMs = longestLifeMs;
  }

  /** The number of a read that begins now. */
  nextRead(): number {
    this.#reads += 1;
    return this.#reads;
  }

  /** This process has made a change. */
  raise(id: string, version: number, ended: boolean): void {
    const floor = this.#floors.get(id) ?? NO_FLOOR;
    const raised = { version: Math.max(version, floor.version), ended: ended || floor.ended };
    this.#set(id, { ...floor, ...raised, setAt: this.#reads });
  }

  /**
   * A change was told of. What arrives from elsewhere is not proved: it may force reads for a while, and must not block
   * a key for good.
   *
   * @param now - monotonic time
   */
  raiseTold(id: string, version: number, ended: boolean, now: number, heldForMs: number): void {
    const old = this.#toldOf(id) ?? NOT_TOLD;
    const heldUntil = now + heldForMs;
    if (holdsAlready(old, version, ended, heldUntil)) return;
    this.#dropToldBefore(now, heldForMs);
    this.generation += 1;
    this.#told.set(id, {
      version: Math.max(version, old.version),
      ended: ended || old.ended,
      at: this.#reads,
      heldUntil: Math.max(heldUntil, old.heldUntil),
    });
  }

  /** Something may have happened to this key. */
  readAgain(id: string): void {
    const floor = this.#floors.get(id) ?? NO_FLOOR;
    this.#set(id, { ...floor, readAgainUpTo: this.#reads, setAt: this.#reads });
  }

  /** Something may have happened to any key. */
  readAllAgain(): void {
    this.generation += 1;
    this.#allReadAgainUpTo = this.#reads;
  }

  standing(id: string, version: number, read: number, monotonic: number): Standing {
    const standing = this.standingOf(id, version, read, monotonic);
    return standing === 'current' && read <= this.#allReadAgainUpTo ? 'read_again' : standing;
  }

  /** As {@link standing}, but for what is known of this one key alone. */
  standingOf(id: string, version: number, read: number, monotonic: number): Standing {
    const told = this.#toldOf(id) ?? NOT_TOLD;
    const floor = this.#floors.get(id) ?? NO_FLOOR;
    if (version < floor.version) return floor.ended ? 'ended' : 'below';
    if (version < told.version && monotonic < told.heldUntil) return told.ended ? 'ended' : 'below';
    const toldUpTo = version < told.version ? told.at : 0;
    const readAgainUpTo = Math.max(toldUpTo, floor.readAgainUpTo, this.#forgottenUpTo);
    return read <= readAgainUpTo ? 'read_again' : 'current';
  }

  #toldOf(id: string): ToldFloor | undefined {
    return this.#told.get(id) ?? this.#toldBefore.get(id);
  }

  /** So that a process that only ever hears of changes does not grow with each of them. */
  #dropToldBefore(now: number, heldForMs: number): void {
    const isOld = now - this.#toldSince > Math.max(heldForMs, this.#longestLifeMs);
    if (!isOld && this.#told.size < MAX_FLOORS / 2) return;
    for (const { at } of this.#toldBefore.values()) this.#forgottenUpTo = Math.max(this.#forgottenUpTo, at);
    this.#toldBefore = this.#told;
    this.#told = new Map();
    this.#toldSince = now;
  }

  #set(id: string, floor: Floor): void {
    this.generation += 1;
    this.#floors.delete(id);
    this.#floors.set(id, floor);
    if (this.#floors.size > MAX_FLOORS) this.#forgetOldest();
  }

  /**
   * By one iterator that goes on: each new one would first pass over all that was deleted in front. It never ends, as
   * all that it has passed is deleted, and whatever rises again goes behind it.
   */
  #forgetOldest(): void {
    const [id, floor] = this.#oldest.next().value as [string, Floor];
    this.#floors.delete(id);
    this.#forgottenUpTo = Math.max(this.#forgottenUpTo, floor.setAt);
  }
}
