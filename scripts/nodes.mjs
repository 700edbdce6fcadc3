// node scripts/nodes.mjs 22 24: runs the tests that could differ under other majors of Node, each installed once
// under .cache/.
import { finish, runJest, secondsSince, sum } from './counts.mjs';
import { installNode } from './node-versions.mjs';

/** What only reads texts, packs, counts, or starts the command line over and over is the same under every Node. */
const SAME_EVERYWHERE = [
  '__tests__/(api-reference|architecture|bench|docs|documented-[a-z]+|interleavings|packaging|public-api|security-page|supply-chain)\\.test',
  '__tests__/cli/(commands|doctor|import-export|silence)\\.test',
];

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
  const { passed, failed, skipped } = runJest(node.path, SAME_EVERYWHERE);
  const details = `${secondsSince(start)}, ${passed} passed, ${failed} failed, ${skipped} skipped`;
  console.log(`${failed === 0 ? 'ok    ' : 'FAILED'} node ${node.version.padEnd(10)} ${details}`);
  return { passed, failed };
}
