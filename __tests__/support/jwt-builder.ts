import { createHmac, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import { filled } from './placeholders.ts';

/** How a JWT is to be built: what is not there is not in the token. */
export interface JwtRecipe {
  /** @default { alg: 'ES256', typ: 'apikey+jwt', kid: 'k1' } */
  readonly header?: Readonly<Record<string, unknown>>;
  readonly payload?: Readonly<Record<string, unknown>>;
  /** In place of header and payload, byte for byte. */
  readonly raw?: { readonly headerText?: string; readonly payloadText?: string };
  /** The name of a signer; `hs:<text>` is HMAC-SHA-256 with that text. */
  readonly signWith: string;
  /** What is done to the signed token. */
  readonly mutate?: readonly string[];
}

export interface Signer {
  readonly alg: 'ES256' | 'EdDSA' | 'RS256';
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** A new key pair. */
export function makeSigner(alg: Signer['alg'], rsaBits = 2048): Signer {
  if (alg === 'EdDSA') return { alg, ...generateKeyPairSync('ed25519') };
  if (alg === 'RS256') return { alg, ...generateKeyPairSync('rsa', { modulusLength: rsaBits }) };
  return { alg, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
}

export function publicJwk({ publicKey }: Signer): JsonWebKey {
  return publicKey.export({ format: 'jwk' });
}

export function privateJwk({ privateKey }: Signer): JsonWebKey {
  return privateKey.export({ format: 'jwk' });
}

/** `es256A` is the key that is trusted as `k1`; the others are not known to anybody. */
export function makeSigners(): ReadonlyMap<string, Signer> {
  const names = { es256A: 'ES256', es256Evil: 'ES256', es256Retired: 'ES256', eddsaEvil: 'EdDSA' } as const;
  return new Map(Object.entries(names).map(([name, alg]) => [name, makeSigner(alg)]));
}

export interface JwtBuilderParts {
  readonly signers: ReadonlyMap<string, Signer>;
  /** What stands for `{{iss}}`, `{{aud}}` and the names of keys. */
  readonly texts: ReadonlyMap<string, string>;
  readonly nowMs: number;
}

/** Builds a token with node:crypto alone, so that a fault of the package's is not repeated here. */
export function buildJwt(recipe: JwtRecipe, { signers, texts, nowMs }: JwtBuilderParts): string {
  const { header = { alg: 'ES256', typ: 'apikey+jwt', kid: 'k1' }, payload, raw, signWith } = recipe;
  const mutations = recipe.mutate ?? [];
  const headerText = raw?.headerText ?? withTimes(header);
  let payloadText = filled(raw?.payloadText ?? withTimes(payload ?? {}), texts, nowMs);
  const wantsSpareBits = mutations.includes('payloadTrailingBits');
  while (wantsSpareBits && Buffer.byteLength(payloadText) % 3 === 0) payloadText += ' ';
  const input = [filled(headerText, texts, nowMs), payloadText].map(base64url).join('.');
  const wantsOtherAlphabet = mutations.includes('stdBase64');
  let token = `${input}.${signatureOf(input, signWith, signers)}`;
  while (wantsOtherAlphabet && !/[-_]/.test(token))
    token = `${input}.${signatureOf(input, signWith, signers)}`;
  for (const mutation of mutations) token = mutated(token, mutation);
  return token;
}

/** JSON in which `"{{now+1}}"` becomes a number and `"{{str:now}}"` a text. */
function withTimes(value: unknown): string {
  return JSON.stringify(value).replace(/"(\{\{(?:str:)?now(?:[+-]\d+)?\}\})"/g, '$1');
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function signatureOf(input: string, signWith: string, signers: ReadonlyMap<string, Signer>): string {
  const data = Buffer.from(input);
  if (signWith === 'none') return '';
  if (signWith.startsWith('hs:')) {
    return createHmac('sha256', signWith.slice(3)).update(data).digest('base64url');
  }
  const signer = signers.get(signWith);
  if (signer === undefined) throw new Error(`no signer is called ${signWith}`);
  const key = { key: signer.privateKey, dsaEncoding: 'ieee-p1363' } as const;
  return sign(signer.alg === 'EdDSA' ? undefined : 'sha256', data, key).toString('base64url');
}

/** @throws Error for a mutation that nobody knows: no token may pass for one that was changed */
function mutated(token: string, mutation: string): string {
  const [header = '', payload = '', signature = ''] = token.split('.');
  switch (mutation) {
    case 'sigTrailingBits':
      return `${header}.${payload}.${withSpareBits(signature)}`;
    case 'payloadTrailingBits':
      return `${header}.${withSpareBits(payload)}.${signature}`;
    case 'ecdsaNegateS':
      return `${header}.${payload}.${negated(signature)}`;
    case 'stdBase64':
      return token.replaceAll('-', '+').replaceAll('_', '/');
    case 'emptySig':
      return `${header}.${payload}.`;
    case 'zeroSig':
      return `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`;
    case 'derSig':
      return `${header}.${payload}.${der(signature)}`;
    case 'flipPayload':
      return `${header}.${flipped(payload)}.${signature}`;
    case 'twoSegments':
      return `${header}.${payload}`;
    case 'fourSegments':
      return `${token}.${signature}`;
    case 'fiveSegments':
      return `${token}.${signature}.${signature}`;
    case 'leadingDot':
      return `.${payload}.${signature}`;
    case 'jsonSerialization':
      return JSON.stringify({ protected: header, payload, signature });
    default:
      if (mutation.startsWith('pad:')) return token + mutation.slice(4);
      throw new Error(`unknown mutation "${mutation}"`);
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Another spelling of the same bytes: one of the bits of the last character that count for nothing. */
function withSpareBits(part: string): string {
  const last = ALPHABET.indexOf(part.slice(-1));
  const spelling = part.slice(0, -1) + ALPHABET.charAt(last ^ 1);
  const isSame = Buffer.from(spelling, 'base64url').equals(Buffer.from(part, 'base64url'));
  if (part.length % 4 === 0 || !isSame) throw new Error('this part has no bits to spare');
  return spelling;
}

/** One character in the middle. */
function flipped(part: string): string {
  const middle = Math.floor(part.length / 2);
  return part.slice(0, middle) + (part[middle] === 'x' ? 'y' : 'x') + part.slice(middle + 1);
}

const ORDER_OF_P256 = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** (r, n-s) is a good signature wherever (r, s) is. */
function negated(signature: string): string {
  const bytes = Buffer.from(signature, 'base64url');
  const s = ORDER_OF_P256 - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  return Buffer.concat([
    bytes.subarray(0, 32),
    Buffer.from(s.toString(16).padStart(64, '0'), 'hex'),
  ]).toString('base64url');
}

/** ASN.1, as TLS and most libraries for ECDSA have it. */
function der(signature: string): string {
  const bytes = Buffer.from(signature, 'base64url');
  const integers = [bytes.subarray(0, 32), bytes.subarray(32)].map((half) => {
    const number = Buffer.from(half.toString('hex').replace(/^(?:00)+/, ''), 'hex');
    const body = (number[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), number]) : number;
    return Buffer.concat([Buffer.of(0x02, body.length), body]);
  });
  const body = Buffer.concat(integers);
  return Buffer.concat([Buffer.of(0x30, body.length), body]).toString('base64url');
}
