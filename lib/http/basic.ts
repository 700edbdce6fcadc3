/** The two parts of `Authorization: Basic`. */
export interface BasicCredential {
  readonly id: string;
  readonly secret: string;
}

/**
 * Reads the credentials of RFC 7617: base64 of user-id ":" password, parted at the first colon.
 *
 * Only text that encodes to the very same base64 is read: Node's decoder passes over characters that do not belong
 * there, which would give one pair many spellings.
 */
export function readBasic(token68: string): BasicCredential | undefined {
  const decoded = Buffer.from(token68, 'base64').toString('latin1');
  if (Buffer.from(decoded, 'latin1').toString('base64') !== token68) return undefined;
  const colon = decoded.indexOf(':');
  return colon === -1 ? undefined : { id: decoded.slice(0, colon), secret: decoded.slice(colon + 1) };
}
