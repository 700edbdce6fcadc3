import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { type ApiKeys, type Internals, internalsOf } from '../api-keys.ts';
import type { Verdict } from '../authentication/verdict.ts';
import { ApiKeyError } from '../errors.ts';
import type { BasicCredential } from '../http/basic.ts';
import { BROKEN, type CredentialProblem, CredentialReader, isProblem } from '../http/credential.ts';
import { deprecationHeaders } from '../http/deprecation.ts';
import { brandHandler } from '../http/handler-brand.ts';
import { keepPrivate } from '../http/response-headers.ts';
import {
  type ApiKeyAuthConfig,
  type ApiKeyAuthOptions,
  readApiKeyAuthOptions,
} from './api-key-auth-options.ts';
import { isInProduction, warnOfUntrustedProxy } from './misconfigurations.ts';
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
  const config = readApiKeyAuthOptions(options);
  const gate = new Gate(internalsOf('apiKeyAuth', apiKeys), config);
  return brandHandler(apiKeyAuthMiddleware, { kind: 'authenticator', mode: config.mode });

  function apiKeyAuthMiddleware(req: Request, res: Response, next: NextFunction): void {
    let mayGoOn: boolean;
    try {
      mayGoOn = gate.decide(req, res, next);
    } catch {
      answerOurFault(res);
      return;
    }
    if (mayGoOn) next();
  }
}

type Answer = Verdict | Promise<Verdict> | CredentialProblem;

/** Decides requests for one `apiKeyAuth()`. */
class Gate {
  readonly #internals: Internals;
  readonly #config: ApiKeyAuthConfig;
  readonly #reader: CredentialReader;
  readonly #voice: Voice;
  #hasLookedAround = false;

  constructor(internals: Internals, config: ApiKeyAuthConfig) {
    const { headers, schemes, realm, errors } = config;
    const { characters, basicIds } = internals;
    this.#internals = internals;
    this.#config = config;
    this.#reader = new CredentialReader({ headers, schemes, characters, basicIds });
    this.#voice = new Voice({ internals, headers, schemes, realm, errors });
  }

  /** @returns whether the request may go on now */
  decide(req: Request, res: Response, next: NextFunction): boolean {
    if (this.#config.requireTls && !arrivedByTls(req)) {
      this.#voice.tellRefused('tls_required');
      warnOfUntrustedProxy(req, this.#internals);
      this.#voice.refuse(req, res, 'tls_required');
      return false;
    }
    const credential = this.#reader.find(req);
    const verdict =
      typeof credential === 'string' ? this.#verify(req, credential) : this.#verifyOther(req, credential);
    if ('code' in verdict) return this.#settleUnread(req, res, verdict);
    if ('ok' in verdict) return this.#settle(req, res, verdict);
    verdict.then(
      (late) => this.#settleLate(req, res, next, late),
      (error: unknown) => this.#refuseFault(req, res, error),
    );
    return false;
  }

  #verify(req: Request, text: string): Answer {
    return this.#internals.verifySound(text, req, this.#reader.isSound) ?? BROKEN;
  }

  #verifyOther(req: Request, credential: BasicCredential | CredentialProblem): Answer {
    if (isProblem(credential)) return credential;
    return this.#internals.verifyPair(credential.id, credential.secret, req);
  }

  #settleLate(req: Request, res: Response, next: NextFunction, verdict: Verdict): void {
    // Somebody else answered while the key was looked up.
    if (res.headersSent) return;
    let mayGoOn: boolean;
    try {
      this.#lookAround(req);
      mayGoOn = this.#settle(req, res, verdict);
    } catch {
      answerOurFault(res);
      return;
    }
    if (mayGoOn) next();
  }

  /** With the first key, which no cache can hold yet, so that cached ones have nothing to do with it. */
  #lookAround(req: Request): void {
    if (this.#hasLookedAround) return;
    this.#hasLookedAround = true;
    if (isInProduction(req)) this.#internals.warnOfProduction();
  }

  #settle(req: Request, res: Response, verdict: Verdict): boolean {
    if (!verdict.ok) {
      this.#voice.refuse(req, res, 'invalid_token');
      return false;
    }
    // Setting a field throws where somebody else has answered already.
    this.#voice.addVary(res);
    keepPrivate(res);
    if (verdict.graceUntil !== undefined) {
      const headers = deprecationHeaders(verdict.apiKey.rotatedAt, verdict.graceUntil);
      for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    }
    letPass(req, verdict.apiKey, this.#voice);
    return true;
  }

  /** @returns whether the request may go on, as an anonymous one */
  #settleUnread(req: Request, res: Response, { code, detail }: CredentialProblem): boolean {
    const isAnonymous = code === 'missing_credentials' && this.#config.mode === 'optional';
    this.#tellUnread(isAnonymous ? 'anonymous' : 'refused', code);
    this.#warnOfQueryKey(req.url);
    if (!isAnonymous) {
      this.#voice.refuse(req, res, code, { detail });
      return false;
    }
    if (res.headersSent) return false;
    this.#voice.addVary(res);
    letPass(req, undefined, this.#voice);
    return true;
  }

  #refuseFault(req: Request, res: Response, error: unknown): void {
    if (res.headersSent) return;
    if (!(error instanceof ApiKeyError)) answerServerError(res);
    else if (error.code !== 'rate_limited') this.#voice.refuse(req, res, 'temporarily_unavailable');
    else this.#voice.refuse(req, res, 'rate_limited', { retryAfter: error.headers['Retry-After'] });
  }

  #tellUnread(outcome: 'anonymous' | 'refused', code: CredentialProblem['code']): void {
    const { events, clock } = this.#internals;
    if (!events.hears('decision')) return;
    const reason = outcome === 'refused' ? { reason: code } : undefined;
    events.emit({ type: 'decision', at: clock.now(), outcome, ...reason, cache: 'none', durationMs: 0 });
  }

  #warnOfQueryKey(url: string): void {
    const { events, clock } = this.#internals;
    if (!events.mayWarn('key_in_query') || !carriesKeyInQuery(url)) return;
    const message = 'A key was sent in a query string, where logs and browsers keep it; it was not read.';
    events.warnOnce('key_in_query', clock.now(), message);
  }
}

/** A fault of ours lets nobody pass; an answer that somebody else has begun is theirs to end. */
function answerOurFault(res: Response): void {
  if (!res.headersSent) answerServerError(res);
}
