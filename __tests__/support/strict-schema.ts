/** A JSON schema, as far as it is looked into here. */
export type Schema = Readonly<Record<string, unknown>>;

/**
 * A schema without references, in which an object whose members are listed has no others. It is said where all of an
 * object's members are known: a part of an `allOf` knows its own alone, so there it is said of the whole.
 */
export function strictSchema(schema: Schema, root: Schema, isPart = false): Schema {
  const { $ref, ...beside } = schema;
  // What stands beside a reference means nothing in OpenAPI 3.0, and is said by its target in the contracts in 3.1.
  if ($ref !== undefined) return strictSchema(targetOf(String($ref), root), root, isPart);
  const strict: Record<string, unknown> = { ...beside };
  const whole = (each: unknown) => strictSchema(each as Schema, root);
  const part = (each: unknown) => strictSchema(each as Schema, root, true);
  if (isObject(schema['properties'])) strict['properties'] = mapMembers(schema['properties'], whole);
  if (isObject(schema['items'])) strict['items'] = whole(schema['items']);
  if (isObject(schema['additionalProperties'])) {
    strict['additionalProperties'] = whole(schema['additionalProperties']);
  }
  if (Array.isArray(schema['oneOf'])) strict['oneOf'] = schema['oneOf'].map(whole);
  if (Array.isArray(schema['allOf'])) strict['allOf'] = schema['allOf'].map(part);
  if (!isPart && listsMembers(strict)) strict['unevaluatedProperties'] = false;
  return strict;
}

function listsMembers(schema: Schema): boolean {
  if (schema['additionalProperties'] !== undefined) return false;
  const parts = Array.isArray(schema['allOf']) ? (schema['allOf'] as Schema[]) : [];
  return schema['properties'] !== undefined || parts.some(listsMembers);
}

function targetOf(ref: string, root: Schema): Schema {
  let target: unknown = root;
  for (const step of ref.replace('#/', '').split('/')) target = (target as Schema)[step];
  if (!isObject(target)) throw new Error(`The reference ${ref} leads nowhere.`);
  return target;
}

function mapMembers(members: Schema, change: (member: unknown) => unknown): Schema {
  return Object.fromEntries(Object.entries(members).map(([name, member]) => [name, change(member)]));
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
