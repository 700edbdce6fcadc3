/**
 * The same text in memory of its own. A part that was cut out of a longer text keeps all of that text alive, and that
 * may be a key.
 */
export function unsliced(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
