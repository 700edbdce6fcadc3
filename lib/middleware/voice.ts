import type { Request, Response } from 'express';
import type { Internals } from '../api-keys.ts';
import { ApiKeyError, type ErrorCode, statusOf } from '../errors.ts';
import { writeAnswer } from '../http/answer.ts';
import { type ChallengeParts, challengesFor } from '../http/challenge.ts';
import type { ErrorFormat } from '../http/dialect.ts';
import { detailOf, problemBody } from '../http/problem.ts';
import { addVary, retryAfterSeconds } from '../http/response-headers.ts';
import type { ApiKey } from '../keys/api-key.ts';

/** Answers a refusal itself; the status and the header fields of the answer are set when it is called. */
export type ErrorHandler = (error: ApiKeyError, req: Request, res: Response) => void;

export interface Refusal {
  /** Fixed text that says more than the code's own. */
  readonly detail?: string | undefined;
  /** What the route demands, for the challenge of a 403. */
  readonly scope?: string;
  /** Seconds, where they are known. */
  readonly retryAfter?: string | undefined;
}

export interface VoiceParts extends ChallengeParts {
  readonly internals: Internals;
  readonly errors: ErrorFormat | ErrorHandler | undefined;
}

/** How one authenticator answers; its guards answer with the same voice. */
export class Voice {
  readonly internals: Internals;
  readonly #parts: VoiceParts;
  readonly #vary: string;
  /** Those without a scope: a flood of bad keys is to cost little. */
  readonly #challenges = new Map<ErrorCode, readonly string[]>();

  constructor(parts: VoiceParts) {
    this.internals = parts.internals;
    this.#parts = parts;
    this.#vary = parts.headers.join(', ');
  }

  /** Ends the request with the answer that a code has. Never throws. */
  refuse(req: Request, res: Response, code: ErrorCode, refusal: Refusal = {}): void {
    // Somebody else answered while we looked the key up, a time-out for example.
    if (res.headersSent) return;
    try {
      this.#answer(req, res, code, refusal);
    } catch {
      answerServerError(res);
    }
  }

  /** Says in an event that a guard did not let a key pass. */
  tellRefused(reason: ErrorCode, apiKey?: ApiKey): void {
    const { events, clock } = this.internals;
    if (!events.hears('decision')) return;
    const outcome =
      apiKey === undefined ? undefined : { keyId: apiKey.id, organizationId: apiKey.organization.id };
    const at = clock.now();
    events.emit({
      type: 'decision',
      at,
      outcome: 'refused',
      reason,
      cache: 'none',
      durationMs: 0,
      ...outcome,
    });
  }

  addVary(res: Response): void {
    addVary(res, this.#parts.headers, this.#vary);
  }

  challenges(code: ErrorCode, scope?: string): readonly string[] {
    if (scope !== undefined) return challengesFor(code, this.#parts, scope);
    const known = this.#challenges.get(code) ?? challengesFor(code, this.#parts);
    this.#challenges.set(code, known);
    // A copy: an application may change the header fields of its response.
    return [...known];
  }

  #answer(req: Request, res: Response, code: ErrorCode, refusal: Refusal): void {
    const { detail, scope } = refusal;
    const { errors } = this.#parts;
    const challenges = this.challenges(code, scope);
    const retryAfter = code === 'temporarily_unavailable' ? retryAfterSeconds() : refusal.retryAfter;
    this.addVary(res);
    res.setHeader('Cache-Control', 'no-store');
    if (retryAfter !== undefined) res.setHeader('Retry-After', retryAfter);
    if (errors === undefined) {
      if (challenges.length > 0) res.setHeader('WWW-Authenticate', challenges);
      end(res, statusOf(code), problemBody(code, detail), 'application/problem+json');
      return;
    }
    const headers = {
      ...(challenges.length === 0 ? undefined : { 'WWW-Authenticate': challenges.join(', ') }),
      ...(retryAfter === undefined ? undefined : { 'Retry-After': retryAfter }),
    };
    const error = new ApiKeyError(code, detail ?? detailOf(code), { headers });
    if (typeof errors !== 'function') {
      writeAnswer(res, errors.error(error));
      return;
    }
    res.statusCode = error.status;
    if (challenges.length > 0) res.setHeader('WWW-Authenticate', challenges);
    // Typed as answering nothing, but an async function fits that type too.
    const pending: unknown = errors(error, req, res);
    Promise.resolve(pending).catch(() => answerServerError(res));
  }
}

/** The last resort, for our own faults and those of callbacks: fixed text, and never a way past the guard. */
export function answerServerError(res: Response): void {
  if (res.headersSent) {
    res.end();
    return;
  }
  res.setHeader('Cache-Control', 'no-store');
  res.removeHeader('WWW-Authenticate');
  res.removeHeader('Retry-After');
  end(res, 500, problemBody('server_error'), 'application/problem+json');
}

function end(res: Response, status: number, body: string, contentType: string): void {
  res.statusCode = status;
  res.setHeader('Content-Type', contentType);
  res.setHeader('Content-Length', Buffer.byteLength(body));
  res.end(body);
}
