import { createHash, createHmac } from 'node:crypto';
import { inspect } from 'node:util';

/**
 * Looks for secrets wherever they could have leaked to. Tell it every secret of a test run, then let it search all
 * that came out of that run:
 *
 *   const canary = new Canary([PEPPER]);
 *   canary.hideKey(key);             // the key, and each of its digests in each spelling
 *   canary.hide('what', 'secret');   // any other text
 *   expect(canary.leaksIn(verdict, error, events, apiKeys)).toEqual([]);
 *
 * A leak is told by its name and the text around it, with the secret itself blotted out. Members that are not
 * enumerable, symbols, `Map`s, causes and stacks are searched too, ten levels deep.
 */
export class Canary {
  readonly #secrets = new Map<string, string>();
  readonly #peppers: readonly CanaryPepper[];

  constructor(peppers: readonly CanaryPepper[] = []) {
    this.#peppers = peppers;
    for (const { id, secret } of peppers) this.#hideBytes(`pepper ${id}`, Buffer.from(secret));
  }

  hide(name: string, secret: string): void {
    if (secret.length < 8) throw new TypeError(`${name} is too short to be told from other text`);
    this.#secrets.set(secret, name);
  }

  /** The first 4 characters after the prefixes and the last 4 may be shown, so what lies between is looked for. */
  hideKey(key: string): void {
    const random = key.slice(key.lastIndexOf('_') + 1);
    this.hide('key', random.slice(4, -4));
    this.#hideBytes('key', Buffer.from(key));
    this.#hideBytes('digest', createHash('sha256').update(key).digest());
    for (const { id, secret } of this.#peppers) {
      this.#hideBytes(`digest under ${id}`, createHmac('sha256', secret).update(key).digest());
    }
  }

  leaksIn(...values: readonly unknown[]): string[] {
    const leaks: string[] = [];
    for (const text of values.flatMap(spellings)) {
      for (const [secret, name] of this.#secrets) {
        const at = text.indexOf(secret);
        if (at === -1) continue;
        const around = text.slice(Math.max(0, at - 60), at + secret.length + 60);
        leaks.push(`${name}: ${around.replaceAll(secret, '[THE SECRET]')}`);
      }
    }
    return leaks;
  }

  /** As bytes are written by those who print them. */
  #hideBytes(name: string, bytes: Buffer): void {
    const encodings = ['base64url', 'hex', 'latin1'] as const;
    for (const encoding of encodings) this.hide(`${name} as ${encoding}`, bytes.toString(encoding));
    this.hide(`${name} as base64`, bytes.toString('base64').replace(/=+$/, ''));
    this.hide(`${name} as <Buffer>`, [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' '));
    this.hide(`${name} as numbers`, [...bytes].join(','));
  }
}

export interface CanaryPepper {
  readonly id: string;
  readonly secret: string;
}

/** Of a value, every text that a log could make of it. */
function spellings(value: unknown): string[] {
  const texts = [
    inspect(value, {
      depth: 10,
      showHidden: true,
      getters: true,
      maxArrayLength: null,
      maxStringLength: null,
      breakLength: Number.POSITIVE_INFINITY,
    }),
    JSON.stringify(value) ?? '',
    String(value),
  ];
  if (value instanceof Error) texts.push(value.message, value.stack ?? '', ...spellings(value.cause));
  return texts;
}
