// Reads what the compiler writes as .d.ts: which names a file exports, their docstrings, signatures and members. It knows
// the regular form in which the compiler prints declarations, and throws at what it does not know.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * @typedef {{ text: string, doc: string | undefined, name: string }} Member
 * @typedef {'class' | 'function' | 'interface' | 'type' | 'const'} Kind
 * @typedef {{ name: string, kind: Kind, doc: string | undefined, text: string, members: Member[], constants: string[], file: string }} Declaration
 */

// `constants`: those of the same file that the declaration takes its types from by `typeof`.

const OPENING = '([{';
const CLOSING = ')]}';

/**
 * The declarations that a file exports, its own and those of other files, in the order in which it names them.
 *
 * @param {string} file
 * @returns {Declaration[]}
 */
export function exportsOf(file) {
  const statements = readStatements(readFileSync(file, 'utf8'));
  return statements.flatMap((statement) => {
    const from = /^export (?:type )?\{([^}]*)\} from '([^']+)';$/.exec(statement.text);
    if (from !== null) return namesIn(from[1] ?? '').map((name) => follow(file, from[2] ?? '', name));
    if (!/^export (?!\{\};$)/.test(statement.text)) return [];
    return [declarationOf(statement, file, statements)];
  });
}

/** @param {string} list */
function namesIn(list) {
  const names = list.split(',').map((part) => part.trim().replace(/^type /, ''));
  return names.filter((name) => name !== '');
}

/**
 * @param {string} file
 * @param {string} target
 * @param {string} exported - `Name`, or `Name as Other`
 * @returns {Declaration}
 */
function follow(file, target, exported) {
  const [inner = '', name = inner] = exported.split(' as ');
  const path = resolve(dirname(file), target.replace(/\.(?:ts|js)$/, '.d.ts'));
  const found = exportsOf(path).find((declaration) => declaration.name === inner);
  if (found === undefined) throw new Error(`${path} does not export ${inner}`);
  return { ...found, name, text: found.text.replace(new RegExp(`\\b${inner}\\b`), name) };
}

/**
 * @param {{ text: string, doc: string | undefined }} statement
 * @param {string} file
 * @param {{ text: string }[]} others - all statements of the file
 * @returns {Declaration}
 */
function declarationOf({ text, doc }, file, others) {
  const head = /^export (?:declare )?(?:abstract )?(class|function|interface|type|const) (\w+)/.exec(text);
  if (head === null) throw new Error(`${file}: cannot read "${text.slice(0, 80)}"`);
  const [, kind, name = ''] = head;
  const plain = text.replace(/^export (?:declare )?/, '').replace(/;$/, '');
  return {
    name,
    kind: /** @type {Kind} */ (kind),
    doc,
    text: plain,
    members: kind === 'class' || kind === 'interface' ? readMembers(plain) : [],
    constants: Array.from(plain.matchAll(/\btypeof (\w+)/g), ([, constant = '']) =>
      constantText(constant, others),
    ),
    file,
  };
}

/** @param {string} name @param {{ text: string }[]} statements */
function constantText(name, statements) {
  const found = statements.find(({ text }) => new RegExp(`^(?:export )?declare const ${name}\\b`).test(text));
  if (found === undefined) throw new Error(`no constant ${name}`);
  return found.text.replace(/^(?:export )?declare /, '').replace(/;$/, '');
}

/** What stands before the braces of a class or an interface: its name, and what it extends. @param {string} text */
export function headOf(text) {
  return text.slice(0, bodyStart(text)).trim();
}

/** @param {string} text */
function bodyStart(text) {
  // A type argument in the head may have braces of its own; the body is what the last one at the outside closes.
  let start = -1;
  walk(text, (index, depth) => {
    if (text[index] === '{' && depth === 1) start = index;
  });
  return start;
}

/** @param {string} text @returns {Member[]} */
function readMembers(text) {
  const body = text.slice(bodyStart(text) + 1, text.lastIndexOf('}'));
  return readStatements(body)
    .filter((member) => !/^(?:#private|private )/.test(member.text))
    .map((member) => {
      const plain = member.text.replace(/;$/, '');
      const [, name = plain] = /^(?:(?:static|readonly|get|set) )*(\w+)/.exec(plain) ?? [];
      return { text: plain, doc: member.doc, name };
    });
}

/**
 * Statements, or members, each with the docstring before it.
 *
 * @param {string} source
 * @returns {{ text: string, doc: string | undefined }[]}
 */
function readStatements(source) {
  /** @type {{ text: string, doc: string | undefined }[]} */
  const statements = [];
  let start = 0;
  walk(source, (index, depth) => {
    if (depth > 0 || index < start) return;
    const text = source.slice(start, index + 1);
    if (source[index] !== ';' && !(/\n|^$/.test(source.charAt(index + 1)) && endsWithBrace(text))) return;
    statements.push(withDoc(text));
    start = index + 1;
  });
  const rest = source.slice(start).replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  if (rest.trim() !== '') throw new Error(`cannot read "${rest.trim().slice(0, 80)}"`);
  return statements;
}

/** Whether a statement may end with the brace that it ends with, at the end of a line, and needs no semicolon. @param {string} text */
function endsWithBrace(text) {
  return (
    text.endsWith('}') &&
    /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|global|namespace|module)\b/.test(
      withDoc(text).text,
    )
  );
}

/** @param {string} text @returns {{ text: string, doc: string | undefined }} */
function withDoc(text) {
  const [comments = ''] = /^(?:\s|\/\*[\s\S]*?\*\/|\/\/.*)*/.exec(text) ?? [];
  const docs = Array.from(comments.matchAll(/\/\*\*([\s\S]*?)\*\//g), ([, doc = '']) => doc);
  return {
    text: text.slice(comments.length).trim(),
    doc: docs
      .at(-1)
      ?.replaceAll(/^[ \t]*\* ?/gm, '')
      .trim(),
  };
}

/**
 * Visits each character that is no part of a comment or of a string, with the number of brackets around it; an opening
 * bracket counts itself, a closing one no more.
 *
 * @param {string} source
 * @param {(index: number, depth: number) => void} visit
 */
function walk(source, visit) {
  let depth = 0;
  for (const { index, 0: piece } of source.matchAll(
    /\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`[^`]*`|[\s\S]/g,
  )) {
    if (piece.length > 1) continue;
    if (OPENING.includes(piece)) depth += 1;
    if (CLOSING.includes(piece)) depth -= 1;
    visit(index, depth);
  }
}
