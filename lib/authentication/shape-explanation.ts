import type { Environment } from '../keys/api-key.ts';
import type { RefusalReason } from '../keys/checks.ts';
import { parseKeyText, shownParts } from '../keys/key-text.ts';
import { copyingProblem, keyTextProblem } from '../keys/key-text-problem.ts';
import type { ExplanationStep } from './explanation.ts';
import type { BuiltInVerifier, KeyVerifier } from './key-verifier.ts';
import type { Verifiers } from './verifiers.ts';

export interface ShapeParts {
  readonly prefix: string;
  readonly environments: readonly Environment[];
  readonly verifiers: Verifiers;
  readonly plugIns: readonly KeyVerifier[];
}

/** Whose shape a text has, or why it is nobody's. */
export interface ExplainedShape {
  readonly steps: readonly ExplanationStep[];
  readonly shape: BuiltInVerifier | RefusalReason;
}

export function explainShape(text: unknown, parts: ShapeParts): ExplainedShape {
  const { verifiers, prefix } = parts;
  if (typeof text !== 'string') return unread('It is no text.');
  if (!verifiers.isReadable(text)) {
    return unread(`It has ${text.length} characters, and is longer than any key or begins with NUL.`);
  }
  const shape = verifiers.shapeOf(text);
  const parsed = parseKeyText(text);
  if (parsed?.prefix === prefix) return { steps: ownSteps(text, parsed, parts.environments), shape };
  if (typeof shape === 'string') return { steps: [failed(strangeShape(text, parts))], shape };
  return {
    steps: [{ step: 'shape', outcome: 'pass', detail: `It has the shape of "${shape.name}".` }],
    shape,
  };
}

function unread(detail: string): ExplainedShape {
  return { steps: [failed(detail)], shape: 'malformed' };
}

function failed(detail: string): ExplanationStep {
  return { step: 'shape', outcome: 'fail', detail };
}

function ownSteps(
  text: string,
  { intact, environment }: { readonly intact: boolean; readonly environment: Environment },
  accepted: readonly Environment[],
): readonly ExplanationStep[] {
  const { start, end } = shownParts(text);
  const isAccepted = accepted.includes(environment);
  const shape = `It has the shape of a key made here, "${start}...${end}".`;
  const checksum = intact
    ? 'Its checksum is right.'
    : 'Its checksum is wrong: it was mistyped, or cut and mended.';
  const where = `It is for ${environment}; accepted here: ${accepted.join(', ')}.`;
  return [
    { step: 'shape', outcome: 'pass', detail: shape },
    { step: 'checksum', outcome: intact ? 'pass' : 'fail', detail: checksum },
    { step: 'environment', outcome: isAccepted ? 'pass' : 'fail', detail: where },
  ];
}

function strangeShape(text: string, { prefix, plugIns }: ShapeParts): string {
  const matching = plugIns.filter((verifier) => verifier.matches(text));
  if (matching.length > 1) return `Several verifiers take its shape: ${quotedNames(matching)}.`;
  const others = plugIns.length === 0 ? '' : `, nor that of ${quotedNames(plugIns)}`;
  const why = copyingProblem(text) ?? keyTextProblem(text, prefix);
  return `It has not the shape of a key made here${others}: ${why}.`;
}

function quotedNames(verifiers: readonly KeyVerifier[]): string {
  return verifiers.map(({ name }) => `"${name}"`).join(', ');
}
