// Listens for what must not come out of a process that is attacked: the marker, warnings, errors that nobody caught,
// and a prototype that somebody wrote to.
import { inspect } from 'node:util';
import { MARKER } from './findings.mjs';

/** Deep enough for causes of causes. */
const DEPTH = 10;

/** @param {unknown} value @returns whether a log of it would show the marker */
export function shows(value) {
  return inspect(value, { depth: DEPTH, showHidden: true }).includes(MARKER);
}

/** @returns what `read()` empties: whatever was seen since it was read last */
export function watchProcess() {
  /** @type {string[]} */
  const seen = [];
  /** @param {string} name */
  const note = (name) => (/** @type {unknown} */ what) => {
    seen.push(`${name}: ${inspect(what, { depth: DEPTH }).slice(0, 500)}`);
  };
  const listeners = Object.entries({
    unhandledRejection: note('unhandled rejection'),
    uncaughtException: note('uncaught exception'),
    warning: note('warning'),
  });
  for (const [name, listener] of listeners) process.on(name, listener);
  const undo = [process.stdout, process.stderr].map((stream) => listenTo(stream, seen));
  return {
    /** @returns {string[]} */
    read() {
      const polluted = Object.keys(Object.prototype);
      if (polluted.length > 0) seen.push(`Object.prototype has ${polluted.join(', ')}`);
      for (const name of polluted) Reflect.deleteProperty(Object.prototype, name);
      return seen.splice(0);
    },
    end() {
      for (const [name, listener] of listeners) process.off(name, listener);
      for (const restore of undo) restore();
    },
  };
}

/** @param {NodeJS.WriteStream} stream @param {string[]} seen */
function listenTo(stream, seen) {
  const { write } = stream;
  stream.write = /** @type {typeof write} */ (
    (/** @type {unknown[]} */ ...args) => {
      if (String(args[0]).includes(MARKER)) seen.push('the marker was written to a standard stream');
      return Reflect.apply(write, stream, args);
    }
  );
  return () => {
    stream.write = write;
  };
}
