/** From the registry, so that both module formats know it. */
const VOLATILE = Symbol.for('keystile.volatile');

/** Says of a store that its records end with the process. */
export function markVolatile(store: object): void {
  Object.defineProperty(store, VOLATILE, { value: true });
}

export function isVolatile(store: object): boolean {
  return VOLATILE in store;
}
