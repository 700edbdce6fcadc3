/** RFC 6749 section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ), so no space, quote or backslash. */
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/;

/** They mean something to every JavaScript object that a scope may become a member of. */
const RESERVED = new Set(['__proto__', 'constructor', 'prototype']);

/** What is wrong with a scope that a key is to hold. It may end in `:*`; a bare `*` would be everything. */
export function grantedScopeProblem(scope: unknown): string | undefined {
  const problem = scopeTokenProblem(scope);
  if (problem !== undefined) return problem;
  const text = scope as string;
  const star = text.indexOf('*');
  const isTail = star > 1 && star === text.length - 1 && text[star - 1] === ':';
  if (star === -1 || isTail) return undefined;
  return 'may hold "*" only as its end, after a colon, as in "reports:*"';
}

/** What is wrong with a scope that a route demands: the same grammar, and no `*`. */
export function requiredScopeProblem(scope: unknown): string | undefined {
  const problem = scopeTokenProblem(scope);
  if (problem !== undefined) return problem;
  return (scope as string).includes('*') ? 'must not hold "*": a route demands one thing' : undefined;
}

/** Whether the granted scopes cover a required one: by the same text, or by a `:*` above it. */
export function coversScope(granted: readonly string[], required: string): boolean {
  for (const scope of granted) {
    if (scope === required) return true;
    if (
      scope.endsWith(':*') &&
      isBelow(required, scope.length - 1) &&
      required.startsWith(scope.slice(0, -1))
    ) {
      return true;
    }
  }
  return false;
}

/** `reports:*` covers `reports:read` and `reports:read:own`, and neither `reports` nor `reports:`. */
function isBelow(required: string, stemLength: number): boolean {
  return required.length > stemLength;
}

function scopeTokenProblem(scope: unknown): string | undefined {
  if (typeof scope !== 'string' || !SCOPE_TOKEN.test(scope)) {
    return 'must be 1 to 128 visible ASCII characters without space, quote or backslash (RFC 6749 section 3.3)';
  }
  return RESERVED.has(scope) ? `must not be "${scope}"` : undefined;
}
