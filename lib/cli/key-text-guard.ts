import { UsageError } from './usage-error.ts';

/** Keys of ours, a pair as one text, a JSON Web Token. */
const KEY_SHAPES = [
  /_(?:live|test)_[0-9A-Za-z]{20,}$/,
  /^[0-9a-f]{8}-[0-9a-f-]{27}\.\S{16,}$/i,
  /^eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*$/,
];

export const KEY_IN_ARGUMENTS: string =
  'A key was given as an argument. It stands in the history of this shell now, and all who may list processes could ' +
  'see it: take it for leaked, revoke or rotate it, and delete it from the history. Keys are read from standard ' +
  'input: keystile verify < file';

/**
 * Refuses a key in the arguments, whichever place it has there, and does not repeat it.
 *
 * @throws UsageError
 */
export function refuseKeys(argv: readonly string[]): void {
  const texts = argv.flatMap((text) => [text, text.slice(text.indexOf('=') + 1)]);
  if (texts.some((text) => KEY_SHAPES.some((shape) => shape.test(text))))
    throw new UsageError(KEY_IN_ARGUMENTS);
}
