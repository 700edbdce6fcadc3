import type { DialectAnswer } from '../http/dialect.ts';
import type { OpenApiPart } from '../http/openapi.ts';
import type { Route } from '../http/router.ts';
import type { IssuedKey } from '../issuance/issuer.ts';
import type { CreateInput, UpdateInput } from '../issuance/key-input.ts';
import type { ApiKey } from '../keys/api-key.ts';
import type { KeyFilter } from '../keys/key-filter.ts';
import type { ScopeCatalogue } from '../keys/scope-catalogue.ts';
import {
  apiKeyJson,
  ISSUED_KEY_CONTENT,
  issuedKeyJson,
  KEY_CONTENT,
  KEY_PAGE_CONTENT,
} from './api-key-json.ts';
import type { Caller } from './caller.ts';
import { entityTag, type IfMatch } from './if-match.ts';
import {
  createInputs,
  type Inputs,
  LIST_INPUTS,
  NO_INPUTS,
  REVOKE_INPUTS,
  ROTATE_INPUTS,
  updateInputs,
} from './inputs.ts';
import type { VisibleKeys } from './visible-keys.ts';

/** A call of one operation, with all that was sent already read. */
export interface Call {
  readonly caller: Caller;
  readonly visible: VisibleKeys;
  /** `''` where the path has none. */
  readonly id: string;
  readonly ifMatch: IfMatch;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** Where the router is mounted. */
  readonly base: string;
}

/** One route: what it takes and answers, for the router and for the document alike. */
export interface Operation {
  readonly method: Exclude<Route['method'], 'PUT'>;
  readonly path: string;
  /** In the document, as `operationId`. */
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly query?: Inputs;
  readonly body?: Inputs;
  /** Whether it changes a key that exists, and so heeds `If-Match` and may conflict. */
  readonly isChange?: true;
  readonly success: Success;
  run(call: Call): Promise<DialectAnswer>;
}

export interface Success {
  readonly status: 200 | 201 | 204;
  readonly description: string;
  readonly content?: OpenApiPart;
  readonly headers?: readonly ('ETag' | 'Location')[];
}

const ONE_KEY: Success = { status: 200, description: 'The key.', content: KEY_CONTENT, headers: ['ETag'] };
const CEILING = 'Every scope of the key must be within what the caller may grant.';

/**
 * @param kinds - the kinds of keys that can be made
 * @param scopes - what a key may be given
 */
export function operationsFor(kinds: readonly string[], scopes?: ScopeCatalogue): readonly Operation[] {
  return [
    {
      method: 'POST',
      path: '/',
      name: 'createKey',
      summary: 'Create a key',
      description: "It belongs to the caller's organization, and to the caller where that is a user.",
      body: createInputs(kinds, scopes),
      success: {
        status: 201,
        description: 'The new key.',
        content: ISSUED_KEY_CONTENT,
        headers: ['ETag', 'Location'],
      },
      async run({ caller, visible, body, base }) {
        const { organization, owner, actor, keys } = caller;
        visible.requireGrantable((body['scopes'] ?? []) as string[], '/scopes');
        const input = { ...body, organization, owner, createdBy: actor } as CreateInput;
        const issued = await keys.create(input);
        const answer = issuedAnswer(201, issued);
        const location = `${base}/${encodeURIComponent(issued.apiKey.id)}`;
        return { ...answer, headers: { ...answer.headers, Location: location } };
      },
    },
    {
      method: 'GET',
      path: '/',
      name: 'listKeys',
      summary: 'List keys',
      query: LIST_INPUTS,
      success: { status: 200, description: 'One page.', content: KEY_PAGE_CONTENT },
      async run({ visible, query }) {
        const { apiKeys, nextCursor } = await visible.list(query as KeyFilter);
        const shown = apiKeys.map(apiKeyJson);
        return {
          status: 200,
          body: nextCursor === undefined ? { apiKeys: shown } : { apiKeys: shown, nextCursor },
        };
      },
    },
    {
      method: 'GET',
      path: '/:id',
      name: 'getKey',
      summary: 'Get a key',
      success: ONE_KEY,
      run: async ({ visible, id }) => keyAnswer(await visible.find(id)),
    },
    {
      method: 'PATCH',
      path: '/:id',
      name: 'updateKey',
      summary: 'Change a key',
      description: `Members that are given are replaced whole. For more than the name: ${CEILING}`,
      body: updateInputs(scopes),
      isChange: true,
      success: ONE_KEY,
      async run(call) {
        const { visible, body } = call;
        visible.requireGrantable((body['scopes'] ?? []) as string[], '/scopes');
        const gives = Object.keys(body).some((name) => name !== 'name');
        return keyAnswer(
          await visible.change({
            ...conditionsOf(call),
            gives,
            make: (id, condition) => call.caller.keys.update(id, body as UpdateInput, condition),
          }),
        );
      },
    },
    {
      method: 'POST',
      path: '/:id/rotate',
      name: 'rotateKey',
      summary: 'Give a key a new text',
      description: `The old text works until its grace ends, but never past the key's own end. ${CEILING}`,
      body: ROTATE_INPUTS,
      isChange: true,
      success: {
        status: 200,
        description: 'The key with its new text.',
        content: ISSUED_KEY_CONTENT,
        headers: ['ETag'],
      },
      run: async (call) =>
        issuedAnswer(
          200,
          await call.visible.change({
            ...conditionsOf(call),
            gives: true,
            make: (id, condition) => call.caller.keys.rotate(id, { ...call.body, ...condition }),
          }),
        ),
    },
    stateOperation('disable', 'Stop a key until it is enabled again'),
    stateOperation('enable', 'Let a disabled key work again'),
    {
      method: 'POST',
      path: '/:id/revoke',
      name: 'revokeKey',
      summary: 'Stop a key for ever',
      description: 'Its record stays. A second time changes nothing, and the first reason stays.',
      body: REVOKE_INPUTS,
      isChange: true,
      success: ONE_KEY,
      run: async (call) => keyAnswer(await revoke(call)),
    },
    {
      method: 'DELETE',
      path: '/:id',
      name: 'deleteKey',
      summary: 'Stop a key for ever, like revoke',
      description: 'Its record stays. A second time is answered the same.',
      body: NO_INPUTS,
      isChange: true,
      success: { status: 204, description: 'The key is revoked.' },
      async run(call) {
        await revoke(call);
        return { status: 204, body: undefined };
      },
    },
  ];
}

/** Both are answered the same a second time. */
function stateOperation(action: 'disable' | 'enable', summary: string): Operation {
  const gives = action === 'enable';
  return {
    method: 'POST',
    path: `/:id/${action}`,
    name: `${action}Key`,
    summary,
    ...(gives ? { description: CEILING } : undefined),
    body: NO_INPUTS,
    isChange: true,
    success: ONE_KEY,
    run: async (call) =>
      keyAnswer(
        await call.visible.change({
          ...conditionsOf(call),
          gives,
          make: (id, condition) => call.caller.keys[action](id, condition),
        }),
      ),
  };
}

function revoke(call: Call): Promise<ApiKey> {
  return call.visible.change({
    ...conditionsOf(call),
    gives: false,
    make: (id, condition) => call.caller.keys.revoke(id, { ...call.body, ...condition }),
  });
}

function conditionsOf({ id, ifMatch }: Call): { readonly id: string; readonly ifMatch: IfMatch } {
  return { id, ifMatch };
}

function keyAnswer(apiKey: ApiKey): DialectAnswer {
  return { status: 200, headers: { ETag: entityTag(apiKey.version) }, body: apiKeyJson(apiKey) };
}

function issuedAnswer(status: 200 | 201, issued: IssuedKey): DialectAnswer {
  return { status, headers: { ETag: entityTag(issued.apiKey.version) }, body: issuedKeyJson(issued) };
}
