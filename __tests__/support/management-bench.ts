import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from '@jest/globals';
import express5, { type RequestHandler } from 'express';
import {
  type ApiKeys,
  type ApiKeysOptions,
  createApiKeys,
  type KeyEvent,
  type KeyRecord,
  keyPairs,
  MemoryKeyStore,
} from '../../lib/index.ts';
import {
  type Management,
  type ManagementOptions,
  managementRouter,
} from '../../lib/management/management-router.ts';
import type { Express } from './express-versions.ts';
import { FaultStore } from './fault-store.ts';
import { NOW_MS } from './managed-keys.ts';
import { OpenApiChecker } from './openapi-checker.ts';

/** Who may sign in: each by the name in `X-Session`. */
export const SESSIONS: { readonly [name: string]: Management } = {
  anna: {
    organization: { id: 'org_A', slug: 'a' },
    grantableScopes: ['reports:*', 'files:read'],
    actor: 'anna',
  },
  small: { organization: { id: 'org_A' }, grantableScopes: ['files:read'], actor: 'small' },
  nothing: { organization: { id: 'org_A' }, grantableScopes: [], actor: 'nothing' },
  uwe: {
    organization: { id: 'org_A' },
    user: { id: 'user_uwe' },
    grantableScopes: ['reports:*', 'files:read'],
    actor: 'uwe',
  },
  bert: { organization: { id: 'org_B' }, grantableScopes: ['reports:*', 'files:read'], actor: 'bert' },
};

export interface AskOptions {
  /** @default 'anna' */
  readonly as?: string | undefined;
  /** Sent as JSON; a text is sent as it stands. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ManagementAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what is in it is what tests are about
  readonly body: any;
}

export interface ManagementBench {
  readonly apiKeys: ApiKeys;
  readonly store: FaultStore;
  readonly clock: { ms: number };
  readonly events: KeyEvent[];
  readonly checker: OpenApiChecker;
  readonly port: number;
  /** Asks, and holds the answer to the OpenAPI document that the router serves. */
  ask(method: string, path: string, options?: AskOptions): Promise<ManagementAnswer>;
  /** A key made past the router, in org_A unless it is said. */
  make(input?: Partial<Parameters<ApiKeys['create']>[0]>): Promise<{ id: string; key: string }>;
  records(): Promise<readonly KeyRecord[]>;
}

export interface ManagementBenchOptions {
  readonly express?: Express;
  /** Mounted before the router. */
  readonly before?: (apiKeys: ApiKeys, express: Express) => readonly RequestHandler[];
  readonly management?: Partial<ManagementOptions>;
  readonly apiKeys?: Partial<ApiKeysOptions>;
}

/** By the text of the document, as nearly all benches serve the same one. */
const checkers = new Map<string, OpenApiChecker>();

const opened: { server: Server; apiKeys: ApiKeys }[] = [];

/** For `afterEach`. */
export async function closeManagement(): Promise<void> {
  for (const { server, apiKeys } of opened.splice(0)) {
    server.close();
    server.closeAllConnections();
    await apiKeys.close();
  }
}

export async function openManagement(options: ManagementBenchOptions = {}): Promise<ManagementBench> {
  const { express = express5, before, management } = options;
  const clock = { ms: NOW_MS };
  const events: KeyEvent[] = [];
  const memory = new MemoryKeyStore();
  const store = new FaultStore(memory);
  const apiKeys = createApiKeys({
    store,
    prefix: 'acme',
    verifiers: [keyPairs()],
    now: () => clock.ms,
    onEvent: (event) => void events.push(event),
    ...options.apiKeys,
  });
  const app = express();
  const handlers = before?.(apiKeys, express) ?? [];
  if (handlers.length > 0) app.use(...handlers);
  app.use(
    '/keys',
    managementRouter(apiKeys, { authorize: (req) => SESSIONS[req.get('x-session') ?? ''], ...management }),
  );
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push({ server, apiKeys });
  const { port } = server.address() as AddressInfo;
  const served = await send(port, 'GET', '/keys/openapi.json', { as: 'anna' });
  const checker = checkers.get(served.text) ?? new OpenApiChecker(served.status === 200 ? served.body : {});
  checkers.set(served.text, checker);

  return {
    apiKeys,
    store,
    clock,
    events,
    checker,
    port,
    async ask(method, path, given = {}) {
      const answer = await send(port, method, path, given);
      const [plain = ''] = path.split('?');
      if (served.status === 200) expect(checker.problemsOf(method, plain, answer)).toEqual([]);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      return answer;
    },
    async make(input = {}) {
      const organization = { id: 'org_A' };
      const made = await apiKeys.create({ name: 'Made', organization, scopes: ['files:read'], ...input });
      return { id: made.apiKey.id, key: made.key };
    },
    records: async () => (await memory.list({ limit: 500, order: 'oldest' })).records,
  };
}

async function send(
  port: number,
  method: string,
  path: string,
  { as = 'anna', body, headers = {} }: AskOptions,
): Promise<ManagementAnswer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: {
      'x-session': as,
      ...(body === undefined ? undefined : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? undefined : { body: text }),
  });
  const answered = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '') && answered !== '';
  return {
    status: response.status,
    headers: response.headers,
    text: answered,
    body: isJson ? JSON.parse(answered) : undefined,
  };
}
