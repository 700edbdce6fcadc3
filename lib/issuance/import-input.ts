import { InvalidInputError } from '../errors.ts';
import type { Environment, KeyKind } from '../keys/api-key.ts';
import { canonicalDigest, isDigest } from '../keys/digest.ts';
import { booleanProblem, idProblem, memberProblem, shownProblem, textProblem } from '../keys/fields.ts';
import { type KeyRecord, readRecord } from '../keys/key-record.ts';
import { importedId } from './key-id.ts';
import {
  CREATE_MEMBERS,
  type CreateInput,
  checkMember,
  membersOf,
  optionalMember,
  readMembers,
  readTime,
} from './key-input.ts';

/** A key from another system, or from an export: what `create()` takes, and what is known of its life so far. */
export interface ImportInput extends Omit<CreateInput, 'kind'> {
  /** @default made of `createdAt` and the digest, so that importing twice finds the first */
  readonly id?: string | undefined;
  /** @default 'opaque' */
  readonly kind?: CreateInput['kind'] | undefined;
  /** As in a record; the hash of `sha256:` and `sha512:` may also be in hex or base64. */
  readonly digest: string;
  /**
   * Of the key, as its system made it: at least 112 for a plain digest, which could else be guessed from a leaked
   * table, and 64 for one under a pepper.
   */
  readonly randomBits?: number | undefined;
  readonly start?: string | undefined;
  readonly end?: string | undefined;
  readonly enabled?: boolean | undefined;
  readonly createdAt?: Date | undefined;
  readonly revokedAt?: Date | undefined;
  readonly revocationReason?: string | undefined;
  readonly lastUsedAt?: Date | undefined;
}

const IMPORT_MEMBERS = [
  ...CREATE_MEMBERS,
  'id',
  'digest',
  'randomBits',
  'start',
  'end',
  'enabled',
  'createdAt',
  'revokedAt',
  'revocationReason',
  'lastUsedAt',
];

/**
 * NIST SP 800-63B section 5.1.2.2: a look-up secret of at least 112 bits may be kept under a plain hash. Under a pepper
 * a leaked table gives nothing to guess by, and what is left is guessing over the network, which from 64 bits on needs
 * no limit of its own.
 */
const FEWEST_BITS_PLAIN = 112;
const FEWEST_BITS_PEPPERED = 64;

/** @throws InvalidInputError with a pointer to the member that is wrong */
export function readImportInput(input: unknown, now: number, ownEnvironment: Environment): KeyRecord {
  const given = membersOf(input, IMPORT_MEMBERS, '');
  const { expiresAt, notBefore, environment = ownEnvironment, ...members } = readMembers(given);
  const digest = readDigest(given['digest'], given['randomBits']);
  const createdAt = readTime(given['createdAt'], '/createdAt');
  const times = {
    expiresAt,
    notBefore,
    revokedAt: readTime(given['revokedAt'], '/revokedAt'),
    lastUsedAt: readTime(given['lastUsedAt'], '/lastUsedAt'),
  };
  const id = optionalMember<string>(given['id'], '/id', idProblem) ?? importedId(createdAt ?? 0, digest);
  const kind = readKind(given['kind'], digest, id);
  const present = Object.entries(times).filter(([, time]) => time !== undefined);
  return readRecord({
    ...members,
    environment,
    digest,
    id,
    kind,
    start: optionalMember<string>(given['start'], '/start', shownProblem) ?? '',
    end: optionalMember<string>(given['end'], '/end', shownProblem) ?? '',
    enabled: optionalMember<boolean>(given['enabled'], '/enabled', booleanProblem) ?? true,
    revocationReason: optionalMember<string>(given['revocationReason'], '/revocationReason', (text) =>
      textProblem(text, 500),
    ),
    version: 1,
    createdAt: new Date(createdAt ?? now),
    updatedAt: new Date(now),
    ...Object.fromEntries(present.map(([name, time]) => [name, new Date(time as number)])),
  });
}

/** The digest of a JWT is its id and time, so it goes with that kind and that id, and with no other. */
function readKind(value: unknown, digest: string, id: string): KeyKind {
  const kinds: readonly KeyKind[] = ['opaque', 'pair', 'jwt'];
  const kind = optionalMember<KeyKind>(value, '/kind', (one) => memberProblem(one, kinds)) ?? 'opaque';
  const isJwtDigest = digest.startsWith('jwt:');
  if (isJwtDigest !== (kind === 'jwt')) {
    throw new InvalidInputError('/kind', 'must be "jwt" where the digest is that of a JWT, and nowhere else');
  }
  if (isJwtDigest && !digest.startsWith(`jwt:${id}:`)) {
    throw new InvalidInputError('/digest', 'of a JWT must hold the id of its record');
  }
  return kind;
}

function readDigest(value: unknown, randomBits: unknown): string {
  const problem = 'must be a digest, such as "sha256:" and the hash in base64url, base64 or hex';
  const digest = checkMember<string>(value, '/digest', (text) =>
    typeof text === 'string' && isDigest(canonicalDigest(text)) ? undefined : problem,
  );
  checkRandomBits(digest, randomBits);
  return canonicalDigest(digest);
}

/** bcrypt is made for weak secrets, and a JWT has none. */
function checkRandomBits(digest: string, randomBits: unknown): void {
  const isPeppered = digest.startsWith('hmac-');
  if (!isPeppered && !/^sha(?:256|512):/.test(digest)) return;
  const fewest = isPeppered ? FEWEST_BITS_PEPPERED : FEWEST_BITS_PLAIN;
  const bits = Number.isInteger(randomBits) ? (randomBits as number) : 0;
  if (bits >= fewest) return;
  const demand = `must say how many random bits the key has, and be at least ${fewest}`;
  throw new InvalidInputError('/randomBits', `${demand}: ${whyNot(isPeppered, bits)}`);
}

function whyNot(isPeppered: boolean, bits: number): string {
  if (isPeppered) return 'a key of fewer could be guessed over the network';
  const plain = 'a plain digest of fewer could be guessed from a leaked table';
  if (bits < FEWEST_BITS_PEPPERED) return plain;
  return `${plain}; from ${FEWEST_BITS_PEPPERED} on it may be under a pepper, as "hmac-sha256:<pepper id>:<base64url>"`;
}
