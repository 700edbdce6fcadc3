/**
 * Reads a JWT in the one spelling that we take: RFC 7515 compact form, three parts of base64url without padding.
 *
 *   text    = header "." payload "." signature
 *   part    = *( 4base64url ) [ 2base64url / 3base64url ]      ; the bits that are left over are zero
 *
 * JOSE libraries take other spellings of the same token as well, so that its text would not be its identity.
 */
export interface JwtParts {
  readonly header: JsonMembers;
  readonly payload: JsonMembers;
}

/** The own members of a JSON object. A map, so that no name among them reaches a prototype. */
export type JsonMembers = ReadonlyMap<string, unknown>;

const PART = '(?:[\\w-]{4})*(?:[\\w-]{4}|[\\w-]{2}[AEIMQUYcgkosw048]|[\\w-][AQgw])';

/** Every JSON object begins with `{"`, which is `eyJ`; with white space inside it would be no header of ours. */
const SHAPE = new RegExp(`^(?=eyJ)${PART}\\.${PART}\\.${PART}$`);

/** Whether a text has the shape of a JWT. */
export function isJwt(text: string): boolean {
  return SHAPE.test(text);
}

/** What a text of that shape says, before anything of it is proved; `undefined` where it cannot be read. */
export function readJwt(text: string): JwtParts | undefined {
  const [header, payload] = text.split('.', 2).map(readJsonPart);
  return header === undefined || payload === undefined ? undefined : { header, payload };
}

function readJsonPart(part: string): JsonMembers | undefined {
  try {
    const json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(part, 'base64url'),
    );
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const members = new Map(Object.entries(value));
    return members.size === countMembers(json) ? members : undefined;
  } catch {
    return undefined;
  }
}

/**
 * How many members an object has as it is written. JSON.parse keeps the last of two with one name; RFC 7519 section 4
 * allows to refuse such a token, and another reader may have kept the first.
 */
function countMembers(json: string): number {
  const outsideTexts = json.replace(/"(?:[^"\\]|\\.)*"/g, '');
  let depth = 0;
  let count = 0;
  for (const character of outsideTexts) {
    if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    else if (character === ':' && depth === 1) count += 1;
  }
  return count;
}
