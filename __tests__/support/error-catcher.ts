import type { ErrorRequestHandler } from 'express';

/** An app's own error handler, and what has come to it. */
export function errorCatcher(): { readonly failed: unknown[]; readonly handler: ErrorRequestHandler } {
  const failed: unknown[] = [];
  return {
    failed,
    handler: (error, _req, res, _next) => {
      failed.push(error);
      res.status(500).send('error handler');
    },
  };
}
