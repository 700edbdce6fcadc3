import { badOption, checkOptionNames, describe } from '../options.ts';
import type { Environment } from './api-key.ts';
import { PREFIX_FORM, TAIL_LENGTH } from './key-text.ts';

/** Which keys are looked for. */
export interface SecretScanningOptions {
  /** As in `createApiKeys()`. @default 'sk' */
  prefix?: string | undefined;
  /** Keys of which environments are looked for. @default ['live', 'test'] */
  environments?: readonly Environment[] | undefined;
}

/** What finds keys of one prefix in other texts: in repositories, logs and tickets. */
export interface SecretScanningPattern {
  /** Without flags: for all keys of a text give it `g`, as in `new RegExp(regex, 'g')`. */
  readonly regex: RegExp;
  /** A rule for `.gitleaks.toml`. */
  readonly gitleaks: string;
}

const OWNER = 'secretScanningPattern';

/** Below what any key has, and above what `xxxx` in the place of one has. */
const LEAST_ENTROPY = 3;

/**
 * A regular expression and a gitleaks rule for the keys that are made here. They see the prefix, the environment and the
 * length; `apiKeys.explain()` tells by the checksum whether what was found can be a key.
 *
 * @throws TypeError for an option that is wrong
 */
export function secretScanningPattern(options: SecretScanningOptions = {}): SecretScanningPattern {
  checkOptionNames(OWNER, options, ['prefix', 'environments']);
  const { prefix = 'sk', environments = ['live', 'test'] } = options;
  if (typeof prefix !== 'string' || !PREFIX_FORM.test(prefix)) {
    throw badOption(OWNER, 'prefix', 'a lower-case letter and then up to 31 of a-z, 0-9 and _', prefix);
  }
  const starts = startsOf(prefix, environments);
  // What Go's RE2 knows too, which has no look-behind. Of a prefix no character means anything to a pattern.
  const source = String.raw`\b((?:${starts.join('|')})[0-9A-Za-z]{${TAIL_LENGTH}})\b`;
  return Object.freeze({ regex: new RegExp(source), gitleaks: gitleaksRule(prefix, starts, source) });
}

function startsOf(prefix: string, environments: unknown): readonly string[] {
  const isList = Array.isArray(environments) && environments.length > 0;
  if (!isList || !environments.every((one) => one === 'live' || one === 'test')) {
    throw new TypeError(
      `${OWNER}: environments must be an array of "live" and "test", but got ${describe(environments)}`,
    );
  }
  return [...new Set(environments)].map((environment) => `${prefix}_${environment}_`);
}

/** In the literal texts of TOML, so that nothing in them needs a backslash; neither a prefix nor the pattern holds a quote. */
function gitleaksRule(prefix: string, starts: readonly string[], source: string): string {
  const keywords = starts.map((start) => `'${start}'`).join(', ');
  return [
    '[[rules]]',
    `id = '${prefix.replaceAll('_', '-')}-api-key'`,
    `description = 'An API key that begins with ${starts.join(' or ')}'`,
    `regex = '''${source}'''`,
    'secretGroup = 1',
    `entropy = ${LEAST_ENTROPY}`,
    `keywords = [${keywords}]`,
    '',
  ].join('\n');
}
