export type {
  Dialect,
  DialectRequest,
  DialectRoute,
  DialectTools,
  ManagedKeys,
} from './dialects/dialect.ts';
export { type EndorOptions, type EndorUser, endor } from './dialects/endor.ts';
export { type GmiIdOwner, type GmiOptions, gmi } from './dialects/gmi.ts';
export { type IntrospectionOptions, introspection } from './dialects/introspection.ts';
export { pluto } from './dialects/pluto.ts';
export { plutoKeys } from './dialects/pluto-keys.ts';
export { type TimbrixOptions, timbrix } from './dialects/timbrix.ts';
export { validateRouter } from './dialects/validate-router.ts';
export { type WorkosOptions, workos } from './dialects/workos.ts';
export type { DialectAnswer } from './http/dialect.ts';
export type { MountableRouter } from './http/router.ts';
