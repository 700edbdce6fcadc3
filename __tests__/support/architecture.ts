import { posix } from 'node:path';

/** Which layer each folder and each file of lib/ itself is in. Imports go to a lower layer only. */
const LAYERS: Readonly<Record<string, number>> = {
  'errors.ts': 0,
  'options.ts': 0,
  'clock.ts': 0,
  keys: 1,
  'events.ts': 2,
  stores: 2,
  authentication: 3,
  issuance: 3,
  http: 3,
  'api-keys-options.ts': 4,
  'api-keys-parts.ts': 4,
  'api-keys.ts': 4,
  middleware: 5,
  dialects: 5,
  management: 5,
  testing: 6,
  cli: 6,
  'index.ts': 6,
  'dialects.ts': 6,
  'jwt.ts': 6,
  'testing.ts': 6,
};

/** All of stores/ that other areas may know, and the areas that may name concrete stores as well. */
const STORE_CONTRACT = [
  'stores/key-store.ts',
  'stores/guarded-store.ts',
  'stores/fault.ts',
  'stores/redacted-error.ts',
  'stores/volatile.ts',
];
const SEES_CONCRETE_STORES = ['index.ts', 'cli'];

/** A vendor's files are `dialects/<vendor>.ts` and `dialects/<vendor>-*.ts`. */
const VENDORS = ['pluto', 'timbrix', 'endor', 'gmi', 'workos', 'introspection'];

/**
 * The files through which an outside package enters: `*` stands for a part of a name, a final `/` for all in a folder.
 * `typesOnly`: nothing of it is there when the program runs.
 */
const DOORS: Readonly<Record<string, { readonly files: readonly string[]; readonly typesOnly?: true }>> = {
  'lru-cache': { files: ['authentication/lookup-cache.ts', 'authentication/wrong-secrets.ts'] },
  cockatiel: { files: ['authentication/circuit.ts'] },
  bcryptjs: { files: ['authentication/bcrypt-*.ts'] },
  jose: { files: ['authentication/jwt-*.ts'] },
  express: { files: ['middleware/', 'dialects/', 'management/', 'testing/acting-as.ts'], typesOnly: true },
};

/** Areas that may use only some of Node's own modules. */
const NODE_MODULES: Readonly<Record<string, readonly string[]>> = {
  keys: ['node:crypto', 'node:zlib'],
};

const FORBIDDEN_FOLDERS = ['utils', 'types', 'core', 'helpers'];

/** What may not be written, and where it may all the same. */
const FORBIDDEN_CODE: readonly { name: string; pattern: RegExp; allowed: readonly string[] }[] = [
  {
    name: 'a default export',
    pattern: /\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/,
    allowed: [],
  },
  { name: 'export *', pattern: /\bexport\s+(?:type\s+)?\*/, allowed: [] },
  { name: 'process.env', pattern: /\bprocess\s*\.\s*env\b/, allowed: ['cli/'] },
  // The bare name too: handed on as a function, it reads the clock just the same.
  {
    name: 'the real clock',
    pattern: /\bDate\s*\.\s*now\b|\bnew\s+Date\b(?!\s*\(\s*[^\s)])/,
    allowed: ['clock.ts'],
  },
  // A text that came from elsewhere is never run, nor does it choose what is. A method may be called `import`.
  {
    name: 'code that a text chooses',
    pattern: /\beval\b|\bFunction\s*\(|(?<!\.\s*)\b(?:import|require)\s*\((?!\s*(?:''\s*[,)]|\w+\s*:))/,
    allowed: ['cli/packages.ts'],
  },
];

const MAX_LINES = 300;

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/**
 * Everything in lib/ that breaks the rules above, one line for each. `files` maps the path of each file, from lib/, to
 * its source.
 */
export function violations(files: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  for (const [path, source] of files) {
    const imports = importsOf(source);
    found.push(...placeViolations(path), ...sizeViolations(path, source), ...codeViolations(path, source));
    found.push(...imports.flatMap((each) => importViolations(path, each)));
  }
  return [...found, ...cycles(files)];
}

function placeViolations(path: string): string[] {
  const folder = path.split('/').slice(0, -1);
  const forbidden = folder.find((name) => FORBIDDEN_FOLDERS.includes(name));
  if (forbidden !== undefined) return [`${path}: no folder is called ${forbidden}/`];
  return layerOf(path) === undefined ? [`${path}: ${areaOf(path)} is in no layer`] : [];
}

function sizeViolations(path: string, source: string): string[] {
  const lines = source.replace(/\n$/, '').split('\n').length;
  return lines > MAX_LINES ? [`${path}: has ${lines} lines, more than ${MAX_LINES}`] : [];
}

function codeViolations(path: string, source: string): string[] {
  const code = withoutStrings(source);
  return FORBIDDEN_CODE.filter(
    ({ pattern, allowed }) => pattern.test(code) && !matchesAny(path, allowed),
  ).map(({ name }) => `${path}: has ${name}`);
}

function importViolations(path: string, { specifier, typeOnly }: Import): string[] {
  if (specifier.startsWith('.'))
    return innerImportViolations(path, posix.join(posix.dirname(path), specifier));
  if (specifier.startsWith('node:')) return nodeImportViolations(path, specifier);
  return outerImportViolations(path, packageOf(specifier), typeOnly);
}

function innerImportViolations(path: string, target: string): string[] {
  if (target.startsWith('..')) return [`${path}: imports ${target}, which is outside lib/`];
  const from = areaOf(path);
  const to = areaOf(target);
  if (from === to) return vendorViolations(path, target);
  if (isUpward(path, target)) return [`${path}: imports ${target}, which is in no lower layer`];
  const concrete = to === 'stores' && !STORE_CONTRACT.includes(target);
  if (concrete && !SEES_CONCRETE_STORES.includes(from))
    return [`${path}: imports the concrete store ${target}`];
  return [];
}

/** Single files of one layer may import one another, and be imported by the folders beside them; folders may not. */
function isUpward(path: string, target: string): boolean {
  const from = layerOf(path);
  const to = layerOf(target);
  if (from === undefined || to === undefined) return false; // said already, by placeViolations
  return to > from || (to === from && path.includes('/') && target.includes('/'));
}

function vendorViolations(path: string, target: string): string[] {
  const from = vendorOf(path);
  const to = vendorOf(target);
  if (from === undefined || to === undefined || from === to) return [];
  return [`${path}: imports ${target}, the dialect of another vendor`];
}

function vendorOf(path: string): string | undefined {
  return VENDORS.find((vendor) => matchesAny(path, [`dialects/${vendor}.ts`, `dialects/${vendor}-*.ts`]));
}

function nodeImportViolations(path: string, specifier: string): string[] {
  const allowed = NODE_MODULES[areaOf(path)];
  return allowed === undefined || allowed.includes(specifier) ? [] : [`${path}: may not use ${specifier}`];
}

function outerImportViolations(path: string, name: string, typeOnly: boolean): string[] {
  const door = DOORS[name];
  if (door === undefined) return [`${path}: imports ${name}, which has no door`];
  if (!matchesAny(path, door.files)) return [`${path}: imports ${name} beside its doors`];
  return door.typesOnly && !typeOnly ? [`${path}: imports more than types from ${name}`] : [];
}

/** Each circle of imports once, written from the file at which it was found. Imports of types count. */
function cycles(files: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(path);
    if (seenAt >= 0) found.push(`circle of imports: ${[...trail.slice(seenAt), path].join(' -> ')}`);
    if (seenAt >= 0 || done.has(path)) return;
    for (const { specifier } of importsOf(files.get(path) ?? '')) {
      if (specifier.startsWith('.')) visit(posix.join(posix.dirname(path), specifier), [...trail, path]);
    }
    done.add(path);
  };
  for (const path of files.keys()) visit(path, []);
  return found;
}

/** The first part of a path: a folder of lib/, or a file in lib/ itself. */
function areaOf(path: string): string {
  return path.split('/', 1)[0] ?? path;
}

function layerOf(path: string): number | undefined {
  return LAYERS[areaOf(path)];
}

/** `@scope/name/inner` -> `@scope/name` */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function matchesAny(path: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    if (pattern.endsWith('/')) return path.startsWith(pattern);
    const [start = '', end] = pattern.split('*');
    if (end === undefined) return path === pattern;
    const middle = path.slice(start.length, path.length - end.length);
    return path === `${start}${middle}${end}` && !middle.includes('/');
  });
}

/** `import ... from`, `export ... from`, `import '...'`, `import('...')` and `require('...')`. */
function importsOf(source: string): Import[] {
  const code = withoutComments(source);
  const clauses = code.matchAll(/\b(?:import|export)\b(\s+type\b)?[^;'"`()=]*?\bfrom\s*['"]([^'"]+)['"]/g);
  const bare = code.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm);
  const calls = code.matchAll(/\b(?:import|require)\s*\(\s*['"]([^'"]+)['"]/g);
  return [
    ...Array.from(clauses, ([, type, specifier = '']) => ({ specifier, typeOnly: type !== undefined })),
    ...Array.from([...bare, ...calls], ([, specifier = '']) => ({ specifier, typeOnly: false })),
  ];
}

/**
 * Comments, texts, templates and regular expressions, in this order of preference: a `//` in a text is no comment,
 * nor a quote in a regular expression the start of a text.
 */
const NOT_PLAIN_CODE =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=[=(,:!&|?[{};]\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g;

function withoutComments(source: string): string {
  return source.replace(NOT_PLAIN_CODE, (part) => (isComment(part) ? ' ' : part));
}

/** Templates stay as they are, for there can be code in them. */
function withoutStrings(source: string): string {
  return source.replace(NOT_PLAIN_CODE, (part) =>
    part.startsWith('`') ? part : isComment(part) ? ' ' : "''",
  );
}

function isComment(part: string): boolean {
  return part.startsWith('//') || part.startsWith('/*');
}
