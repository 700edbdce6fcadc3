import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Request, RequestHandler, Response } from 'express';
import { bcryptSecrets } from '../../lib/authentication/bcrypt-secrets.ts';
import { type Dialect, endor, gmi, pluto, timbrix, validateRouter, workos } from '../../lib/dialects.ts';
import {
  type ApiKeyAuthOptions,
  type ApiKeys,
  type ApiKeysOptions,
  apiKeyAuth,
  createApiKeys,
  getApiKey,
  type KeyChange,
  type KeyChanged,
  type KeyEvent,
  type KeyPage,
  type KeyRecord,
  type KeyStore,
  type KeyUse,
  keyPairs,
  type ListQuery,
  type MaybePromise,
  MemoryKeyStore,
  requireOrganization,
  requireScope,
} from '../../lib/index.ts';
import { type JwtKeysOptions, jwtKeys } from '../../lib/jwt.ts';
import { type Management, managementRouter } from '../../lib/management/management-router.ts';
import type { Express } from './express-versions.ts';
import {
  CURRENT_PEPPER,
  DELETED_USER,
  FIXTURE_NOW,
  type FixtureKeys,
  LEGACY_IDS,
  MEMBER_SESSION,
} from './fixture-keys.ts';

/** Every validate endpoint, side by side. */
const DIALECTS: readonly Dialect[] = [
  pluto(),
  timbrix({ scopes: ['read'] }),
  endor(),
  // Its ids are UUIDs, and those of the fixtures are none.
  gmi({ uuid: () => '066daf34-08e8-40fe-a384-4248bcff5842' }),
  workos(),
];

type FaultyMethod = 'findByDigest' | 'recordUse';

/** What a store does instead of answering; `real` is what it would have answered. */
export type Fault = (real: () => MaybePromise<unknown>) => unknown;

/** A store in memory that counts its calls, and can be made to do what no store should. */
export class FaultStore implements KeyStore {
  readonly real: MemoryKeyStore;
  readonly faults = new Map<FaultyMethod, Fault>();
  readonly #brokenRows: ReadonlyMap<string, object>;
  readonly #ownWatch: boolean;
  readonly #listeners = new Set<(change: KeyChanged) => void>();
  lookups = 0;
  /** Look-ups of JWTs, and what management reads. */
  readsById = 0;

  /** @param ownWatch - whether its watch tells what {@link tell} is given, and nothing else */
  constructor(records: readonly KeyRecord[], brokenRows: ReadonlyMap<string, object>, ownWatch: boolean) {
    this.real = new MemoryKeyStore(records);
    this.#brokenRows = brokenRows;
    this.#ownWatch = ownWatch;
  }

  findByDigest(digests: readonly string[]): MaybePromise<KeyRecord | undefined> {
    this.lookups += 1;
    const broken = digests.map((digest) => this.#brokenRows.get(digest)).find((row) => row !== undefined);
    return this.#run('findByDigest', () =>
      broken === undefined ? this.real.findByDigest(digests) : (broken as KeyRecord),
    );
  }

  findById(id: string): Promise<KeyRecord | undefined> {
    this.readsById += 1;
    return this.real.findById(id);
  }

  insert(record: KeyRecord): Promise<void> {
    return this.real.insert(record);
  }

  update(id: string, change: KeyChange, expectedVersion: number): Promise<KeyRecord | undefined> {
    return this.real.update(id, change, expectedVersion);
  }

  list(query: ListQuery): Promise<KeyPage> {
    return this.real.list(query);
  }

  delete(id: string): Promise<boolean> {
    return this.real.delete(id);
  }

  recordUse(uses: readonly KeyUse[]): MaybePromise<void> {
    return this.#run('recordUse', () => this.real.recordUse(uses));
  }

  async watch(onChange: (change: KeyChanged) => void): Promise<() => Promise<void>> {
    if (!this.#ownWatch) return this.real.watch(onChange);
    this.#listeners.add(onChange);
    return async () => {
      this.#listeners.delete(onChange);
    };
  }

  tell(change: KeyChanged): void {
    for (const listener of this.#listeners) listener(change);
  }

  #run<T>(method: FaultyMethod, real: () => MaybePromise<T>): MaybePromise<T> {
    const fault = this.faults.get(method);
    return fault === undefined ? real() : (fault(real) as MaybePromise<T>);
  }
}

export interface FixtureAppOptions {
  readonly apiKeys?: Partial<ApiKeysOptions>;
  readonly auth?: ApiKeyAuthOptions;
  /** @default those of the fixtures */
  readonly jwt?: JwtKeysOptions;
  /** Express's `trust proxy`. @default false */
  readonly trustProxy?: string;
  /** In front of everything, as an application's own rate limiter is. */
  readonly limiter?: RequestHandler;
  /** Behind the authenticator, in front of `/protected`. */
  readonly hook?: RequestHandler;
  readonly moreRecords?: readonly KeyRecord[];
  readonly ownWatch?: boolean;
  /** Thrown by what listens to events. */
  readonly listenerFault?: Error;
}

/** A running application with its keys. */
export interface FixtureApp {
  readonly apiKeys: ApiKeys;
  readonly store: FaultStore;
  readonly clock: { now: number };
  /** Users and organizations that are stopped. */
  readonly suspended: Set<string>;
  readonly events: readonly KeyEvent[];
  readonly port: number;
  /** How many requests have come through to the application. */
  requests(): number;
  close(): Promise<void>;
}

/** Starts the application on a free port, with nothing in its cache. */
export async function startFixtureApp(
  express: Express,
  keys: FixtureKeys,
  options: FixtureAppOptions = {},
): Promise<FixtureApp> {
  const clock = { now: FIXTURE_NOW };
  const suspended = new Set([DELETED_USER]);
  const events: KeyEvent[] = [];
  const { moreRecords = [], ownWatch = false, listenerFault } = options;
  const store = new FaultStore([...keys.records, ...moreRecords], keys.brokenRows, ownWatch);
  const apiKeys = createApiKeys({
    store,
    peppers: [CURRENT_PEPPER],
    verifiers: [jwtKeys(options.jwt ?? keys.jwt), keyPairs(), bcryptSecrets({ ids: LEGACY_IDS })],
    now: () => clock.now,
    ownerStatus: ({ owner, organization }) =>
      suspended.has(owner.id) || suspended.has(organization.id) ? 'inactive' : 'active',
    onEvent(event) {
      events.push(event);
      if (listenerFault !== undefined) throw listenerFault;
    },
    ...options.apiKeys,
  });
  const app = mount(express, apiKeys, options);
  let requests = 0;
  const server = createServer((req, res) => {
    requests += 1;
    app(req, res);
  });
  const port = await listen(server);
  // A test that failed half-way does not keep the process alive.
  server.unref();
  return {
    apiKeys,
    store,
    clock,
    suspended,
    events,
    port,
    requests: () => requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await apiKeys.close();
    },
  };
}

function mount(express: Express, apiKeys: ApiKeys, options: FixtureAppOptions): ReturnType<Express> {
  const { auth = {}, trustProxy = false, limiter, hook = passOn } = options;
  const app = express();
  app.set('trust proxy', trustProxy);
  if (limiter !== undefined) app.use(limiter);
  app.get('/health', (_req, res) => {
    res.json({ ok: true });
  });
  app.get('/optional', apiKeyAuth(apiKeys, { ...auth, mode: 'optional' }), tellWho);
  app.get('/needs-read-unauth', requireScope('read'), tellWho);
  for (const dialect of DIALECTS) app.use(validateRouter(apiKeys, dialect));
  app.use('/keys', managementRouter(apiKeys, { authorize: memberOf }));
  app.use(apiKeyAuth(apiKeys, auth));
  app.get('/protected', hook, tellWho);
  app.get('/needs-read', requireScope('read'), tellWho);
  app.get('/needs-read-all', requireScope('read:all'), tellWho);
  const ofThePath = requireOrganization((req) => String(req.params['orgId']));
  app.get('/org/:orgId/things', ofThePath, tellWho);
  return app;
}

/** The application's own session, which is a cookie of its own. */
function memberOf(req: Request): Management | undefined {
  if (req.get('cookie') !== MEMBER_SESSION) return undefined;
  return { organization: { id: 'org_A' }, grantableScopes: ['read'], actor: 'member_A' };
}

const passOn: RequestHandler = (_req, _res, next) => next();

function tellWho(req: Request, res: Response): void {
  const apiKey = getApiKey(req);
  res.json({ organization: apiKey?.organization.id, scopes: apiKey?.scopes });
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
