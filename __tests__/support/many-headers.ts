import type { Server } from 'node:http';
import { exchange } from './exchange.ts';

/** Node's, where a server says nothing. */
const DEFAULT_LIMIT = 1_000;

/**
 * Whether this Node answers 431 by itself where a request has more header lines than a server keeps. Others keep the
 * first ones, and hand the request over as if the rest had not been sent.
 */
export const nodeRefusesManyLines: boolean = await asked();

/** @param lines - header lines of a request, without the two that the test's own client adds */
export function isRefusedByNode(
  lines: readonly string[],
  limit: Server['maxHeadersCount'] = DEFAULT_LIMIT,
): boolean {
  return nodeRefusesManyLines && limit !== null && limit > 0 && lines.length + 2 > limit;
}

async function asked(): Promise<boolean> {
  const many = Array.from({ length: DEFAULT_LIMIT + 100 }, () => 'a: b');
  return (await exchange((_req, res) => void res.end(), many)).status === 431;
}
