import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** An answer as a client has it. */
export interface CheckedAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

interface Part {
  readonly [name: string]: unknown;
}

const DOCUMENT_ID = 'https://document.test/';

/** Holds answers and request bodies to an OpenAPI 3.1 document: what is not in it is wrong. */
export class OpenApiChecker {
  readonly #document: Part;
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(document: object) {
    this.#document = document as Part;
    // `strict` refuses a schema with a word that it does not know, which would check nothing.
    this.#ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
    addFormats.default(this.#ajv);
    // Only schemas are checked; the rest of the document is no schema, and is kept for its references.
    this.#ajv.addKeyword('components');
    this.#ajv.addSchema({ $id: DOCUMENT_ID, components: this.#document['components'] });
  }

  /** All that is wrong with an answer. */
  problemsOf(method: string, path: string, { status, headers, text }: CheckedAnswer): string[] {
    const operation = this.operation(method, path);
    if (operation === undefined) return status === 405 ? [] : [`${method} ${path} is not in the document`];
    const response = this.#resolved((operation['responses'] as Part)[status]);
    if (response === undefined) return [`${method} ${path}: status ${status} is not in the document`];
    return [...this.#headerProblems(response, headers), ...this.#bodyProblems(response, headers, text)].map(
      (problem) => `${method} ${path} ${status}: ${problem}`,
    );
  }

  /** Whether the document has a body of this form. */
  takesBody(method: string, path: string, body: unknown): boolean {
    const operation = this.operation(method, path) as Part;
    const content = (operation['requestBody'] as Part)['content'] as Part;
    return this.#validator((content['application/json'] as Part)['schema'] as Part)(body);
  }

  /** Whether the document has a parameter of this form. */
  takesParameter(method: string, path: string, name: string, value: unknown): boolean {
    const operation = this.operation(method, path) as Part;
    const found = (operation['parameters'] as Part[]).find((one) => one['name'] === name);
    return this.#validator((found as Part)['schema'] as Part)(value);
  }

  operation(method: string, path: string): Part | undefined {
    const steps = path.split('/');
    const paths = Object.entries(this.#document['paths'] as Part);
    const matching = paths.find(([template]) => {
      const wanted = template.split('/');
      return (
        wanted.length === steps.length &&
        wanted.every((step, index) => step === steps[index] || (step.startsWith('{') && steps[index] !== ''))
      );
    });
    return (matching?.[1] as Part | undefined)?.[method.toLowerCase()] as Part | undefined;
  }

  #headerProblems(response: Part, headers: Headers): string[] {
    const known = Object.entries((response['headers'] ?? {}) as Part);
    return known.flatMap(([name, one]) => {
      const { required, schema } = one as Part;
      const value = headers.get(name);
      if (value === null) return required ? [`the header ${name} is missing`] : [];
      return this.#validator(schema as Part)(value) ? [] : [`the header ${name} is "${value}"`];
    });
  }

  #bodyProblems(response: Part, headers: Headers, text: string): string[] {
    const content = response['content'] as Part | undefined;
    if (content === undefined) return text === '' ? [] : ['there is a body'];
    const type = headers.get('content-type')?.split(';')[0] ?? '';
    const media = content[type] as Part | undefined;
    if (media === undefined) return [`the type ${type} is not in the document`];
    const validate = this.#validator(media['schema'] as Part);
    if (validate(JSON.parse(text))) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  #validator(schema: Part): ValidateFunction {
    // References are written from the root of the document.
    const text = JSON.stringify(schema).replaceAll('"#/components/', `"${DOCUMENT_ID}#/components/`);
    const validator = this.#validators.get(text) ?? this.#ajv.compile(JSON.parse(text));
    this.#validators.set(text, validator);
    return validator;
  }

  #resolved(part: unknown): Part | undefined {
    const reference = (part as Part | undefined)?.['$ref'];
    if (typeof reference !== 'string') return part as Part | undefined;
    const steps = reference.split('/').slice(1);
    return steps.reduce((found, step) => found[step] as Part, this.#document);
  }
}
