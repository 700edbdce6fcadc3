/** The package has no types of its own; this is what the tests use of it. */
declare module 'json-server' {
  import type { Router } from 'express';

  export function router(source: object): Router;
}
