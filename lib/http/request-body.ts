import type { IncomingMessage } from 'node:http';
import { TextDecoder } from 'node:util';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { ApiKeyError } from '../errors.ts';
import type { Json } from '../keys/metadata.ts';
import { readJson } from './json-text.ts';

const MAX_BYTES = 16_384;
const MAX_DEPTH = 8;

/** A request, and what a body parser of the application's may have made of its body before us. */
export type RequestWithBody = IncomingMessage & { readonly body?: unknown };

/**
 * The JSON body of a request: UTF-8 only, at most 16 kB and 8 levels, in the one reading that is not ambiguous.
 * Where a parser was here first, what it made is taken, by the same limits; of two members with one name it has kept
 * one, so that those can be refused only where we read the body ourselves.
 *
 * @returns `undefined` for no body at all
 * @throws ApiKeyError `unsupported_media_type`, `payload_too_large` or `invalid_request`; its message has nothing of
 *   the body in it
 */
export async function readJsonBody(req: RequestWithBody): Promise<Json | undefined> {
  if (isBodiless(req)) return undefined;
  checkMediaType(req, 'application/json');
  const text = await readText(req, (parsed) => JSON.stringify(parsed));
  if (text === '') return undefined;
  const reading = readJson(text, MAX_DEPTH);
  if (reading.ok) return reading.value;
  throw refused(`The body ${reading.problem}.`);
}

/**
 * The form of a request. A parameter that is there twice is refused, as RFC 6749 section 3.2 demands of OAuth.
 *
 * @throws ApiKeyError as {@link readJsonBody}
 */
export async function readFormBody(req: RequestWithBody): Promise<ReadonlyMap<string, string>> {
  if (isBodiless(req)) return new Map();
  checkMediaType(req, 'application/x-www-form-urlencoded');
  const text = await readText(req, formText);
  const fields = [...new URLSearchParams(text)];
  const form = new Map(fields);
  if (form.size < fields.length) throw refused('The form has a parameter twice.');
  return form;
}

/** Never twice the same request: what was read is kept by the caller. */
async function readText(req: RequestWithBody, textOf: (parsed: unknown) => string): Promise<string> {
  if (!wasRead(req)) return decode(inflate(req, await readBytes(req)));
  const { body } = req;
  if (body === undefined) {
    // Nothing came, so nobody could have kept it.
    if (!req.readableDidRead && req.complete) return '';
    throw refused('The body was read already, by something that kept nothing of it.');
  }
  if (Buffer.isBuffer(body)) return decode(body);
  return limited(typeof body === 'string' ? body : serialized(body, textOf));
}

/** A stream that has ended, of an empty body or a lost connection, tells nobody about it a second time. */
function wasRead(req: RequestWithBody): boolean {
  return req.readableDidRead || req.readableEnded || req.destroyed;
}

function serialized(parsed: unknown, textOf: (parsed: unknown) => string): string {
  try {
    return textOf(parsed);
  } catch {
    throw refused(`The body is more than ${MAX_DEPTH} levels deep.`);
  }
}

/** @throws Error where a parser has made something of the form that no form can say without doubt */
function formText(parsed: unknown): string {
  const fields = Object.entries(parsed as object);
  if (fields.some(([, value]) => typeof value !== 'string')) throw refused('The form has a parameter twice.');
  return new URLSearchParams(fields as [string, string][]).toString();
}

function limited(text: string): string {
  if (Buffer.byteLength(text) > MAX_BYTES) throw tooLarge();
  return text;
}

/** HTTP/2 needs no header for a body to follow, so there one may come that is said to be of some type. */
function isBodiless(req: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': coding, 'content-type': type } = req.headers;
  if (coding !== undefined) return false;
  return length === undefined ? req.httpVersionMajor < 2 || type === undefined : Number(length) === 0;
}

function checkMediaType(req: IncomingMessage, wanted: string): void {
  const [type = ''] = (req.headers['content-type'] ?? '').toLowerCase().split(';');
  if (type.trim() === wanted && isCalledUtf8(req)) return;
  throw new ApiKeyError('unsupported_media_type', `The body must be ${wanted}, in UTF-8.`);
}

/** Whether a body is said to be in UTF-8, or in nothing else. */
export function isCalledUtf8(req: IncomingMessage): boolean {
  const [, ...parameters] = (req.headers['content-type'] ?? '').toLowerCase().split(';');
  return parameters.every((parameter) => {
    const [name = '', value = ''] = parameter.split('=');
    return name.trim() !== 'charset' || /^"?utf-?8"?$/.test(value.trim());
  });
}

/** Listens itself: reading by a loop would close the connection where it stops, and no answer could be sent. */
function readBytes(req: IncomingMessage): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > MAX_BYTES) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (act: () => void) => {
      req.off('data', take).off('end', end).off('error', fail).off('close', fail);
      act();
    };
    // Texts, where somebody has called `setEncoding()`.
    const take = (chunk: Buffer | string) => {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, req.readableEncoding ?? 'utf8') : chunk;
      chunks.push(bytes);
      length += bytes.length;
      if (length > MAX_BYTES) settle(() => reject(tooLarge()));
    };
    const end = () => settle(() => resolve(Buffer.concat(chunks, length)));
    const fail = () => settle(() => reject(refused('The body broke off.')));
    req.on('data', take).on('end', end).on('error', fail).on('close', fail);
  });
}

const CODINGS: Readonly<Record<string, (bytes: Buffer, limits: { maxOutputLength: number }) => Buffer>> = {
  identity: (bytes) => bytes,
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
};

function inflate(req: IncomingMessage, bytes: Buffer): Buffer {
  const coding = (req.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const decoder = Object.hasOwn(CODINGS, coding) ? CODINGS[coding] : undefined;
  if (decoder === undefined) {
    throw new ApiKeyError(
      'unsupported_media_type',
      'The Content-Encoding must be gzip, deflate, br or none.',
    );
  }
  try {
    return decoder(bytes, { maxOutputLength: MAX_BYTES });
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw refused('The body is not in its Content-Encoding.');
  }
}

function decode(bytes: Buffer): string {
  try {
    // A byte order mark stays, and is no JSON: RFC 8259 section 8.1.
    return limited(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    if (error instanceof ApiKeyError) throw error;
    throw refused('The body is not UTF-8.');
  }
}

function refused(message: string): ApiKeyError {
  return new ApiKeyError('invalid_request', message);
}

/** Answered while the client still sends, so the connection cannot be used again. */
function tooLarge(): ApiKeyError {
  const headers = { Connection: 'close' };
  return new ApiKeyError('payload_too_large', `The body has more than ${MAX_BYTES} bytes.`, { headers });
}
