/** Answers that we give and that a contract does not list, each with the reason why it is right all the same. */
export interface Addition {
  readonly contract: string;
  readonly reason: string;
  /** Writes it into the parsed contract. */
  add(root: ContractRoot): void;
}

interface Operation {
  readonly responses: Record<string, unknown>;
}

interface ContractRoot {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Record<string, { properties: Record<string, unknown> }> };
}

const JSON_TYPE = 'application/json';

export const ADDITIONS: readonly Addition[] = [
  {
    contract: 'pluto-published',
    reason:
      "The vendor's server sends `message` beside `error`, and its clients show it; the published page has not.",
    add({ components }) {
      const { properties } = components.schemas['Error'] as { properties: Record<string, unknown> };
      properties['message'] = { type: 'string' };
    },
  },
  {
    contract: 'workos',
    reason: 'A caller whose key lacks the scope: the vendor has service keys, which may do all.',
    add: (root) => addStatus(root, '403', METHODS),
  },
  {
    contract: 'workos',
    reason: 'A store that fails must not look like a bad key, and the contract has no answer for it.',
    add: (root) => addStatus(root, '503', METHODS),
  },
  {
    contract: 'workos',
    reason: 'A body that is not JSON: the contract lists the answer for validations alone.',
    add: (root) => addStatus(root, '400', ['post']),
  },
  {
    contract: 'workos',
    reason: 'The same answer where the contract has a 400 of another form, for a body that it can read.',
    add: ({ paths }) => widen(paths['/user_management/users/{userId}/api_keys']?.['post']?.responses['400']),
  },
  {
    contract: 'workos',
    reason: 'A list with a limit, an order or a cursor that is none: the contract lists no answer.',
    add: (root) => addStatus(root, '422', ['get']),
  },
];

const METHODS = ['get', 'post', 'delete'];

const API_ERROR = {
  content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/ValidationError' } } },
};

/** To every operation of these methods that lists no such status. */
function addStatus({ paths }: ContractRoot, status: string, methods: readonly string[]): void {
  for (const item of Object.values(paths)) {
    for (const method of methods) {
      const operation = item[method];
      if (operation !== undefined) operation.responses[status] ??= API_ERROR;
    }
  }
}

/** Takes the one body that all requests without readable JSON are answered with. */
function widen(response: unknown): void {
  const { content } = response as { content: { [JSON_TYPE]: { schema: unknown } } };
  const { schema } = content[JSON_TYPE];
  content[JSON_TYPE].schema = { oneOf: [schema, { $ref: '#/components/schemas/ApiError' }] };
}
