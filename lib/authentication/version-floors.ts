/** What a floor says of a record that was read. */
export type Standing =
  | 'current'
  /** It was read before something happened that may have changed it. */
  | 'read_again'
  /** The store answered with an older version than one that is known to exist. */
  | 'below'
  /** As `below`, and the newer version is the end of the key. */
  | 'ended';

interface Floor {
  /** Of the changes that this process made itself. */
  readonly version: number;
  readonly ended: boolean;
  readonly told: ToldFloor;
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
const NO_FLOOR: Floor = { version: 0, ended: false, told: NOT_TOLD, readAgainUpTo: 0, setAt: 0 };

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
  #oldest: Iterator<[string, Floor]> = this.#floors.entries();

  /** The number of a read that begins now. */
  nextRead(): number {
    this.#reads += 1;
    return this.#reads;
  }

  /**
   * @param heldUntil - monotonic time; `Infinity` for a change that this process made itself. What arrives from
   *   elsewhere is not proved: it may force reads for a while, and must not block a key for good.
   */
  raise(id: string, version: number, ended: boolean, heldUntil: number): void {
    const floor = this.#floors.get(id) ?? NO_FLOOR;
    const isTold = heldUntil < Number.POSITIVE_INFINITY;
    const old = isTold ? floor.told : floor;
    if (isTold && holdsAlready(floor.told, version, ended, heldUntil)) return;
    const raised = { version: Math.max(version, old.version), ended: ended || old.ended };
    const at = this.#reads;
    const told = { ...raised, at, heldUntil: Math.max(heldUntil, floor.told.heldUntil) };
    this.#set(id, { ...floor, ...(isTold ? { told } : raised), setAt: at });
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
    const floor = this.#floors.get(id);
    if (floor === undefined) return read <= this.#forgottenUpTo ? 'read_again' : 'current';
    if (version < floor.version) return floor.ended ? 'ended' : 'below';
    const { told } = floor;
    const isBelowTold = version < told.version;
    if (isBelowTold && monotonic < told.heldUntil) return told.ended ? 'ended' : 'below';
    const readAgainUpTo = isBelowTold ? Math.max(told.at, floor.readAgainUpTo) : floor.readAgainUpTo;
    return read <= readAgainUpTo ? 'read_again' : 'current';
  }

  #set(id: string, floor: Floor): void {
    this.generation += 1;
    this.#floors.delete(id);
    this.#floors.set(id, floor);
    if (this.#floors.size > MAX_FLOORS) this.#forgetOldest();
  }

  /** By one iterator that goes on: each new one would first pass over all that was deleted in front. */
  #forgetOldest(): void {
    let next = this.#oldest.next();
    if (next.done === true) {
      this.#oldest = this.#floors.entries();
      next = this.#oldest.next();
    }
    if (next.done === true) return;
    const [id, floor] = next.value;
    this.#floors.delete(id);
    this.#forgottenUpTo = Math.max(this.#forgottenUpTo, floor.setAt);
  }
}
