import type { KeyChanged } from '../../lib/index.ts';

export type Narrowed = Extract<KeyChanged, { type: 'narrowed' }>;

/** Somebody who watches, and waits for what he is told. */
export class Ear {
  readonly heard: KeyChanged[] = [];
  readonly #waiting = new Set<() => void>();

  readonly onChange = (change: KeyChanged): void => {
    this.heard.push(change);
    for (const look of this.#waiting) look();
  };

  get narrowed(): readonly Narrowed[] {
    return this.heard.filter((change): change is Narrowed => change.type === 'narrowed');
  }

  count(type: KeyChanged['type']): number {
    return this.heard.filter((change) => change.type === type).length;
  }

  /** Ends with the test's own patience where it never comes. */
  until(isHeard: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isHeard()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** What is told next of a key; a look that began after this must have shown it. */
  async of(id: string): Promise<Narrowed> {
    await this.until(() => this.narrowed.some((change) => change.id === id));
    return this.narrowed.find((change) => change.id === id) as Narrowed;
  }

  /** Until the store was looked at twice, of which the second look began after this call. */
  async twoLooks(): Promise<void> {
    const before = this.count('alive');
    await this.until(() => this.count('alive') >= before + 2);
  }
}
