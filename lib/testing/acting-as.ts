import type { RequestHandler } from 'express';
import { createApiKeys, internalsOf } from '../api-keys.ts';
import type { ApiKey, Environment, Organization, Owner } from '../keys/api-key.ts';
import { apiKeyOf } from '../keys/api-key-view.ts';
import { keyRecord } from '../keys/key-record.ts';
import { letPass } from '../middleware/request-state.ts';
import { Voice } from '../middleware/voice.ts';
import { checkOptionNames } from '../options.ts';

/** What the key is that every request is taken to carry. */
export interface ActingAsOptions {
  /** @default [] */
  scopes?: readonly string[] | undefined;
  /** @default { id: 'org_test' } */
  organization?: Organization | undefined;
  /** @default the organization */
  owner?: Owner | undefined;
  /** @default 'live' */
  environment?: Environment | undefined;
}

const OPTION_NAMES: { readonly [Name in keyof Required<ActingAsOptions>]: true } = {
  scopes: true,
  organization: true,
  owner: true,
  environment: true,
};

/** A plain SHA-256 that no text is known to have. */
const NOBODYS_DIGEST = `sha256:${'A'.repeat(43)}`;

/**
 * For tests of routes, in the place of `apiKeyAuth()`: every request is taken for one with such a key, whatever it
 * carries, so that guards decide and `req.apiKey` is there. Where Express's setting `env` is `production`, or cannot be
 * read, it lets nobody pass and hands an `Error` to `next`.
 *
 * @throws TypeError for an option that is wrong, when it is built
 */
export function actingAs(options: ActingAsOptions = {}): RequestHandler {
  const apiKey = apiKeyWith(options);
  const voice = voiceOfNobody();
  return function actingAsMiddleware(req, _res, next) {
    const environment = (req.app as { get?: (name: string) => unknown } | undefined)?.get?.('env');
    if (typeof environment !== 'string' || environment === 'production') {
      next(
        new Error('actingAs is for tests: it lets every request pass, so it lets none pass in production.'),
      );
      return;
    }
    letPass(req, apiKey, voice);
    next();
  };
}

function apiKeyWith(options: ActingAsOptions): ApiKey {
  checkOptionNames('actingAs', options, Object.keys(OPTION_NAMES));
  const { scopes = [], organization = { id: 'org_test' }, environment = 'live' } = options;
  const { owner = { type: 'organization', id: organization?.id } } = options;
  const id = 'key_test';
  try {
    return apiKeyOf(
      keyRecord({ id, name: 'test key', digest: NOBODYS_DIGEST, scopes, organization, owner, environment }),
    );
  } catch (error) {
    throw new TypeError(`actingAs: ${(error as Error).message}`);
  }
}

/** That of `apiKeyAuth()` with its defaults, over keys that nobody has. */
function voiceOfNobody(): Voice {
  const apiKeys = createApiKeys({ store: { findByDigest: () => undefined } });
  const internals = internalsOf('actingAs', apiKeys);
  return new Voice({
    internals,
    headers: ['Authorization', 'X-API-Key'],
    schemes: ['Bearer'],
    realm: 'api',
    errors: undefined,
  });
}
