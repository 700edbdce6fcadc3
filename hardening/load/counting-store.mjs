// A store in memory that counts what it is asked, and answers a turn of the event loop later, as a database would.
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Has no watch, so that nothing but requests asks it anything. */
export class CountingStore {
  calls = 0;
  /** Of those, the ones that found nothing. */
  missed = 0;
  atOnce = 0;
  mostAtOnce = 0;

  /** @param {import('keystile').MemoryKeyStore} memory */
  constructor(memory) {
    this.insert = memory.insert.bind(memory);
    this.update = memory.update.bind(memory);
    this.list = memory.list.bind(memory);
    this.delete = memory.delete.bind(memory);
    this.findByDigest = (digests) => this.#count(() => memory.findByDigest(digests));
    this.findById = (id) => this.#count(() => memory.findById(id));
  }

  async #count(find) {
    this.calls += 1;
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    await nextTurn();
    this.atOnce -= 1;
    const record = await find();
    if (record === undefined) this.missed += 1;
    return record;
  }
}
