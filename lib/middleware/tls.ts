import type { Request } from 'express';

/**
 * Whether the hop nearest to us was encrypted: our own socket, or, where `trust proxy` trusts the peer, what that
 * peer says of its client, which is the last element of X-Forwarded-Proto. `req.secure` would take the first, which
 * any client can write.
 */
export function arrivedByTls(req: Request): boolean {
  if ((req.socket as { encrypted?: boolean }).encrypted === true) return true;
  const trusts = req.app.get('trust proxy fn') as (address: string | undefined, hop: number) => boolean;
  if (trusts(req.socket.remoteAddress, 0) !== true) return false;
  const forwarded = String(req.headers['x-forwarded-proto']);
  const last = forwarded.slice(forwarded.lastIndexOf(',') + 1);
  return last.trim().toLowerCase() === 'https';
}
