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

/**
 * The authenticator that let a request pass. Beside the request and not on it: `req.apiKey` alone could have been put
 * there by anybody, and each further property on a request costs microseconds.
 */
const voices = new WeakMap<object, Voice>();

export function letPass(req: Request, apiKey: ApiKey | undefined, voice: Voice): void {
  (req as { apiKey: ApiKey | undefined }).apiKey = apiKey;
  voices.set(req, voice);
}

/** The voice of the authenticator that ran; `undefined` when none did. */
export function voiceOf(req: Request): Voice | undefined {
  return voices.get(req);
}

/** The key of a request, `undefined` for an anonymous one and where no authenticator ran. */
export function getApiKey(req: Request): ApiKey | undefined {
  return voices.has(req) ? (req.apiKey as ApiKey | undefined) : undefined;
}
