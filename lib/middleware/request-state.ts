import type { Request } from 'express';
import type { ApiKey } from '../keys/api-key.ts';
import type { Voice } from './voice.ts';

declare global {
  namespace Express {
    interface Request {
      /** The key that the request was made with. `undefined` where `mode: 'optional'` let an anonymous one pass. */
      readonly apiKey: ApiKey;
    }
  }
}

/** How a request passed an authenticator. */
export interface Pass {
  readonly voice: Voice;
  readonly apiKey: ApiKey | undefined;
}

/**
 * Beside the request and not on it: what stands on `req.apiKey` could have been put there by anybody, so that is for
 * the application to read and decides nothing. Each further property on a request would cost microseconds, too.
 */
const passes = new WeakMap<object, Pass>();

export function letPass(req: Request, apiKey: ApiKey | undefined, voice: Voice): void {
  (req as { apiKey: ApiKey | undefined }).apiKey = apiKey;
  passes.set(req, { voice, apiKey });
}

/** `undefined` where no authenticator ran. */
export function passOf(req: Request): Pass | undefined {
  return passes.get(req);
}

/** The key of a request, `undefined` for an anonymous one and where no authenticator ran. */
export function getApiKey(req: Request): ApiKey | undefined {
  return passes.get(req)?.apiKey;
}
