/** A request that a program has printed as a curl line. */
export interface PrintedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Reads `curl -i [-X METHOD] [-H "Name: value"]... [-d BODY] URL`, which is all that our examples print. */
export function readCurlLine(line: string): PrintedRequest {
  const [command, ...words] = Array.from(
    line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g),
    ([word, double, single]) => double ?? single ?? word,
  );
  if (command !== 'curl') throw new Error(`no curl line: ${line}`);
  const urls = words.filter((word) => /^https?:/.test(word));
  const fields = valuesOf('-H', words).map((field) => field.split(': '));
  const [method] = valuesOf('-X', words);
  const [body] = valuesOf('-d', words);
  const known = 1 + urls.length + 2 * ['-H', '-X', '-d'].flatMap((flag) => valuesOf(flag, words)).length;
  const [url] = urls;
  if (url === undefined || known !== words.length) throw new Error(`not understood: ${line}`);
  const headers = Object.fromEntries(fields);
  if (body === undefined) return { method: method ?? 'GET', url, headers };
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return { method: method ?? 'POST', url, headers: { ...form, ...headers }, body };
}

/** What follows a flag, each time that it is there. */
function valuesOf(flag: string, words: readonly string[]): string[] {
  return words.flatMap((word, index) => (word === flag ? [words[index + 1] ?? ''] : []));
}

/** Sends it on a connection of its own, so that no kept connection holds up the end of a server. */
export async function send({ url, headers, ...request }: PrintedRequest): Promise<Response> {
  return fetch(url, { ...request, headers: { ...headers, connection: 'close' } });
}
