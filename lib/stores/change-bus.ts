/**
 * Carries short texts from one process to all, at most once and soon: a doorbell, not a record. Any store that
 * watches can be given one.
 */
export interface ChangeBus {
  publish(message: string): Promise<void>;
  /** Resolves once it listens, to what stops it. What arrives is not to be trusted. */
  subscribe(onMessage: (message: string) => void): Promise<() => Promise<void>>;
}
