/** The older of the two supported versions, installed under this name; what the tests use of it has the same types. */
declare module 'express4' {
  export { default } from 'express';
}
