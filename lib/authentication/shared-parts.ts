import type { Organization, Owner } from '../keys/api-key.ts';
import type { KeyRecord } from '../keys/key-record.ts';

/** So many of each are remembered at least, and twice as many at most. */
const MOST_REMEMBERED = 5_000;

/** Longer lists of scopes than this, in characters, are not worth remembering. */
const LONGEST_NAME = 1_000;

/**
 * Makes the records that are kept share what is equal: an organization, an owner, a list of scopes. Thousands of keys
 * have the same, and each would hold 300 bytes of its own.
 *
 * A part is found by all that it says, so that nobody gets another's; it is frozen to the bottom, so that nobody can
 * change what others hold; and only so many are remembered, whoever they belong to.
 */
export class SharedParts {
  readonly #organizations = new Remembered<Organization>();
  readonly #owners: { readonly [Type in Owner['type']]: Remembered<Owner> } = {
    organization: new Remembered(),
    user: new Remembered(),
    service: new Remembered(),
  };
  readonly #scopes = new Remembered<KeyRecord['scopes']>();

  /** The record, as it is but for the parts that others have as well. */
  partsOf(record: KeyRecord): KeyRecord {
    const { organization, owner, scopes } = record;
    // No id holds a space, and no scope: so no two parts have one name.
    const organizationName =
      organization.slug === undefined ? organization.id : `${organization.id} ${organization.slug}`;
    return {
      ...record,
      organization: this.#organizations.sameAs(organizationName, organization),
      owner: this.#owners[owner.type].sameAs(owner.id, owner),
      scopes: this.#scopes.sameAs(scopes.join(' '), scopes),
    };
  }
}

/**
 * In two maps: when the newer one is full, the older one is thrown away whole, which costs nothing for each part. What
 * is used goes on living in the newer one.
 */
class Remembered<T> {
  #older = new Map<string, T>();
  #newer = new Map<string, T>();

  /** The part of this name that is remembered, or else the one given, from now on. */
  sameAs(name: string, part: T): T {
    if (name.length > LONGEST_NAME) return part;
    const known = this.#newer.get(name);
    if (known !== undefined) return known;
    const shared = this.#older.get(name) ?? part;
    if (this.#newer.size >= MOST_REMEMBERED) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(name, shared);
    return shared;
  }
}
