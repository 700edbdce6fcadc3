/*
 * The thread that compares bcrypt hashes, and what starts it: one file, which starts itself again as a worker.
 *
 * It is written by hand as CommonJS, and the build copies it beside either format, because that is the one form that
 * runs unchanged everywhere: a worker needs a file, so TypeScript under test, which is compiled in memory, has none to
 * offer; and a module that is compiled both ways cannot say where it is, as `import.meta` does not exist in CommonJS
 * and `__filename` not in an ES module. From its own place bcryptjs is found as any package is, whatever the working
 * directory. A worker made of source text would be found nowhere, and looks like `eval` to whoever audits the package.
 */
'use strict';

const { parentPort, Worker, workerData } = require('node:worker_threads');

/** Tells our worker from one of the application's that loads this package. */
const ROLE = 'keystile:bcrypt';

if (workerData === ROLE) {
  // Here and not above, so that the main thread never loads it. The answers come in the order of the questions.
  const { compareSync } = require('bcryptjs');
  parentPort.on('message', ({ secret, hash }) => parentPort.postMessage(compareSync(secret, hash)));
}

/** With none of the process's own flags: what `--import` or `--require` names has no business among secrets. */
exports.startBcryptWorker = () => new Worker(__filename, { workerData: ROLE, execArgv: [] });
