// A TCP proxy in front of a server, whose behaviour is switched while traffic flows.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/**
 * @typedef {'request' | 'answer'} Direction - towards the server, or back
 * @typedef {object} Behaviour
 * @property {boolean} [refuses] - connections that come are reset
 * @property {(chunk: Buffer, way: Way) => unknown} [forward] - what becomes of a chunk; absent: it is sent on
 */

/** How much of a chunk is torn into single bytes: the heads of messages, where parsers begin. */
const TORN_BYTES = 32;

// ---- behaviours --------------------------------------------------------------------------------------------------

/** @returns {Behaviour} */
export const passes = () => ({});

/** @returns {Behaviour} */
export const refuses = () => ({ refuses: true });

/**
 * Reads and says nothing more, as a machine that was cut off does: what is lost never comes, so a connection that was
 * silent once stays so.
 *
 * @param {(way: Way) => boolean} isSilent
 * @returns {Behaviour}
 */
export const silences = (isSilent = () => true) => ({
  forward(chunk, way) {
    if (isSilent(way)) way.isDead = true;
    else way.send(chunk);
  },
});

/** @returns {Behaviour} */
export const delays = (ms) => ({
  async forward(chunk, way) {
    await sleep(Math.max(0, ms - (performance.now() - way.arrivedAt)));
    way.send(chunk);
  },
});

/** One byte at a time. @returns {Behaviour} */
export const trickles = () => ({
  async forward(chunk, way) {
    for (let at = 0; at < Math.min(TORN_BYTES, chunk.length); at += 1) {
      way.send(chunk.subarray(at, at + 1));
      await nextTurn();
    }
    way.send(chunk.subarray(TORN_BYTES));
  },
});

/**
 * Some answers end in the middle, and their connections with them.
 *
 * @param {() => number} random
 * @param {'end' | 'reset'} how - a FIN or an RST
 * @returns {Behaviour}
 */
export const truncates = (random, share, how) => ({
  forward(chunk, way) {
    if (way.direction === 'request' || random() >= share) return way.send(chunk);
    way.send(chunk.subarray(0, Math.floor(random() * chunk.length)));
    return way.connection[how]();
  },
});

/**
 * Some answers stop in the middle for a while, and then go on.
 *
 * @returns {Behaviour}
 */
export const stalls = (random, share, ms) => ({
  async forward(chunk, way) {
    if (way.direction === 'request' || random() >= share) return way.send(chunk);
    const middle = Math.floor(random() * chunk.length);
    way.send(chunk.subarray(0, middle));
    await sleep(ms);
    return way.send(chunk.subarray(middle));
  },
});

// ---- the proxy ---------------------------------------------------------------------------------------------------

/** One direction of a connection. Chunks go one after the other, whatever is done to each. */
class Way {
  isDead = false;
  arrivedAt = 0;
  #turn = Promise.resolve();

  constructor(direction, connection, from, to, behaviour) {
    this.direction = direction;
    this.connection = connection;
    this.to = to;
    from.on('data', (chunk) => {
      const arrivedAt = performance.now();
      if (direction === 'request') connection.note(chunk);
      this.#turn = this.#turn.then(() => {
        this.arrivedAt = arrivedAt;
        return this.#take(chunk, behaviour());
      });
    });
    // What was sent before the end arrives before it.
    from.on('end', () => {
      this.#turn = this.#turn.then(() => this.isDead || to.end());
    });
  }

  send(bytes) {
    if (bytes.length > 0 && !this.isDead && !this.to.destroyed) this.to.write(bytes);
  }

  #take(chunk, { forward }) {
    if (this.isDead) return undefined;
    return forward === undefined ? this.send(chunk) : forward(chunk, this);
  }
}

class ProxiedConnection {
  /** Whether it has asked to be told of changes. */
  listens = false;

  constructor(client, target, behaviour) {
    this.client = client;
    this.server = connect({ ...target, noDelay: true });
    this.ways = [
      new Way('request', this, client, this.server, behaviour),
      new Way('answer', this, this.server, client, behaviour),
    ];
    for (const [socket, other] of [
      [client, this.server],
      [this.server, client],
    ]) {
      socket.on('error', () => other.destroy());
      socket.on('close', () => this.isSilent || other.destroy());
    }
  }

  /** Then nobody hears of what becomes of the other end. */
  get isSilent() {
    return this.ways.some(({ isDead }) => isDead);
  }

  note(chunk) {
    this.listens ||= /LISTEN|SUBSCRIBE/i.test(chunk.toString('latin1'));
  }

  end() {
    for (const way of this.ways) way.isDead = true;
    this.client.end();
    this.server.destroy();
  }

  reset() {
    for (const way of this.ways) way.isDead = true;
    this.client.resetAndDestroy();
    this.server.destroy();
  }
}

/**
 * @param {string} url - of the server
 * @returns the `url` through the proxy; what it does, which may be changed at any time; and its end, which ends all
 */
export async function openProxy(url) {
  const { hostname: host, port } = new URL(url);
  /** @type {Behaviour} */
  let behaviour = passes();
  /** @type {Set<ProxiedConnection>} */
  const connections = new Set();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    if (behaviour.refuses === true) {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const connection = new ProxiedConnection(client, { host, port: Number(port) }, () => behaviour);
    connections.add(connection);
    client.on('close', () => {
      connections.delete(connection);
      connection.server.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const own = new URL(url);
  own.port = String(/** @type {import('node:net').AddressInfo} */ (server.address()).port);
  return {
    url: own.href,
    /** @param {Behaviour} wanted */
    behave(wanted) {
      behaviour = wanted;
    },
    /** @param {(connection: ProxiedConnection) => boolean} which */
    some: (which) => [...connections].some(which),
    /** Resets those connections; all, unless it is said which. */
    reset(/** @type {(connection: ProxiedConnection) => boolean} */ which = () => true) {
      for (const connection of [...connections].filter(which)) connection.reset();
    },
    async close() {
      for (const connection of connections) connection.reset();
      server.close();
      await once(server, 'close');
    },
  };
}
