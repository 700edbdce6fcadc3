// The process of one contender: beside it, in the same process, Express alone, so that each has its own measure. It does
// what ./workers.mjs asks it to, one thing after the other.
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import express from 'express';
import { copied, plainRequests } from '../requests.mjs';
import { CONTENDERS, PATH } from './contenders.mjs';

const [id] = process.argv.slice(2);
const { home, sample } = CONTENDERS.find((one) => one.id === id);
let contender;

const commands = {
  async open({ texts, postgresUrl }) {
    const openSqlite = async () => (await import('../peers/sqlite.mjs')).openSqlite();
    const { openers } = await import(home);
    contender = await openers[id]({ texts, sample, openSqlite, postgresUrl });
    return { status: contender.status, texts: contender.texts, canBeCold: contender.cold !== undefined };
  },
  batch: ({ which, calls }) => runBatch(appOf(which), calls),
  burst: ({ count }) => runBurst(count),
  async listen() {
    return { bare: await portOf('bare', answerJson), own: await portOf('own', answerJson) };
  },
  cpu: () => cpuMicroseconds(),
};

process.on('message', async ({ number, command, given }) => {
  try {
    process.send({ number, value: await commands[command](given) });
  } catch (error) {
    process.send({ number, error: error.stack });
  }
});
process.on('disconnect', () => process.exit());
process.send({ number: 0 });

// ---- in process --------------------------------------------------------------------------------------------------

/** Each is made once: code that a request finds compiled is part of what is measured. */
const apps = new Map();
function appOf(which) {
  const app = apps.get(which) ?? (which === 'bare' ? build() : build(contender));
  apps.set(which, app);
  return app;
}

function build({ auth, guard } = {}, answer = answerNothing) {
  const app = express();
  if (auth !== undefined) app.use(auth);
  if (guard !== undefined) app.get(PATH, guard);
  app.get(PATH, answer);
  return app;
}

function answerNothing(_req, res) {
  res.end();
}

function answerJson(_req, res) {
  res.json({ organization: 'org_1' });
}

let ended = 0;
let wrong = 0;
let expected = 200;
let onEnded = () => undefined;

/** Stands for the writing of the answer, which is Node's. */
function countEnd() {
  ended += 1;
  if (this.statusCode !== expected) wrong += 1;
  onEnded();
}

async function runBatch(app, calls) {
  const texts = Array.from({ length: calls }, () =>
    copied(contender.texts[randomInt(contender.texts.length)]),
  );
  const all = prepared(texts);
  expected = app === apps.get('bare') ? 200 : contender.status;
  wrong = 0;
  const cpuBefore = cpuMicroseconds();
  const start = performance.now();
  for (const { req, res } of all) {
    const before = ended;
    app(req, res);
    if (ended === before) await nextEnd();
  }
  const wall = (performance.now() - start) * 1_000;
  const cpu = cpuMicroseconds() - cpuBefore;
  if (wrong > 0) throw new Error(`${id}: ${wrong} of ${calls} requests were not answered ${expected}`);
  return { wall: wall / calls, cpu: cpu / calls };
}

async function runBurst(count) {
  const cold = contender.cold();
  const app = build(cold);
  const all = prepared(Array.from({ length: count }, () => copied(cold.text)));
  expected = 200;
  wrong = 0;
  ended = 0;
  const start = performance.now();
  const done = new Promise((resolve) => {
    onEnded = () => ended === count && resolve();
  });
  for (const { req, res } of all) app(req, res);
  await done;
  const milliseconds = performance.now() - start;
  onEnded = () => undefined;
  const storeCalls = cold.storeCalls();
  await cold.close();
  if (wrong > 0) throw new Error(`${id}: ${wrong} of ${count} requests for a cold key were refused`);
  return { milliseconds, storeCalls };
}

function prepared(texts) {
  const all = plainRequests(texts);
  for (const { req, res } of all) {
    // As the parser of a server does; without it `req.headers` stays empty.
    req._addHeaderLines(req.rawHeaders, req.rawHeaders.length);
    res.end = countEnd;
  }
  return all;
}

function nextEnd() {
  return new Promise((resolve) => {
    onEnded = () => {
      onEnded = () => undefined;
      resolve();
    };
  });
}

function cpuMicroseconds() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

// ---- over loopback -----------------------------------------------------------------------------------------------

async function portOf(which, answer) {
  const server = createServer(which === 'bare' ? build({}, answer) : build(contender, answer));
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}
