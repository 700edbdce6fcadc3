import { createServer, type RequestListener, type Server } from 'node:http';
import { validateRouter, workos } from '../../lib/dialects.ts';
import type { ApiKeys, ApiKeysOptions, CreateInput, KeyEvent } from '../../lib/index.ts';
import { createApiKeys, MemoryKeyStore } from '../../lib/index.ts';
import { listen } from './exchange.ts';
import { type Express, expressVersions } from './express-versions.ts';
import { FaultStore } from './fault-store.ts';
import { START_MS } from './open-keys.ts';
import { assertFits } from './openapi.ts';

export interface WorkosBench {
  readonly apiKeys: ApiKeys;
  readonly store: FaultStore;
  readonly clock: { ms: number };
  readonly events: KeyEvent[];
  readonly port: number;
  /** Sends a request as this caller, and holds what is answered against the contract. */
  call(key: string | undefined, line: string, body?: unknown): Promise<WorkosAnswer>;
  /** Makes a key of `org_1`, unless it is said otherwise, and answers its text. */
  keyOf(input?: Partial<CreateInput>): Promise<string>;
}

export interface WorkosAnswer {
  readonly status: number;
  readonly headers: Headers;
  // The point of the tests is to compare it.
  // biome-ignore lint/suspicious/noExplicitAny: JSON
  readonly body: any;
}

export const MANAGER_SCOPES = ['keys:validate', 'keys:manage', 'posts:*'];

const opened: (() => Promise<void>)[] = [];

/** A running app that speaks WorkOS, over keys whose clock stands still until it is moved. */
export async function openWorkos(
  options: Partial<ApiKeysOptions> = {},
  express: Express = expressVersions[1]?.express as Express,
): Promise<WorkosBench> {
  const clock = { ms: START_MS };
  const events: KeyEvent[] = [];
  const store = new FaultStore(new MemoryKeyStore(), { without: ['watch'] });
  const apiKeys = createApiKeys({
    store,
    prefix: 'sk',
    now: () => clock.ms,
    onEvent: (event) => events.push(event),
    ...options,
  });
  const port = await serve(express().use(validateRouter(apiKeys, workos())));
  opened.push(() => apiKeys.close());

  async function call(key: string | undefined, line: string, body?: unknown): Promise<WorkosAnswer> {
    const [method = '', path = ''] = line.split(' ');
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: {
        'Content-Type': 'application/json',
        ...(key === undefined ? undefined : { Authorization: `Bearer ${key}` }),
      },
      ...(body === undefined ? undefined : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const answered = text === '' ? undefined : JSON.parse(text);
    const { status, headers } = response;
    const type = headers.get('content-type') ?? undefined;
    assertFits('workos', method, path.replace(/\?.*/, ''), status, type, answered);
    return { status, headers, body: answered };
  }

  async function keyOf(input: Partial<CreateInput> = {}): Promise<string> {
    const organization = { id: 'org_1' };
    return (await apiKeys.create({ name: 'CI', organization, ...input })).key;
  }

  return { apiKeys, store, clock, events, port, call, keyOf };
}

/** A bench with a caller that may manage the keys of `org_1`. */
export async function openManaged(scopes: readonly string[] = MANAGER_SCOPES, express?: Express) {
  const bench = await openWorkos({}, express);
  const caller = await bench.keyOf({ name: 'Manager', organization: { id: 'org_1', slug: 'acme' }, scopes });
  const call = (line: string, body?: unknown, as = caller) => bench.call(as, line, body);
  const make = async (input: Partial<CreateInput> = {}) => {
    const made = await bench.apiKeys.create({ name: 'CI', organization: { id: 'org_1' }, ...input });
    return { ...made, shown: `api_key_${made.apiKey.id}` };
  };
  const isGood = async (value: string) =>
    (await call('POST /api_keys/validations', { value })).body.api_key !== null;
  return { ...bench, caller, call, make, isGood };
}

/** Serves it until {@link closeWorkos}; answers the port. */
export async function serve(app: RequestListener): Promise<number> {
  const server: Server = createServer(app);
  opened.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return listen(server);
}

/** For `afterEach` or `afterAll`. */
export async function closeWorkos(): Promise<void> {
  await Promise.all(opened.splice(0).map((close) => close()));
}
