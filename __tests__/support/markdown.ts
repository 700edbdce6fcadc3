import { readdirSync, readFileSync } from 'node:fs';
import { root } from './built-package.ts';

const FENCED = /^( *)```([a-z]*)\n([\s\S]*?)^\1```$/gm;

export interface Page {
  /** From the folder of package.json: `docs/errors.md`. */
  readonly path: string;
  readonly text: string;
}

export interface CodeBlock {
  readonly language: string;
  readonly code: string;
  /** The name that its first line gives it: `// app.js`. */
  readonly file: string | undefined;
}

export interface Heading {
  readonly level: number;
  readonly text: string;
}

export function readPage(path: string): Page {
  return { path, text: readFileSync(root + path, 'utf8') };
}

/** All that a reader of the repository finds: the front page, the changelog, how to report a fault, and docs/. */
export function readPages(): readonly Page[] {
  const docs = readdirSync(`${root}docs`).filter((name) => name.endsWith('.md'));
  return ['README.md', 'CHANGELOG.md', 'SECURITY.md', ...docs.map((name) => `docs/${name}`)].map(readPage);
}

/** All that stands between fences, those that are indented in a list too. */
export function codeBlocks({ text }: Page): readonly CodeBlock[] {
  return Array.from(text.matchAll(FENCED), ([, indent = '', language = '', indented = '']) => {
    const code = indented.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    return { language, code, file: /^\/\/ ([\w.-]+\.m?[jt]s)\n/.exec(code)?.[1] };
  });
}

/** Headings in order, with the marks of code taken off. */
function headings(page: Page): readonly Heading[] {
  const found = prose(page).matchAll(/^(#{1,6}) (.+)$/gm);
  return Array.from(found, ([, marks = '', text = '']) => ({
    level: marks.length,
    text: text.replaceAll('`', ''),
  }));
}

/** The headings of the third level below one of the second. */
export function entriesOf(page: Page, section: string): readonly string[] {
  const all = headings(page);
  const start = all.findIndex(({ level, text }) => level === 2 && text === section) + 1;
  if (start === 0) throw new Error(`${page.path} has no section "${section}"`);
  const length = all.slice(start).findIndex(({ level }) => level <= 2);
  const entries = length === -1 ? all.slice(start) : all.slice(start, start + length);
  return entries.filter(({ level }) => level === 3).map(({ text }) => text);
}

/** What stands below a heading of the third level, up to the next heading. */
export function entryText(page: Page, heading: string): string {
  return entryTexts(page, heading)[0] ?? '';
}

/** The same, of all headings with that text. */
export function entryTexts(page: Page, heading: string): readonly string[] {
  const [, ...after] = page.text.split(`\n### \`${heading}\`\n`);
  return after.map((text) => text.split(/^#{1,3} /m, 1)[0]?.trim() ?? '');
}

/** The anchors of a page, as GitHub makes them: of headings with one text the second ends in `-1`. */
export function anchors(page: Page): readonly string[] {
  const taken = new Map<string, number>();
  return headings(page).map(({ text }) => {
    const anchor = text
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number}\p{Mark} _-]/gu, '')
      .replaceAll(' ', '-');
    const before = taken.get(anchor) ?? 0;
    taken.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
}

/** The targets of all links but those to other sites. */
export function relativeLinks(page: Page): readonly string[] {
  const targets = Array.from(prose(page).matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

function prose({ text }: Page): string {
  return text.replaceAll(FENCED, '');
}
