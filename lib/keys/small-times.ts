import { unsliced } from './unsliced.ts';

/*
 * A `Date` takes 120 bytes, which is as much as all the rest of a cached key takes, and nearly nobody reads one. So what is
 * cached keeps numbers, and makes a `Date` when it is asked for it. Its times are members of its own like the others: they
 * are listed, copied and written as JSON; but each reading is a new `Date`, so that whoever changes one changes nothing.
 */

/**
 * Where an object keeps its times, as one text: nobody can change a text, and it takes half of what an array would. In base
 * 36, milliseconds since 1970, with a space between; nothing for one that is absent. It is not enumerable.
 */
const TIMES = Symbol('times');

interface Timed {
  readonly [TIMES]: string;
}

/** What `console.log` asks for; without it, it would show the times as [Getter]. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

const INSPECTOR: PropertyDescriptor = {
  value(this: object): object {
    return { ...this };
  },
};

/** Gives an object, which has no times yet, those of the source that are there. */
type SetTimes<Name extends string> = (
  object: object,
  source: { readonly [K in Name]?: Date | undefined },
) => void;

/** Getters of its own would take an object 300 bytes each: here all objects of one kind share theirs. */
export function timesOf<Name extends string>(names: readonly Name[]): SetTimes<Name> {
  const readers = names.map((_, index) => ({ enumerable: true, get: readerOf(index) }));
  return (object, source) => {
    const times = names.map((name) => source[name]?.getTime().toString(36) ?? '').join(' ');
    Object.defineProperty(object, TIMES, { value: unsliced(times.trimEnd()) });
    Object.defineProperty(object, INSPECT, INSPECTOR);
    for (const [index, name] of names.entries()) {
      if (source[name] !== undefined)
        Object.defineProperty(object, name, readers[index] as PropertyDescriptor);
    }
  };
}

function readerOf(index: number): (this: Timed) => Date {
  return function read() {
    return new Date(Number.parseInt(this[TIMES].split(' ')[index] ?? '', 36));
  };
}
