// node scripts/nodes.mjs 22 24: runs the tests that could differ under other majors of Node, each installed once
// under .cache/. Logic alone is the same everywhere.
import { finish, runJest, secondsSince, sum } from './counts.mjs';
import { installNode } from './node-versions.mjs';

/** By what Node itself brings, or what a package has a build of for each Node. */
const CAN_DIFFER = {
  'requests and answers': ['corpus', 'http/.*', 'middleware/(api-key-auth|faults|refusals|require-tls)'],
  'crypto, texts and threads': [
    'keys/(digest|key-text|metadata|secret-scanning|timing-safe)',
    'authentication/(bcrypt-rotation|bcrypt-secrets|jwt-attacks|jwt-keys|key-pairs)',
  ],
  'timers and promises': [
    'authentication/(cache-ages|circuit|last-used|single-flight|store-faults|watch-life)',
  ],
  'processes, files and terminals': ['cli/(file-names|terminal|why)', 'examples'],
  'drivers of databases, node:sqlite among them': ['stores/(redis-key-store|sql-key-store)'],
  'each door of the package': ['doors', 'dialects/matrix', 'management/routes', 'testing/key-store-cases'],
};

const files = Object.values(CAN_DIFFER).flat();
const majors = process.argv.slice(2);
if (majors.length === 0) console.log('usage: node scripts/nodes.mjs MAJOR...');
finish(sum(majors.map(testUnder)));

function testUnder(major) {
  const node = installNode(major);
  if (node === undefined) {
    console.log(`FAILED node ${major}: cannot be installed`);
    return { passed: 0, failed: 1 };
  }
  const start = performance.now();
  const only = files.map((file) => `__tests__/${file}\\.test\\.ts$`);
  const { passed, failed, skipped } = runJest(node.path, only);
  const details = `${secondsSince(start)}, ${passed} passed, ${failed} failed, ${skipped} skipped`;
  console.log(`${failed === 0 ? 'ok    ' : 'FAILED'} node ${node.version.padEnd(10)} ${details}`);
  return { passed, failed };
}
