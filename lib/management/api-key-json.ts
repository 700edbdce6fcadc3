import { jsonContent, type OpenApiPart, objectSchema, schemaRef } from '../http/openapi.ts';
import type { IssuedKey } from '../issuance/issuer.ts';
import type { ApiKey } from '../keys/api-key.ts';
import type { Json } from '../keys/metadata.ts';

const TEXT: OpenApiPart = { type: 'string' };
const TIME: OpenApiPart = { type: 'string', format: 'date-time' };

/**
 * A key in JSON, member by member; what is not here is not shown. A member that `ApiKey` has and this table lacks
 * does not compile.
 */
const MEMBERS: { readonly [Name in keyof Required<ApiKey>]: OpenApiPart } = {
  id: TEXT,
  kind: { enum: ['opaque', 'pair', 'jwt'] },
  name: TEXT,
  environment: { enum: ['live', 'test'] },
  start: { type: 'string', description: 'The leading characters of the key; empty where unknown.' },
  end: { type: 'string', description: 'The last characters of the key; empty where unknown.' },
  organization: objectSchema({ id: TEXT, slug: TEXT }, ['id']),
  owner: objectSchema({ type: { enum: ['organization', 'user', 'service'] }, id: TEXT }),
  scopes: { type: 'array', items: TEXT },
  enabled: { type: 'boolean' },
  version: { type: 'integer', minimum: 1, description: 'The number in `ETag`.' },
  createdAt: TIME,
  createdBy: TEXT,
  updatedAt: TIME,
  lastUsedAt: TIME,
  expiresAt: TIME,
  notBefore: TIME,
  revokedAt: TIME,
  revocationReason: TEXT,
  rotatedAt: TIME,
  grace: {
    ...objectSchema({ expiresAt: TIME, lastUsedAt: TIME }, ['expiresAt']),
    description: 'The older key, while it still works.',
  },
  metadata: { type: 'object', additionalProperties: true },
};

type OptionalName = { [Name in keyof ApiKey]-?: undefined extends ApiKey[Name] ? Name : never }[keyof ApiKey];

const OPTIONAL: { readonly [Name in OptionalName]: true } = {
  createdBy: true,
  lastUsedAt: true,
  expiresAt: true,
  notBefore: true,
  revokedAt: true,
  revocationReason: true,
  rotatedAt: true,
  grace: true,
};

const NAMES = Object.keys(MEMBERS) as readonly (keyof ApiKey)[];

export const KEY_SCHEMAS: { readonly [name: string]: OpenApiPart } = {
  ApiKey: {
    ...objectSchema(
      MEMBERS,
      NAMES.filter((name) => !Object.hasOwn(OPTIONAL, name)),
    ),
    description: 'A key, without its text. Members that have no value are absent.',
  },
  IssuedKey: {
    ...objectSchema(
      {
        key: { type: 'string', description: 'Shown in this answer, and never again.' },
        secret: { type: 'string', description: 'Of a pair only.' },
        apiKey: schemaRef('ApiKey'),
      },
      ['key', 'apiKey'],
    ),
    description: 'A new key.',
  },
  KeyPage: {
    ...objectSchema(
      {
        apiKeys: { type: 'array', items: schemaRef('ApiKey') },
        nextCursor: { type: 'string', description: 'For `cursor`; absent on the last page.' },
      },
      ['apiKeys'],
    ),
    description: 'One page of a list.',
  },
};

export const KEY_CONTENT: OpenApiPart = jsonContent(schemaRef('ApiKey'));
export const ISSUED_KEY_CONTENT: OpenApiPart = jsonContent(schemaRef('IssuedKey'));
export const KEY_PAGE_CONTENT: OpenApiPart = jsonContent(schemaRef('KeyPage'));

export function apiKeyJson(apiKey: ApiKey): Json {
  const json: Record<string, Json> = {};
  for (const name of NAMES) {
    const value = apiKey[name];
    // Times are the only values that JSON has no form for; JSON.stringify writes them as ISO 8601, in UTC.
    if (value !== undefined) json[name] = JSON.parse(JSON.stringify(value)) as Json;
  }
  return json;
}

export function issuedKeyJson({ key, secret, apiKey }: IssuedKey): Json {
  return { key, ...(secret === undefined ? undefined : { secret }), apiKey: apiKeyJson(apiKey) };
}
