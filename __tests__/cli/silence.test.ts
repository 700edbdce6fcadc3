import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { BUILD_TIMEOUT_MS, CommandLine } from '../support/command-line.ts';

let cli: CommandLine;
let server: Server | undefined;

beforeAll(async () => {
  cli = new CommandLine();
  await cli.build();
}, BUILD_TIMEOUT_MS);
afterAll(() => cli.remove());
afterEach(() => void server?.close());

/** A server that says no more than this, as one does that is stopped. */
async function listen(greet: (socket: Socket) => void): Promise<number> {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    greet(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** AuthenticationOk and ReadyForQuery of PostgreSQL. */
const WELCOME = Buffer.from('520000000800000000' + '5a0000000549', 'hex');

test.each<[string, (port: number) => string, (socket: Socket) => void]>([
  ['that has logged nobody in', (port) => `redis://127.0.0.1:${port}`, () => undefined],
  [
    'that answers no statement',
    (port) => `postgres://me@127.0.0.1:${port}/keys`,
    (socket) => socket.once('data', () => socket.write(WELCOME)),
  ],
])(
  'a command says so and ends where a server %s is silent',
  async (_case, address, greet) => {
    const store = address(await listen(greet));
    const { code, stderr } = await cli.run(['list'], { env: { KEYSTILE_STORE: store } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/no answer within 10000 ms/);
  },
  40_000,
);
