import express5 from 'express';
import express4 from 'express4';

export type Express = typeof express5;

/** For `describe.each`: everything that speaks HTTP is tested on both. */
export const expressVersions: readonly { readonly name: string; readonly express: Express }[] = [
  { name: 'Express 4', express: express4 },
  { name: 'Express 5', express: express5 },
];
