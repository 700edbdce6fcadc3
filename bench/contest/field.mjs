// Those who take part in the contest. One that fails is out of it, with the reason; the others go on.
export class Field {
  /** Each `{ id, name, worker, ... }`. */
  running;
  /** Each `{ name, why }`. */
  leftOut;

  constructor(running, leftOut) {
    this.running = running;
    this.leftOut = leftOut;
  }

  /** @returns what the step answers; `undefined` where it failed, and `one` with it */
  async attempt(one, step) {
    try {
      return await step(one);
    } catch (error) {
      this.running = this.running.filter(({ id }) => id !== one.id);
      this.leftOut.push({ name: one.name, why: error.message.split('\n')[0] });
      one.worker.close();
      return undefined;
    }
  }

  /** One after the other, in the order given. */
  async each(members, step) {
    for (const one of members) await this.attempt(one, step);
  }

  /** @param all - by id, of everybody who ever took part; @returns `sumUp` of each who still does */
  figures(all, sumUp) {
    return new Map(this.running.filter(({ id }) => all.has(id)).map(({ id }) => [id, sumUp(all.get(id))]));
  }
}
