import {
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  KeyObject,
  sign,
  verify,
  type webcrypto,
} from 'node:crypto';
import { types } from 'node:util';
import type { CryptoKey, JWK } from 'jose';
import { idProblem } from '../keys/fields.ts';
import { badOption, checkOptionNames, describe, oneOf } from '../options.ts';
import { JWT_OWNER, type JwtAlgorithm, type JwtKey, readAlgorithm } from './jwt-options.ts';

/** A public key, and the one algorithm that it checks by: the token has no say in it. */
export interface TrustedKey {
  readonly alg: JwtAlgorithm;
  readonly key: KeyObject;
}

export interface SigningKey {
  readonly id: string;
  readonly alg: JwtAlgorithm;
  readonly key: CryptoKey | KeyObject;
}

/** Key pairs of our own, checked. */
export interface KeyRing {
  readonly trusted: ReadonlyMap<string, TrustedKey>;
  readonly signing: SigningKey;
  /** Public parts only: made of the members that a public key has, whatever was given. */
  readonly published: readonly JWK[];
}

/** What a key must be for each algorithm, in the words of node:crypto and of Web Crypto. */
const FAMILIES = {
  ES256: { type: 'ec', curve: 'prime256v1', subtle: 'ECDSA', demand: 'an EC key on P-256' },
  EdDSA: { type: 'ed25519', curve: undefined, subtle: 'Ed25519', demand: 'an Ed25519 key' },
  RS256: {
    type: 'rsa',
    curve: undefined,
    subtle: 'RSASSA-PKCS1-v1_5',
    demand: 'an RSA key of at least 2048 bits',
  },
} as const;

const FEWEST_RSA_BITS = 2048;
const KEY_NAMES: { readonly [Name in keyof JwtKey]-?: true } = {
  id: true,
  alg: true,
  state: true,
  key: true,
};

interface KeyPair {
  readonly id: string;
  readonly alg: JwtAlgorithm;
  readonly state: JwtKey['state'];
  readonly publicKey: KeyObject;
  readonly signing: SigningKey | undefined;
}

/** @throws TypeError for the first key that is wrong, and unless exactly one is to sign */
export function readKeyRing(list: readonly unknown[]): KeyRing {
  const pairs = list.map((given, index) => readKeyPair(`keys[${index}]`, given));
  const ids = pairs.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new TypeError(`${JWT_OWNER}: two keys have the id "${twice}"`);
  const signing = pairs.flatMap(({ signing }) => signing ?? []);
  const [current, second] = signing;
  if (current === undefined || second !== undefined) {
    throw new TypeError(
      `${JWT_OWNER}: keys must have one key in the state "current", but got ${signing.length}`,
    );
  }
  return {
    trusted: new Map(pairs.map(({ id, alg, publicKey }) => [id, { alg, key: publicKey }])),
    signing: current,
    published: pairs.map(({ id, alg, publicKey }) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid: id,
      alg,
      use: 'sig',
    })),
  };
}

/** @throws Error for what is no key; node:crypto's own */
export function publicKeyOf({ kty, crv, x, y, n, e }: JWK): KeyObject {
  return createPublicKey({ key: { kty, crv, x, y, n, e } as JsonWebKey, format: 'jwk' });
}

/** Whether a public key is of the kind that an algorithm wants. */
export function fitsAlgorithm(key: KeyObject, alg: JwtAlgorithm): boolean {
  const { type, curve } = FAMILIES[alg];
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== type || namedCurve !== curve) return false;
  return type !== 'rsa' || modulusLength >= FEWEST_RSA_BITS;
}

function readKeyPair(option: string, given: unknown): KeyPair {
  const {
    id,
    alg: algorithm,
    state: stated,
    key,
  } = checkOptionNames(`${JWT_OWNER}: ${option}`, given, Object.keys(KEY_NAMES));
  const problem = idProblem(id);
  if (problem !== undefined)
    throw new TypeError(`${JWT_OWNER}: ${option}.id ${problem}, but got ${describe(id)}`);
  const alg = readAlgorithm(`${option}.alg`, algorithm);
  if (stated === undefined) throw badOption(JWT_OWNER, `${option}.state`, STATES, stated);
  const state = oneOf<JwtKey['state']>(JWT_OWNER, `${option}.state`, stated as string, 'next', [
    'next',
    'current',
    'retired',
  ]);
  const material = readMaterial(`${option}.key`, alg, key);
  const signing = state === 'current' ? signingKey(option, id as string, alg, material) : undefined;
  return { id: id as string, alg, state, publicKey: material.publicKey, signing };
}

const STATES = '"next" or "current" or "retired"';

interface KeyMaterial {
  readonly publicKey: KeyObject;
  readonly privateKey: CryptoKey | KeyObject | undefined;
}

/** The messages never show what was given: it may be a secret. */
function readMaterial(option: string, alg: JwtAlgorithm, value: unknown): KeyMaterial {
  const { demand } = FAMILIES[alg];
  const material = types.isCryptoKey(value)
    ? readCryptoKey(option, alg, value)
    : readJwk(option, alg, value as JWK);
  if (fitsAlgorithm(material.publicKey, alg)) return material;
  throw new TypeError(`${JWT_OWNER}: ${option} must be ${demand} for ${alg}, but got another kind of key`);
}

function readCryptoKey(option: string, alg: JwtAlgorithm, value: webcrypto.CryptoKey): KeyMaterial {
  const { demand, subtle } = FAMILIES[alg];
  if (value.algorithm.name !== subtle) {
    const got = `a CryptoKey for ${value.algorithm.name}`;
    throw new TypeError(`${JWT_OWNER}: ${option} must be ${demand} for ${alg}, but got ${got}`);
  }
  const key = KeyObject.from(value);
  if (value.type !== 'private') return { publicKey: key, privateKey: undefined };
  const canSign = value.usages.includes('sign');
  return { publicKey: createPublicKey(key), privateKey: canSign ? value : undefined };
}

function readJwk(option: string, alg: JwtAlgorithm, value: JWK | undefined | null): KeyMaterial {
  const { demand } = FAMILIES[alg];
  if (typeof value !== 'object' || value === null || typeof value.kty !== 'string') {
    throw new TypeError(`${JWT_OWNER}: ${option} must be a CryptoKey or a JWK, but got ${kindOf(value)}`);
  }
  if (value.kty === 'oct') {
    throw new TypeError(`${JWT_OWNER}: ${option} must be ${demand} for ${alg}, but got a shared secret`);
  }
  if ((value.alg ?? alg) !== alg || (value.use ?? 'sig') !== 'sig') {
    throw new TypeError(`${JWT_OWNER}: ${option} is a JWK for another purpose than ${alg}`);
  }
  try {
    const publicKey = publicKeyOf(value);
    const hasPrivatePart = value.d !== undefined && fitsAlgorithm(publicKey, alg);
    if (!hasPrivatePart) return { publicKey, privateKey: undefined };
    const privateKey = createPrivateKey({ key: value as JsonWebKey, format: 'jwk' });
    const hash = alg === 'EdDSA' ? undefined : 'sha256';
    const probe = Buffer.from('probe');
    // A private part of another pair would make keys that nobody takes.
    if (verify(hash, probe, publicKey, sign(hash, probe, privateKey))) return { publicKey, privateKey };
  } catch {
    // What OpenSSL says of a key helps nobody, and may quote it.
  }
  throw new TypeError(`${JWT_OWNER}: ${option} must be ${demand} for ${alg}, but got a JWK that is none`);
}

function signingKey(option: string, id: string, alg: JwtAlgorithm, { privateKey }: KeyMaterial): SigningKey {
  if (alg === 'RS256') {
    throw new TypeError(
      `${JWT_OWNER}: ${option} cannot be "current": RS256 checks only; sign with ES256 or EdDSA`,
    );
  }
  if (privateKey !== undefined) return { id, alg, key: privateKey };
  throw new TypeError(`${JWT_OWNER}: ${option}.key must be a private key that may sign, as it is "current"`);
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return 'a text';
  if (value instanceof Uint8Array) return 'bytes';
  return types.isKeyObject(value) ? 'a KeyObject' : describe(value);
}
