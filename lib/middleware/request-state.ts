import type { Request } from 'express';
import { notePass, type Pass, passOf } from '../http/request-pass.ts';
import type { ApiKey } from '../keys/api-key.ts';
import { warnOfSecondMount } from './misconfigurations.ts';
import type { Voice } from './voice.ts';

declare global {
  namespace Express {
    interface Request {
      /** The key that the request was made with. `undefined` where `mode: 'optional'` let an anonymous one pass. */
      readonly apiKey: ApiKey;
    }
  }
}

/** A pass with all that a guard needs to answer as the authenticator would. */
export interface VoicedPass extends Pass {
  readonly voice: Voice;
}

export function letPass(req: Request, apiKey: ApiKey | undefined, voice: Voice): void {
  (req as { apiKey: ApiKey | undefined }).apiKey = apiKey;
  if (notePass(req, { voice, apiKey })) warnOfSecondMount(voice.internals);
}

/** `undefined` where no authenticator ran. Every pass is noted by {@link letPass}, so each has its voice. */
export function voicedPassOf(req: Request): VoicedPass | undefined {
  return passOf(req) as VoicedPass | undefined;
}

/** The key of a request, `undefined` for an anonymous one and where no authenticator ran. */
export function getApiKey(req: Request): ApiKey | undefined {
  return passOf(req)?.apiKey;
}
