/** Of a digest; no word of a message is that long. */
const SHORTEST_IMAGE = 32;

/** Keys and digests of our forms, wherever they stand in a text. */
const SECRET_SHAPES = [
  /[a-z][a-z0-9_]{0,31}_(?:live|test)_[0-9A-Za-z]{38}/g,
  /\b(?:sha256|sha512|hmac-sha256|bcrypt|jwt):[^\s'"`,;)}\]]+/g,
];

/**
 * A copy of what a store threw that is safe to log: an Error with its name, code, message and stack, in which keys
 * and digests are masked. Drivers like to quote the values of a failed statement; nothing else of the thrown value
 * is kept, and reading it cannot throw.
 *
 * @param secrets - further texts to mask
 */
export function redactedError(thrown: unknown, secrets: readonly string[] = []): Error {
  const text = (name: 'name' | 'message' | 'stack' | 'code'): string | undefined => {
    const value = readMember(thrown, name);
    return typeof value === 'string' ? redact(value, secrets) : undefined;
  };
  const copy = new Error(text('message') ?? `something was thrown that is no Error (${typeof thrown})`);
  copy.name = text('name') ?? 'Error';
  const stack = text('stack');
  if (stack !== undefined) copy.stack = stack;
  const code = text('code');
  return code === undefined ? copy : Object.assign(copy, { code });
}

function redact(text: string, secrets: readonly string[]): string {
  let safe = text;
  for (const secret of secrets) {
    if (secret !== '') safe = safe.replaceAll(secret, '[redacted]');
    // A driver may quote a digest without its scheme.
    const image = secret.slice(secret.lastIndexOf(':') + 1);
    if (image.length >= SHORTEST_IMAGE) safe = safe.replaceAll(image, '[redacted]');
  }
  for (const shape of SECRET_SHAPES) safe = safe.replace(shape, '[redacted]');
  return safe;
}

/** A getter or a proxy may throw. */
function readMember(thrown: unknown, name: string): unknown {
  try {
    return (thrown as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}
