import { withDeadline } from './guarded-store.ts';

/** Whoever waits for it gives up after 5 s and takes another connection; this one must be given back by then. */
const LISTEN_DEADLINE_MS = 4_000;

/** A connection of its own for LISTEN, such as a `Client` of `pg` that is connected. */
export interface PgListener {
  query(text: string): PromiseLike<unknown>;
  on(event: 'notification' | 'error' | 'end', hear: (message: unknown) => void): unknown;
  end(): unknown;
}

/**
 * Listens on a channel.
 *
 * @param onEnd - hears at once that the connection is gone, where that can be seen
 * @returns what stops it
 */
export type Listen = (
  channel: string,
  onMessage: (message: string) => void,
  onEnd: () => void,
) => Promise<() => Promise<void>>;

/** A Pool of `pg`, as far as it is used. */
export interface PgPool {
  readonly options?: { readonly max?: number };
  connect(): Promise<unknown>;
}

interface PgPoolClient extends Omit<PgListener, 'end'> {
  release(destroy: boolean): void;
  unref?(): void;
}

export interface PostgresJsListener {
  listen(
    channel: string,
    onMessage: (message: string) => void,
  ): PromiseLike<{ unlisten(): PromiseLike<unknown> }>;
}

export interface PgliteListener {
  listen(channel: string, onMessage: (message: string) => void): Promise<() => Promise<unknown>>;
}

/** Keeps one client of the pool, and gives it back to be closed. A pool of one is left alone: it would have none. */
export function pgPoolListen(pool: PgPool): Listen | undefined {
  if (pool.options?.max === 1) return undefined;
  return async (channel, onMessage, onEnd) => {
    const client = (await pool.connect()) as PgPoolClient;
    // A pool whose clients are all idle may let the process end; one that only listens may too.
    client.unref?.();
    return listenOn(client, () => client.release(true), channel, onMessage, onEnd);
  };
}

export function ownListen(open: () => Promise<PgListener>): Listen {
  return async (channel, onMessage, onEnd) => {
    const client = await open();
    return listenOn(client, () => client.end(), channel, onMessage, onEnd);
  };
}

/** It opens a connection by itself, and another where that one breaks. */
export function postgresJsListen(sql: PostgresJsListener): Listen {
  return async (channel, onMessage) => {
    const { unlisten } = await sql.listen(channel, onMessage);
    return async () => void (await unlisten());
  };
}

export function pgliteListen(database: PgliteListener): Listen {
  return async (channel, onMessage) => {
    const stop = await database.listen(quoted(channel), onMessage);
    return async () => void (await stop());
  };
}

async function listenOn(
  client: Omit<PgListener, 'end'>,
  close: () => unknown,
  channel: string,
  onMessage: (message: string) => void,
  onEnd: () => void,
): Promise<() => Promise<void>> {
  let isOver = false;
  // Stays where it is: an error of a connection that is let go must not end the process either.
  client.on('error', () => isOver || onEnd());
  client.on('end', () => isOver || onEnd());
  client.on('notification', (message) => {
    const given = message as { channel?: unknown; payload?: unknown } | undefined;
    if (!isOver && given?.channel === channel) onMessage(given.payload as string);
  });
  const stop = async (): Promise<void> => {
    if (isOver) return;
    isOver = true;
    await close();
  };
  try {
    await withDeadline({ run: () => client.query(`LISTEN ${quoted(channel)}`) }, LISTEN_DEADLINE_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

/** The channel is made of the name of the table, in which there are no quotes. */
function quoted(channel: string): string {
  return `"${channel}"`;
}
