// Writes docs/api.md: what each door of the package exports, out of the declarations and docstrings that the compiler
// writes for lib/. Run it after a change of a public name, signature or docstring: `node scripts/api-reference.mjs`.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { exportsOf, headOf } from './declarations.mjs';

/** @typedef {import('./declarations.mjs').Declaration} Declaration */
/** @typedef {{ readonly name: string, readonly exported: readonly Declaration[] }} Door */
/** @typedef {Map<string, string>} Links - what a name is linked as */

const ROOT = fileURLToPath(new URL('../', import.meta.url));

const INTRODUCTION = `# API reference

What each door of the package exports, with its types, as the compiler writes them. This page is generated from the docstrings of
\`lib/\`. [Options](options.md) have a page of their own, and so have [errors](errors.md) and [events](events.md).`;

/**
 * The doors of the package, in the order of package.json, with what they export.
 *
 * @param {string} folder - where the compiler writes declarations; emptied before
 * @returns {Door[]}
 */
export function readDoors(folder) {
  rmSync(folder, { recursive: true, force: true });
  const flags = ['-p', 'tsconfig.json', '--emitDeclarationOnly', '--outDir', folder];
  execFileSync('node_modules/.bin/tsc', flags, { cwd: ROOT, stdio: 'inherit' });
  const { name, exports } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
  return Object.entries(exports).flatMap(([path, conditions]) => {
    const types = conditions.import?.types;
    if (types === undefined) return [];
    return [{ name: name + path.slice(1), exported: exportsOf(types.replace('./dist/esm', folder)) }];
  });
}

/** @param {readonly Door[]} doors */
export function apiReference(doors) {
  const homes = homesOf(doors);
  const links = linksOf(doors, homes);
  const index = doors.map(({ name, exported }) => {
    const names = exported.map((declaration) => links.get(declaration.name));
    return `- ${links.get(name)}: ${names.join(', ')}`;
  });
  const sections = doors.flatMap((door) => [
    `## ${door.name}`,
    ...door.exported.map((declaration) => {
      const home = homes.get(declaration.name) ?? door;
      return home === door ? entry(declaration, links, homes) : elsewhere(declaration, home, links);
    }),
  ]);
  return `${[INTRODUCTION, index.join('\n'), ...sections].join('\n\n')}\n`;
}

/**
 * The exports of which no whole sentence is said.
 *
 * @param {readonly Door[]} doors
 */
export function undocumented(doors) {
  return doors.flatMap(({ name: door, exported }) => {
    const silent = exported.filter(({ doc = '' }) => !/\S+ \S+[\s\S]*[.?!:]/.test(partsOf(doc)[0] ?? ''));
    return silent.map(({ name }) => `${door}: ${name}`);
  });
}

/** Which door a name is described at: the first that has it. @param {readonly Door[]} doors @returns {Map<string, Door>} */
function homesOf(doors) {
  const homes = new Map();
  for (const door of doors) {
    for (const { name, file } of door.exported) {
      const home = homes.get(name);
      if (home === undefined) homes.set(name, door);
      else if (!home.exported.some((other) => other.name === name && other.file === file)) {
        throw new Error(`${name} is two different things in ${home.name} and ${door.name}`);
      }
    }
  }
  return homes;
}

/** @param {readonly Door[]} doors @param {Map<string, Door>} homes @returns {Links} */
function linksOf(doors, homes) {
  const links = new Map();
  /** @type {Map<string, number>} */
  const taken = new Map();
  for (const door of doors) {
    links.set(door.name, `[${door.name}](#${anchor(door.name, taken)})`);
    for (const { name } of door.exported) {
      const target = anchor(name, taken);
      if (homes.get(name) === door) links.set(name, `[\`${name}\`](#${target})`);
    }
  }
  return links;
}

/**
 * As a code host makes it of a heading: the second of the same letters is told apart by a number.
 *
 * @param {string} heading
 * @param {Map<string, number>} taken
 */
function anchor(heading, taken) {
  const plain = heading.toLowerCase().replaceAll(/[^\w -]/g, '');
  const before = taken.get(plain) ?? 0;
  taken.set(plain, before + 1);
  return before === 0 ? plain : `${plain}-${before}`;
}

/** @param {Declaration} declaration @param {Door} home @param {Links} links */
function elsewhere({ name }, home, links) {
  return `### \`${name}\`\n\nAs ${links.get(name)} of ${links.get(home.name)}.`;
}

/** @param {Declaration} declaration @param {Links} links @param {Map<string, Door>} homes */
function entry(declaration, links, homes) {
  const { name, kind, doc, text, members, constants } = declaration;
  const hasMembers = kind === 'class' || kind === 'interface';
  const parts = [
    `### \`${name}\``,
    hasMembers ? `\`${headOf(text)}\`` : block(text),
    described(doc, links),
    members.map((member) => memberLine(member, declaration, links, homes)).join('\n'),
    constants.length === 0 ? '' : block(constants.join('\n')),
    seeAlso(name, text, links),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/**
 * @param {import('./declarations.mjs').Member} member
 * @param {Declaration} owner
 * @param {Links} links
 * @param {Map<string, Door>} homes
 */
function memberLine({ name, text, doc }, owner, links, homes) {
  const signature = text
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const said = described(doc ?? inheritedDoc(name, owner, homes), links);
  return `- \`${signature}\`${said === '' ? '' : `\\\n${said.replaceAll(/^(?=.)/gm, '  ')}`}`;
}

/**
 * For a member of which nothing is said because the interface says it.
 *
 * @param {string} name
 * @param {Declaration} owner
 * @param {Map<string, Door>} homes
 */
function inheritedDoc(name, { text }, homes) {
  const [, contract = ''] = / implements (\w+)/.exec(headOf(text)) ?? [];
  const home = homes.get(contract)?.exported.find((other) => other.name === contract);
  return home?.members.some((member) => member.name === name) ? `As {@link ${contract}} has it.` : undefined;
}

/** @param {string} name @param {string} text @param {Links} links */
function seeAlso(name, text, links) {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|'[^']*'/g, '');
  const words = new Set(Array.from(code.matchAll(/\b[A-Z]\w+\b/g), ([word]) => word));
  const others = [...words].filter((word) => word !== name && links.has(word));
  return others.length === 0 ? '' : `See ${others.map((word) => links.get(word)).join(', ')}.`;
}

/** @param {string} code */
function block(code) {
  return `\`\`\`ts\n${code.replaceAll(/^ {4}/gm, '  ').replaceAll(/[ \t]+$/gm, '')}\n\`\`\``;
}

/** A docstring in Markdown. @param {string | undefined} doc @param {Links} links */
function described(doc, links) {
  if (doc === undefined) return '';
  const [text = '', ...tags] = partsOf(doc);
  const said = [prose(text, links), ...tags.map((tag) => tagLine(tag, links))];
  return said.filter((part) => part !== '').join('\n\n');
}

/** The text of a docstring, and each of its tags. @param {string} doc @returns {string[]} */
function partsOf(doc) {
  return `\n${doc}`.split(/\s+(?=@(?:default|throws|param) )/).map((part) => part.trim());
}

/** @param {string} tag @param {Links} links */
function tagLine(tag, links) {
  const [, name = '', text = ''] = /^@(\w+) ([\s\S]*)$/.exec(tag) ?? [];
  if (name === 'throws') return `Throws ${prose(text, links)}.`;
  if (name === 'param') return `${prose(text.replace(/^(\w+) - /, '`$1`: '), links)}.`;
  return `Default: ${/^(?:['"[{]|(?:\d+|true|false)$)/.test(text) ? `\`${text}\`` : prose(text, links)}.`;
}

/** @param {string} text @param {Links} links */
function prose(text, links) {
  const linked = text
    .replaceAll(/\{@link ([\w.]+)\}/g, (_, target) => linkTo(target, links))
    .replaceAll(/\bdocs\/([\w-]+\.md)\b/g, '[$&]($1)');
  // What stands in backticks is code, and else `<` would begin a tag.
  return linked.replaceAll(/`[^`]*`|</g, (piece) => (piece === '<' ? '&lt;' : piece));
}

/** @param {string} target @param {Links} links */
function linkTo(target, links) {
  const [name = ''] = target.split('.');
  return links.get(name)?.replace(`\`${name}\``, `\`${target}\``) ?? `\`${target}\``;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const doors = readDoors(`${ROOT}.cache/api-reference`);
  for (const name of undocumented(doors)) console.warn(`nothing is said of ${name}`);
  writeFileSync(`${ROOT}docs/api.md`, apiReference(doors));
}
