/** A request that a program has printed as a curl line. */
export interface PrintedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Reads `curl -i [-X METHOD] [-H "Name: value"]... URL`, which is all that our examples print. */
export function readCurlLine(line: string): PrintedRequest {
  const [command, ...words] = (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"|"$/g, ''));
  if (command !== 'curl') throw new Error(`no curl line: ${line}`);
  const headers: Record<string, string> = {};
  let method = 'GET';
  let url: string | undefined;
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '-i') continue;
    if (word === '-X') method = words.shift() ?? '';
    else if (word === '-H') {
      const [name = '', value = ''] = (words.shift() ?? '').split(': ');
      headers[name] = value;
    } else if (/^https?:/.test(word)) url = word;
    else throw new Error(`not understood in a curl line: ${word}`);
  }
  if (url === undefined) throw new Error(`a curl line without an address: ${line}`);
  return { method, url, headers };
}

/** Sends it on a connection of its own, so that no kept connection holds up the end of a server. */
export async function send({ method, url, headers }: PrintedRequest): Promise<Response> {
  return fetch(url, { method, headers: { ...headers, connection: 'close' } });
}
