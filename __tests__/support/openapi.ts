import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { parse } from 'yaml';
import { ADDITIONS } from './openapi-additions.ts';
import { type Schema, strictSchema } from './strict-schema.ts';

/**
 * Holds the answers of the dialects against the vendors' contracts: the whole ones, and those that the vendors publish
 * themselves where there are any (`*-published.yaml`). Schemas are made strict, since OpenAPI's own allow any member.
 */
export type Vendor = 'pluto' | 'timbrix' | 'endor' | 'gmi' | 'workos';

const PUBLISHED: readonly Vendor[] = ['pluto', 'timbrix', 'gmi'];

interface Media {
  readonly schema?: Schema;
}

interface ResponseObject {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, Media>>;
  readonly headers?: Readonly<Record<string, { readonly schema?: { readonly const?: string } }>>;
}

interface Operation {
  readonly responses: Readonly<Record<string, ResponseObject>>;
}

type PathItem = Readonly<Record<string, Operation>>;

interface Document {
  readonly name: string;
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly root: Schema;
}

const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);

const documents = new Map<string, Document>();
const validators = new Map<string, ValidateFunction>();

/**
 * @param path - below the vendor's base, with ids in it and without a query
 * @param contentType - the header field; `undefined` for none
 * @param body - what the JSON says, a text under another type, `undefined` for no body
 * @throws Error that says what does not fit, and in which contract
 */
export function assertFits(
  vendor: Vendor,
  method: string,
  path: string,
  status: number,
  contentType: string | undefined,
  body: unknown,
): void {
  const answer = { method: method.toLowerCase(), path, status, contentType, body };
  checkAgainst(load(vendor), answer, true);
  if (PUBLISHED.includes(vendor)) checkAgainst(load(`${vendor}-published`), answer, false);
}

interface Answer {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: unknown;
}

/** @param isWhole - whether the contract lists all that there is, so that what it does not list is wrong */
function checkAgainst(document: Document, answer: Answer, isWhole: boolean): void {
  const { method, path, status } = answer;
  const what = `${document.name}: ${method.toUpperCase()} ${path} ${status}`;
  const found = findOperation(document, method === 'head' ? 'get' : method, path);
  if (found === undefined) {
    if (isWhole) throw new Error(`${what}: no such operation`);
    return;
  }
  const { responses } = found.operation;
  const response = resolve(document, responses[String(status)] ?? responses['default']);
  if (response === undefined) {
    if (isWhole) throw new Error(`${what}: unknown status, it has ${Object.keys(responses).join(', ')}`);
    return;
  }
  checkContent(document, `${what} of ${found.template}`, response, answer);
}

function checkContent(document: Document, what: string, response: ResponseObject, answer: Answer): void {
  const { method, status, contentType, body } = answer;
  const { content, headers } = response;
  if (content === undefined) {
    // A document without schemas says so of 204 alone; elsewhere it says nothing.
    if (status === 204 && body !== undefined) throw new Error(`${what}: a body, where there is none`);
    return;
  }
  const exact = headers?.['Content-Type']?.schema?.const;
  if (exact !== undefined && contentType !== exact) {
    throw new Error(`${what}: content type ${contentType}, and not ${exact}`);
  }
  const type = mediaTypeOf(contentType);
  const media = type === undefined ? undefined : content[type];
  if (type === undefined || media === undefined) {
    throw new Error(
      `${what}: unknown content type ${contentType}, it has ${Object.keys(content).join(', ')}`,
    );
  }
  if (method === 'head') {
    if (body !== undefined) throw new Error(`${what}: a body, where there is none`);
    return;
  }
  if (media.schema !== undefined) checkBody(document, what, `${what} ${type}`, media.schema, body);
}

function checkBody(document: Document, what: string, id: string, schema: Schema, body: unknown): void {
  const validate = validators.get(id) ?? ajv.compile(strictSchema(schema, document.root));
  validators.set(id, validate);
  if (validate(body)) return;
  const problems = ajv.errorsText(validate.errors, { dataVar: 'body' });
  throw new Error(`${what}: ${problems} in ${JSON.stringify(body)}`);
}

/** Without its one parameter that says nothing new. */
function mediaTypeOf(contentType: string | undefined): string | undefined {
  return contentType?.replace(/; ?charset=utf-8$/i, '');
}

function findOperation(
  { paths }: Document,
  method: string,
  path: string,
): { template: string; operation: Operation } | undefined {
  const matching = Object.keys(paths)
    .filter((template) => pathPattern(template).test(path))
    .filter((template) => paths[template]?.[method] !== undefined)
    // What is spelt out goes before what is a parameter.
    .sort((a, b) => a.split('{').length - b.split('{').length);
  const [template] = matching;
  if (template === undefined) return undefined;
  return { template, operation: paths[template]?.[method] as Operation };
}

function pathPattern(template: string): RegExp {
  const pattern = template
    .split(/\{[^}]+\}/)
    .map((literal) => literal.replace(/[.*+?^$()|[\]\\]/g, '\\$&'))
    .join('[^/]+');
  return new RegExp(`^${pattern}$`);
}

function resolve({ root }: Document, response: ResponseObject | undefined): ResponseObject | undefined {
  if (response?.$ref === undefined) return response;
  const name = response.$ref.replace('#/components/responses/', '');
  const { responses } = root['components'] as { responses: Record<string, ResponseObject> };
  return responses[name];
}

function load(name: string): Document {
  const known = documents.get(name);
  if (known !== undefined) return known;
  const file = new URL(`../data/contracts/${name}.yaml`, import.meta.url);
  const root = parse(readFileSync(file, 'utf8'));
  for (const addition of ADDITIONS) if (addition.contract === name) addition.add(root);
  const document: Document = { name, paths: root.paths, root };
  documents.set(name, document);
  return document;
}
