import type { Explanation } from '../../lib/index.ts';

/** `step: outcome`, of all steps but those that are passed. */
export function hitches({ steps }: Explanation): string[] {
  return steps.filter(({ outcome }) => outcome !== 'pass').map(({ step, outcome }) => `${step}: ${outcome}`);
}

/** What is said of the first step of that name. */
export function detail({ steps }: Explanation, name: string): string | undefined {
  return steps.find(({ step }) => step === name)?.detail;
}
