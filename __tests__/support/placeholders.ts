import { changed } from './fixture-keys.ts';
import type { RawRequest } from './raw-http.ts';

/**
 * Fills in the `{{...}}` of a request:
 *
 *   NAME  NAME:8  NAME:-8    a fixture; its first or last 8 characters
 *   NAME|operation           a fixture with one thing done to it
 *   b64:NAMEtext             base64 of a fixture with a text behind it
 *   repeat:text:n            a text n times
 *   now  now+n  now-n        seconds since 1970, with `str:` before it as a JSON string
 *
 * @throws Error for anything else: a case must never be sent with a hole in it
 */
export function filled(text: string, texts: ReadonlyMap<string, string>, nowMs: number): string {
  return text.replace(/\{\{(.*?)\}\}/gs, (_, token: string) => textFor(token, texts, nowMs));
}

function textFor(token: string, texts: ReadonlyMap<string, string>, nowMs: number): string {
  const named = texts.get(token);
  if (named !== undefined) return named;
  const repeat = /^repeat:(.+):(\d+)$/s.exec(token);
  if (repeat !== null) return (repeat[1] as string).repeat(Number(repeat[2]));
  const time = /^(str:)?now([+-]\d+)?$/.exec(token);
  if (time !== null) {
    const seconds = Math.floor(nowMs / 1000) + Number(time[2] ?? 0);
    return time[1] === undefined ? String(seconds) : JSON.stringify(String(seconds));
  }
  const fixture = /^(b64:)?([A-Za-z0-9_]+)(?::(-?\d+)|\|(.+)|(:.*))?$/s.exec(token);
  const text = fixture === null ? undefined : texts.get(fixture[2] as string);
  if (fixture === null || text === undefined) throw new Error(`nothing is known to put for {{${token}}}`);
  const [, base64, , part, operation, tail = ''] = fixture;
  if (base64 !== undefined) return Buffer.from(text + tail).toString('base64');
  if (part !== undefined) return Number(part) < 0 ? text.slice(Number(part)) : text.slice(0, Number(part));
  return operation === undefined ? text : changed(text, operation);
}

/** A request with everything filled in; `{{repeatLine:n}}` before a field's name sends that line n times. */
export function filledRequest(
  request: RawRequest,
  texts: ReadonlyMap<string, string>,
  nowMs: number,
): RawRequest {
  const fill = (text: string) => filled(text, texts, nowMs);
  const headers = request.headers.flatMap(([name, value]) => {
    const times = Number(/^\{\{repeatLine:(\d+)\}\}/.exec(name)?.[1] ?? 1);
    const line = [fill(name.replace(/^\{\{repeatLine:\d+\}\}/, '')), fill(value)] as const;
    return Array.from({ length: times }, () => line);
  });
  const body = request.body === null ? null : fill(request.body);
  return { ...request, path: fill(request.path), headers, body };
}
