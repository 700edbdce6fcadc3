import type { Request } from 'express';
import type { Internals } from '../api-keys.ts';

/**
 * Express knows whether this is production: its setting `env`, which is NODE_ENV unless the application sets it. So it
 * can be asked with the first request, and not before.
 */
export function isInProduction(req: Request): boolean {
  return settingOf(req, 'env') === 'production';
}

/** For a request that was refused since it did not come by TLS. Anybody can send that field, so it is no more than a sign. */
export function warnOfUntrustedProxy(req: Request, { events, clock }: Internals): void {
  if (!events.mayWarn('trust_proxy_unset') || req.headers['x-forwarded-proto'] === undefined) return;
  if (settingOf(req, 'trust proxy')) return;
  const message =
    'requireTls refused a request that carries X-Forwarded-Proto, and the setting "trust proxy" is not set: behind a ' +
    'proxy that ends TLS, nobody gets in.';
  events.warnOnce('trust_proxy_unset', clock.now(), message);
}

export function warnOfSecondMount({ events, clock }: Internals): void {
  if (!events.mayWarn('mounted_twice')) return;
  const message =
    'A request came by two authenticators: its key was checked twice, and guards and handlers see what the second said.';
  events.warnOnce('mounted_twice', clock.now(), message);
}

/** `undefined` outside of an application of Express, too. */
function settingOf(req: Request, name: string): unknown {
  return (req.app as { get?: (name: string) => unknown } | undefined)?.get?.(name);
}
