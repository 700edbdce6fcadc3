import { createServer, type ServerResponse } from 'node:http';
import { listen } from './exchange.ts';

/** Where somebody else publishes keys, and what goes wrong there. */
export interface JwksServer {
  readonly url: URL;
  /** How often the set was asked for. */
  requests: number;
  keys: readonly object[];
  /** In place of the set. */
  answer: ((res: ServerResponse) => void) | undefined;
  close(): Promise<void>;
}

const opened: JwksServer[] = [];

export async function openJwksServer(keys: readonly object[]): Promise<JwksServer> {
  const server = createServer((_req, res) => {
    jwks.requests += 1;
    if (jwks.answer !== undefined) jwks.answer(res);
    else res.end(JSON.stringify({ keys: jwks.keys }));
  });
  const port = await listen(server);
  server.unref();
  const jwks: JwksServer = {
    url: new URL(`http://127.0.0.1:${port}/keys`),
    requests: 0,
    keys,
    answer: undefined,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  opened.push(jwks);
  return jwks;
}

/** For `afterEach`. */
export async function closeJwksServers(): Promise<void> {
  await Promise.all(opened.splice(0).map((jwks) => jwks.close()));
}

/** Begins an answer and never ends it. */
export function hang(res: ServerResponse): void {
  res.write('{"keys":[');
}

/** Fifty megabytes of a set, as long as somebody reads them. */
export function flood(res: ServerResponse): void {
  const piece = Buffer.alloc(65_536, ' ');
  let left = 50_000_000;
  const send = (): void => {
    while (left > 0 && !res.destroyed) {
      left -= piece.length;
      if (!res.write(piece)) {
        res.once('drain', send);
        return;
      }
    }
    res.end('{"keys":[]}');
  };
  send();
}
