import type { KeyRecord } from '../keys/key-record.ts';
import type { ListQuery } from './key-store.ts';

/**
 * The names of all that a store keeps in Redis. Each begins with the prefix in braces, by which alone a cluster chooses
 * the server, so that scripts find there all that they touch.
 */
export class RedisNames {
  /** The stream of narrowing changes. */
  readonly log: string;
  readonly channel: string;
  readonly #start: string;

  constructor(prefix: string) {
    this.#start = `{${prefix}}`;
    this.log = `${this.#start}:changes`;
    this.channel = `${this.#start}:changed`;
  }

  record(id: string): string {
    return `${this.#start}:record:${id}`;
  }

  digest(digest: string): string {
    return `${this.#start}:digest:${digest}`;
  }

  previous(digest: string): string {
    return `${this.#start}:previous:${digest}`;
  }

  /** Of the previous digest; the record's own name where there is none: a cluster takes no empty name. */
  previousOf({ id, previous }: KeyRecord): string {
    return previous === undefined ? this.record(id) : this.previous(previous.digest);
  }

  /** The sorted sets that hold the id of a record. */
  indexes({ organization, owner }: KeyRecord): readonly string[] {
    return [this.#ids(), this.#organization(organization.id), this.#owner(owner.id)];
  }

  /** One of them that holds all that a question can be about. */
  narrowestIndex({ ownerId, organizationId }: ListQuery): string {
    if (ownerId !== undefined) return this.#owner(ownerId);
    return organizationId === undefined ? this.#ids() : this.#organization(organizationId);
  }

  #ids(): string {
    return `${this.#start}:ids`;
  }

  #organization(id: string): string {
    return `${this.#start}:organization:${id}`;
  }

  #owner(id: string): string {
    return `${this.#start}:owner:${id}`;
  }
}
