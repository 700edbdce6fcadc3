// Private PostgreSQL, MariaDB and Redis servers for tests and measurements: on free ports, in temporary folders, away from
// any server that runs already. As a command:
//
//   node scripts/services.mjs install                     installs what is missing, where that is possible
//   node scripts/services.mjs keep NAME FOLDER OWNER_PID  runs one server until the owner is gone; used by the tests
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const START_TIMEOUT_MS = 60_000;
const APT = '/usr/bin/apt-get';
const isRoot = process.getuid?.() === 0;

/**
 * What each kind of server needs. `prepare` makes the folder of its data, where the server does not do so itself;
 * `command` is what then runs in the foreground. `greeting` is sent to a server that does not speak first, and
 * `takesWork` says what its answer means. A durable server writes an acknowledged change to the disk first, as a real
 * one does.
 */
const KINDS = {
  postgres: {
    title: 'PostgreSQL',
    packageName: 'postgresql',
    user: 'postgres',
    variable: 'KEYSTILE_TEST_POSTGRES_URL',
    programs: () => programs('postgres', 'initdb'),
    prepare: ({ initdb }, data) => [
      initdb,
      '-D',
      data,
      '-A',
      'trust',
      '-U',
      'postgres',
      '--no-sync',
      '--locale=C.UTF-8',
    ],
    command: ({ postgres }, { data, folder, port, durable }) => [
      postgres,
      ...['-D', data, '-p', String(port), '-k', folder],
      ...settings('listen_addresses=127.0.0.1', 'max_connections=200'),
      ...(durable ? [] : settings('fsync=off', 'synchronous_commit=off', 'full_page_writes=off')),
    ],
    url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
    stopSignal: 'SIGINT',
    greeting: () => startupMessage(),
    // It says 'E' as long as it is still recovering.
    takesWork: (bytes) => bytes[0] === 0x52,
  },
  mysql: {
    title: 'MariaDB',
    packageName: 'mariadb-server',
    user: 'mysql',
    variable: 'KEYSTILE_TEST_MYSQL_URL',
    programs: () => programs('mariadbd', 'mariadb-install-db'),
    prepare: ({ 'mariadb-install-db': install }, data) => [
      install,
      '--no-defaults',
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ],
    command: ({ mariadbd }, { data, folder, port, durable }) => [
      mariadbd,
      '--no-defaults',
      `--datadir=${data}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${join(folder, 'sock')}`,
      '--skip-name-resolve',
      '--max-connections=200',
      ...(durable
        ? ['--innodb-flush-log-at-trx-commit=1']
        : [
            '--innodb-flush-log-at-trx-commit=0',
            '--innodb-flush-method=nosync',
            '--skip-innodb-doublewrite',
          ]),
    ],
    url: (port) => `mysql://root@127.0.0.1:${port}/mysql`,
    stopSignal: 'SIGTERM',
    takesWork: (bytes) => bytes[4] === 10,
  },
  redis: {
    title: 'Redis',
    packageName: 'redis-server',
    user: 'redis',
    variable: 'KEYSTILE_TEST_REDIS_URL',
    programs: () => programs('redis-server'),
    command: ({ 'redis-server': redis }, { data, port, durable, extra }) => [
      redis,
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', data, '--save', ''],
      ...['--appendonly', 'yes', '--appendfsync', durable ? 'always' : 'no'],
      ...extra,
    ],
    url: (port) => `redis://127.0.0.1:${port}`,
    stopSignal: 'SIGTERM',
    greeting: () => 'PING\r\n',
    // It says '-LOADING' as long as it still reads its data.
    takesWork: (bytes) => bytes.toString('latin1').startsWith('+PONG'),
  },
};

export const SKIP_VARIABLE = 'KEYSTILE_TEST_SKIP_DATABASES';

/** The address of a server that was given from outside, if there is one. */
export function givenUrl(name) {
  return process.env[KINDS[name].variable];
}

/**
 * Starts a private server.
 *
 * @param {'postgres' | 'mysql' | 'redis'} name
 * @param {{ durable?: boolean, extra?: string[] }} [options] - extra: further arguments for Redis, which win over ours
 * @returns its `url`, and `signal()`, `restart()` and `stop()`
 */
export async function startServer(name, { durable = false, extra = [] } = {}) {
  const kind = KINDS[name];
  const found = await installedPrograms(name);
  const folder = mkdtempSync(join(tmpdir(), `keystile-${name}-`));
  const data = join(folder, 'data');
  const ids = idsOf(kind.user);
  chmodSync(folder, 0o755);
  mkdirSync(data, { mode: 0o700 });
  if (ids !== undefined) for (const path of [folder, data]) chownSync(path, ids.uid, ids.gid);
  if (kind.prepare !== undefined) prepare(kind, found, { data, folder, ids });
  const port = await freePort();
  const command = kind.command(found, { data, folder, port, durable, extra });
  let child = await launch(kind, command, { folder, port, ids });
  return {
    url: kind.url(port),
    /** Stops, continues or kills the server with all of its processes. */
    signal: (signal) => signalTree(child.pid, signal),
    /** After the process was killed: the same data, on the same port. */
    async restart() {
      await ended(child);
      child = await launch(kind, command, { folder, port, ids });
    },
    async stop() {
      // A stopped process hears no other signal.
      signalTree(child.pid, 'SIGCONT');
      child.kill(kind.stopSignal);
      if (!(await ended(child, 10_000))) {
        child.kill('SIGKILL');
        await ended(child);
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function prepare(kind, found, { data, folder, ids }) {
  const prepared = spawnSync(...split(kind.prepare(found, data)), { ...ids, encoding: 'utf8', cwd: folder });
  if (prepared.status === 0) return;
  rmSync(folder, { recursive: true, force: true });
  throw new Error(`${kind.title} cannot be prepared: ${prepared.stderr}${prepared.stdout}`);
}

/** Begins again where the server gives up, as PostgreSQL does while a killed one still lets go of its memory. */
async function launch(kind, command, { folder, port, ids }) {
  const log = openSync(join(folder, 'log'), 'a');
  const start = performance.now();
  while (performance.now() - start < START_TIMEOUT_MS) {
    const child = spawn(...split(command), { ...ids, cwd: folder, stdio: ['ignore', log, log] });
    child.on('error', () => undefined);
    while (isRunning(child) && performance.now() - start < START_TIMEOUT_MS) {
      if (await answers(kind, port)) {
        closeSync(log);
        return child;
      }
      await sleep(30);
    }
    child.kill('SIGKILL');
    await sleep(200);
  }
  throw new Error(`${kind.title} does not start; its log is ${join(folder, 'log')}`);
}

function isRunning(child) {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** Whether the server takes work. */
function answers(kind, port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const finish = (result) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(2_000, () => finish(false));
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
    if (kind.greeting !== undefined) socket.on('connect', () => socket.write(kind.greeting()));
    socket.on('data', (bytes) => finish(kind.takesWork(bytes)));
  });
}

function startupMessage() {
  const body = Buffer.from('\0\x03\0\0user\0postgres\0database\0postgres\0\0', 'latin1');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
}

/** @returns whether it has ended within the time */
async function ended(child, timeoutMs = START_TIMEOUT_MS) {
  if (!isRunning(child)) return true;
  return once(child, 'exit', { signal: AbortSignal.timeout(timeoutMs) }).then(
    () => true,
    () => false,
  );
}

/** The process and those that it has started: PostgreSQL has one for each connection. */
function processTree(pid) {
  const path = `/proc/${pid}/task/${pid}/children`;
  const children = existsSync(path) ? readFileSync(path, 'utf8').split(' ').filter(Boolean) : [];
  return [pid, ...children.map(Number)];
}

/** A server with many threads may answer once more before the last of them has stopped. */
function waitUntilStopped(pid) {
  for (let looks = 0; looks < 10_000; looks += 1) {
    const threads = readdirSync(`/proc/${pid}/task`);
    const isStopped = (thread) => /\) T /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'));
    if (threads.every(isStopped)) return;
  }
}

function signalTree(pid, signal) {
  for (const one of processTree(pid)) {
    try {
      process.kill(one, signal);
      if (signal === 'SIGSTOP') waitUntilStopped(one);
    } catch {
      // Ended by itself in the meantime.
    }
  }
}

// ---- programs ----------------------------------------------------------------------------------------------------

async function installedPrograms(name) {
  const kind = KINDS[name];
  const found = kind.programs() ?? (install([kind.packageName]) ? kind.programs() : undefined);
  if (found !== undefined) return found;
  throw new Error(
    `${kind.title} is needed, and is not installed. Install it (on Debian: apt-get install ${kind.packageName}), ` +
      `or name a server in ${kind.variable}, or leave out what needs a server with ${SKIP_VARIABLE}=1.`,
  );
}

/** The paths of programs that belong together, by name, out of the first folder that has them all. */
function programs(...names) {
  const folder = programFolders().find((one) => existsSync(join(one, names[0])));
  if (folder === undefined) return undefined;
  const paths = names.map((name) =>
    [folder, ...programFolders()].map((one) => join(one, name)).find((path) => existsSync(path)),
  );
  if (paths.includes(undefined)) return undefined;
  return Object.fromEntries(names.map((name, index) => [name, paths[index]]));
}

/** Debian keeps the programs of PostgreSQL in a folder for each version, outside PATH. */
function programFolders() {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  return [
    ...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean),
    ...versions.map((version) => join(debian, version, 'bin')),
    '/usr/sbin',
    '/usr/local/sbin',
  ];
}

/** Debian packages, where we may install any; RUNLEVEL=1 keeps their own servers from being started. */
function install(packageNames) {
  if (!isRoot || !existsSync(APT)) return false;
  const options = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  };
  spawnSync(APT, ['update', '-qq'], options);
  const done = spawnSync(
    'apt-get',
    ['install', '-y', '-qq', '--no-install-recommends', ...packageNames],
    options,
  );
  return done.status === 0;
}

/** No server runs as root. */
function idsOf(user) {
  if (!isRoot) return undefined;
  const id = (flag) => Number(spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}

function settings(...all) {
  return all.flatMap((one) => ['-c', one]);
}

function split([program, ...args]) {
  return [program, args];
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

// ---- the command -------------------------------------------------------------------------------------------------

/** Installs what is missing of the servers that nobody gave an address of. Says so where it cannot. */
async function installMissing() {
  if (process.env[SKIP_VARIABLE] === '1') {
    console.log(`SKIPPED: ${SKIP_VARIABLE}=1, so no database servers`);
    return;
  }
  for (const name of Object.keys(KINDS)) {
    if (givenUrl(name) !== undefined) continue;
    try {
      const start = performance.now();
      await installedPrograms(name);
      console.log(`ok     ${KINDS[name].title} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      console.log(`FAILED ${error.message}`);
      process.exitCode = 1;
    }
  }
}

/** Writes the address, or the error, to FOLDER/NAME.json, and ends with the owner. */
async function keep(name, folder, ownerPid) {
  let server;
  let isEnding = false;
  const end = async () => {
    isEnding = true;
    await server?.stop();
    process.exit();
  };
  process.on('SIGTERM', () => server !== undefined && !isEnding && end());
  const answer = await startServer(name).then(
    (started) => {
      server = started;
      return { url: started.url, keeperPid: process.pid };
    },
    (error) => ({ error: error.message }),
  );
  // Renamed, so that nobody reads half of it.
  writeFileSync(join(folder, `${name}.part`), JSON.stringify(answer));
  renameSync(join(folder, `${name}.part`), join(folder, `${name}.json`));
  if (server === undefined) return;
  while (isAlive(Number(ownerPid))) await sleep(500);
  if (isEnding) return;
  // An owner that was killed has cleaned up nothing.
  rmSync(folder, { recursive: true, force: true });
  await end();
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const [, script, command, ...rest] = process.argv;
if (script === fileURLToPath(import.meta.url)) {
  if (command === 'install') await installMissing();
  else if (command === 'keep' && rest.length === 3) await keep(...rest);
  else console.log('usage: node scripts/services.mjs install');
}
