// The software bill of materials of the package, in CycloneDX: `npm run sbom [-- FILE]` writes sbom.cdx.json. Of the
// lockfile alone, so it works offline and says the same wherever it is run.
//
// npm can leave out packages for development, but takes a package for one of them that something else there asks for as
// well; so all are asked for, and what is not reached from our own dependencies is left out here. So are the serial number
// and the time, which would be others each time.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './counts.mjs';

const file = process.argv[2] ?? join(root, 'sbom.cdx.json');
const { name, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { ok, stdout, output } = run('npm', ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx']);
if (!ok) throw new Error(`npm sbom failed:\n${output}`);

const { serialNumber: _, ...bom } = JSON.parse(stdout);
const { timestamp: __, tools: ___, ...metadata } = bom.metadata;
const own = metadata.component['bom-ref'];
const dependsOn = new Map(bom.dependencies.map((each) => [each.ref, each.dependsOn]));
const direct = dependsOn.get(own).filter((ref) => ref.slice(0, ref.lastIndexOf('@')) in dependencies);
const reached = closure(direct);

writeFileSync(file, `${JSON.stringify(slimmed(), null, 2)}\n`);
console.log(`${file}: ${[...reached].join(', ')}`);

function closure(refs) {
  const found = new Set();
  const visit = (ref) => {
    if (found.has(ref)) return;
    found.add(ref);
    for (const next of dependsOn.get(ref) ?? []) visit(next);
  };
  refs.forEach(visit);
  return found;
}

function slimmed() {
  return {
    ...bom,
    // npm calls it after the folder that it stands in.
    metadata: { ...metadata, component: { ...metadata.component, name } },
    components: bom.components.filter((each) => reached.has(each['bom-ref'])),
    dependencies: [
      { ref: own, dependsOn: direct },
      ...bom.dependencies.filter(({ ref }) => reached.has(ref)),
    ],
  };
}
