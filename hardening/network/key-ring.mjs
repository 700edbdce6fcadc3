// The keys that requests carry: good, revoked, unknown, and those that are revoked meanwhile.
import { createApiKeys, MemoryKeyStore } from 'keystile';
import { newSubject } from './judge.mjs';
import { SCOPE } from './traffic.mjs';

const REVOKED = 30;
const UNKNOWN = 30;
const INPUT = { name: 'Key', organization: { id: 'org_1' }, scopes: [SCOPE] };

export class KeyRing {
  #issuer;
  #size;
  #good = [];
  /** Those of this row, and revoked ones of earlier rows. */
  #revoked = [];
  #unknown = [];

  /** @param {import('keystile').ApiKeys} issuer - over the same store, past the fault */
  constructor(issuer, size) {
    this.#issuer = issuer;
    this.#size = size;
  }

  static async filled(issuer, size) {
    const ring = new KeyRing(issuer, size);
    // Well-formed, checksum and all, and issued elsewhere.
    const elsewhere = createApiKeys({ store: new MemoryKeyStore(), prefix: 'acme' });
    for (let i = 0; i < UNKNOWN; i += 1) {
      const { key, apiKey } = await elsewhere.create(INPUT);
      ring.#unknown.push(newSubject(key, apiKey.id, 'refused'));
    }
    await elsewhere.close();
    for (let i = 0; i < REVOKED; i += 1) {
      const subject = await ring.#issue();
      await issuer.revoke(subject.id);
      ring.#revoked.push({ ...subject, state: 'refused' });
    }
    await ring.refill();
    return ring;
  }

  async #issue() {
    const { key, apiKey } = await this.#issuer.create(INPUT);
    return newSubject(key, apiKey.id);
  }

  /** Makes up for those that were revoked. */
  async refill() {
    while (this.#good.length < this.#size) this.#good.push(await this.#issue());
  }

  pick(random) {
    const share = random();
    if (share < 0.8) return this.pickGood(random);
    return oneOf(share < 0.9 ? this.#revoked : this.#unknown, random);
  }

  pickGood(random) {
    return oneOf(this.#good, random);
  }

  /** A good key that is about to be revoked; from now on it counts among those that were. */
  takeGood(random) {
    if (this.#good.length < this.#size / 2) return undefined;
    const [one] = this.#good.splice(Math.floor(random() * this.#good.length), 1);
    this.#revoked.push(one);
    return one;
  }

  /** The ids of those whose revocation was acknowledged, and which the store holds for good. */
  async stillAccepted() {
    const ids = [];
    for (const { id, state } of this.#revoked) {
      const apiKey = state === 'refused' ? await this.#issuer.get(id) : undefined;
      if (apiKey !== undefined && apiKey.revokedAt === undefined) ids.push(id);
    }
    return ids;
  }
}

function oneOf(list, random) {
  return list[Math.floor(random() * list.length)];
}
