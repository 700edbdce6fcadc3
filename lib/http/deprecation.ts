/** RFC 9745 and RFC 8594: the key works, was replaced at the one time, and stops at the other. Nothing outside a grace. */
export function deprecationHeaders(
  rotatedAt: Date | undefined,
  graceUntil: Date | undefined,
): Readonly<Record<string, string>> {
  if (graceUntil === undefined) return {};
  const sunset = { Sunset: graceUntil.toUTCString() };
  return rotatedAt === undefined
    ? sunset
    : { Deprecation: `@${Math.floor(rotatedAt.getTime() / 1000)}`, ...sunset };
}
