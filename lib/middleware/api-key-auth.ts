import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { type ApiKeys, internalsOf } from '../api-keys.ts';
import type { Verdict } from '../authentication/verdict.ts';
import { type CredentialProblem, createCredentialReader } from '../http/credential.ts';
import { keepPrivate } from '../http/response-headers.ts';
import { type ApiKeyAuthOptions, readApiKeyAuthOptions } from './api-key-auth-options.ts';
import { carriesKeyInQuery } from './query-key.ts';
import { letPass } from './request-state.ts';
import { arrivedByTls } from './tls.ts';
import { answerServerError, Voice } from './voice.ts';

/**
 * Lets requests with a good key pass and answers all others itself; it never calls `next(error)`. Puts the key's
 * {@link ApiKey} on `req.apiKey`, and nothing else on the request.
 *
 * A key that the cache holds is decided before this returns: with no promise, no I/O, and one SHA-256.
 *
 * @throws TypeError for an option that is wrong, when it is built
 */
export function apiKeyAuth(apiKeys: ApiKeys, options: ApiKeyAuthOptions = {}): RequestHandler {
  const internals = internalsOf('apiKeyAuth', apiKeys);
  const { mode, headers, schemes, realm, requireTls, errors } = readApiKeyAuthOptions(options);
  const readCredential = createCredentialReader({ headers, schemes, characters: internals.characters });
  const voice = new Voice({ internals, headers, schemes, realm, errors });

  /** @returns whether the request may go on */
  function settle(req: Request, res: Response, verdict: Verdict): boolean {
    if (!verdict.ok) {
      voice.refuse(req, res, 'invalid_token');
      return false;
    }
    if (res.headersSent) return false;
    voice.addVary(res);
    keepPrivate(res);
    if (verdict.graceUntil !== undefined) sayDeprecated(res, verdict.apiKey.rotatedAt, verdict.graceUntil);
    letPass(req, verdict.apiKey, voice);
    return true;
  }

  /** @returns whether the request may go on, as an anonymous one */
  function settleUnread(req: Request, res: Response, { code, detail }: CredentialProblem): boolean {
    const isAnonymous = code === 'missing_credentials' && mode === 'optional';
    tellUnread(isAnonymous ? 'anonymous' : 'refused', code);
    if (code === 'missing_credentials' && carriesKeyInQuery(req.url)) warnOfQueryKey();
    if (!isAnonymous) {
      voice.refuse(req, res, code, { detail });
      return false;
    }
    voice.addVary(res);
    letPass(req, undefined, voice);
    return true;
  }

  function tellUnread(outcome: 'anonymous' | 'refused', code: CredentialProblem['code']): void {
    const { events, clock } = internals;
    if (!events.hears('decision')) return;
    const reason = outcome === 'refused' ? { reason: code } : undefined;
    events.emit({ type: 'decision', at: clock.now(), outcome, ...reason, cache: 'none', durationMs: 0 });
  }

  function warnOfQueryKey(): void {
    const message = 'A key was sent in a query string, where logs and browsers keep it; it was not read.';
    internals.events.warnOnce('key_in_query', internals.clock.now(), message);
  }

  return function apiKeyAuthMiddleware(req: Request, res: Response, next: NextFunction): void {
    let mayGoOn = false;
    try {
      if (requireTls && !arrivedByTls(req)) {
        voice.tellRefused('tls_required');
        voice.refuse(req, res, 'tls_required');
        return;
      }
      const credential = readCredential(req.rawHeaders, () => maxHeaderPairs(req));
      if (typeof credential === 'string') {
        const verdict = apiKeys.verify(credential);
        if (verdict instanceof Promise) {
          verdict.then(
            (late) => {
              if (settleLate(req, res, late)) next();
            },
            () => voice.refuse(req, res, 'temporarily_unavailable'),
          );
          return;
        }
        mayGoOn = settle(req, res, verdict);
      } else {
        mayGoOn = settleUnread(req, res, credential);
      }
    } catch {
      answerServerError(res);
      return;
    }
    if (mayGoOn) next();
  };

  function settleLate(req: Request, res: Response, verdict: Verdict): boolean {
    try {
      return settle(req, res, verdict);
    } catch {
      answerServerError(res);
      return false;
    }
  }
}

/** RFC 9745 and RFC 8594: the key works, was replaced at the one time, and stops at the other. */
function sayDeprecated(res: Response, rotatedAt: Date | undefined, graceUntil: Date): void {
  if (rotatedAt !== undefined) res.setHeader('Deprecation', `@${Math.floor(rotatedAt.getTime() / 1000)}`);
  res.setHeader('Sunset', graceUntil.toUTCString());
}

/** Node's default, of which `server.maxHeadersCount` is the setting; 0 there means no limit. */
function maxHeaderPairs(req: Request): number {
  const { server } = req.socket as { server?: { maxHeadersCount?: number | null } };
  const limit = server?.maxHeadersCount ?? 1_000;
  return limit === 0 ? Number.POSITIVE_INFINITY : limit;
}
