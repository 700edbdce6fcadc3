// node scripts/nodes.mjs 22 24: runs the tests under other majors of Node, each installed once under .cache/.
import { finish, runJest, secondsSince, sum } from './counts.mjs';
import { installNode } from './node-versions.mjs';

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
  const { passed, failed, skipped } = runJest(node.path);
  const details = `${secondsSince(start)}, ${passed} passed, ${failed} failed, ${skipped} skipped`;
  console.log(`${failed === 0 ? 'ok    ' : 'FAILED'} node ${node.version.padEnd(10)} ${details}`);
  return { passed, failed };
}
