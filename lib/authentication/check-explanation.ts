import type { ApiKey, Environment } from '../keys/api-key.ts';
import { type KeyFacts, type RefusalReason, refusalReason } from '../keys/checks.ts';
import type { ExplanationStep } from './explanation.ts';

interface Checked {
  readonly facts: KeyFacts;
  readonly apiKey: ApiKey;
  readonly now: number;
  readonly environments: readonly Environment[];
  /** Whether anybody is asked about owners. */
  readonly asksOwner: boolean;
}

interface Check {
  readonly reason: Exclude<RefusalReason, 'malformed' | 'unknown'>;
  readonly fact: keyof KeyFacts;
  detail(checked: Checked, isPassed: boolean): string;
}

/** In the order of the list that decides. */
const CHECKS: readonly Check[] = [
  {
    reason: 'revoked',
    fact: 'revoked',
    detail: ({ apiKey: { revokedAt } }, isPassed) =>
      isPassed ? 'It is not revoked.' : `It was revoked at ${timeText(revokedAt?.getTime())}.`,
  },
  {
    reason: 'disabled',
    fact: 'enabled',
    detail: (_, isPassed) => (isPassed ? 'It is enabled.' : 'It is disabled.'),
  },
  {
    reason: 'owner_inactive',
    fact: 'ownerActive',
    detail: ({ asksOwner }, isPassed) => {
      if (!asksOwner) return 'The option ownerStatus is not set, so nobody was asked.';
      return isPassed
        ? 'Nothing is known against its owner.'
        : 'Its owner is not active, says ownerStatus().';
    },
  },
  {
    reason: 'rotated',
    fact: 'graceEndsAt',
    detail: ({ facts: { graceEndsAt }, now }) =>
      graceEndsAt === Number.POSITIVE_INFINITY
        ? 'It is the current key of its record.'
        : `It is the old key of its record, whose grace ends at ${timeText(graceEndsAt)}; it is ${timeText(now)}.`,
  },
  {
    reason: 'expired',
    fact: 'expiresAt',
    detail: ({ facts: { expiresAt }, now }) =>
      expiresAt === Number.POSITIVE_INFINITY
        ? 'It has no end.'
        : `It ends at ${timeText(expiresAt)}; it is ${timeText(now)}.`,
  },
  {
    reason: 'not_yet_valid',
    fact: 'notBefore',
    detail: ({ facts: { notBefore }, now }) =>
      notBefore === Number.NEGATIVE_INFINITY
        ? 'It has no beginning.'
        : `It works from ${timeText(notBefore)}; it is ${timeText(now)}.`,
  },
  {
    reason: 'wrong_environment',
    fact: 'environment',
    detail: ({ facts: { environment }, environments }) =>
      `Its record is for ${environment}; accepted here: ${environments.join(', ')}.`,
  },
];

/**
 * Every check of a record by itself, also those behind the one that decides. Each is asked of the list that decides on
 * requests, with a key that has nothing else against it, so that there is no second list which could say otherwise.
 */
export function explainChecks(checked: Checked): readonly ExplanationStep[] {
  const { facts, now, environments } = checked;
  return CHECKS.map((check) => {
    const isPassed =
      refusalReason(alone(facts, check.fact, environments), now, environments) !== check.reason;
    return {
      step: check.reason,
      outcome: isPassed ? 'pass' : 'fail',
      detail: check.detail(checked, isPassed),
    };
  });
}

function alone(facts: KeyFacts, fact: keyof KeyFacts, environments: readonly Environment[]): KeyFacts {
  return {
    id: facts.id,
    version: facts.version,
    environment: environments[0] as Environment,
    revoked: false,
    enabled: true,
    ownerActive: true,
    graceEndsAt: Number.POSITIVE_INFINITY,
    expiresAt: Number.POSITIVE_INFINITY,
    notBefore: Number.NEGATIVE_INFINITY,
    [fact]: facts[fact],
  };
}

/** The application's clock may answer anything. */
function timeText(ms: number | undefined): string {
  const date = new Date(ms ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? 'no time' : date.toISOString();
}
