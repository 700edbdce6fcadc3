/** The command line itself is wrong: exit code 2. */
export class UsageError extends Error {}

/** What was asked for cannot be done, or was not agreed to: exit code 1. */
export class RefusedError extends Error {}
