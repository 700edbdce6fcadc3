import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../clock.ts';
import { DuplicateKeyError, InvalidInputError } from '../errors.ts';
import type { Environment } from '../keys/api-key.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { ScopeCatalogue } from '../keys/scope-catalogue.ts';
import { type ImportInput, readImportInput } from './import-input.ts';
import type { KeyEditor, KeyEditorParts } from './key-editor.ts';
import { refuseUnknownScopes } from './known-scopes.ts';

/** What became of the records that were given to `import()`. */
export interface ImportReport {
  readonly imported: number;
  /** Were here already, by id or by digest; nothing was written. */
  readonly unchanged: number;
  readonly rejected: readonly ImportRejection[];
}

/** A record that was not imported, by its place, and why. Holds no value of it. */
export interface ImportRejection {
  /** Place among the records, from 0. */
  readonly index: number;
  /** JSON pointer to the member that is wrong. */
  readonly field?: string;
  readonly reason: string;
}

export interface ImporterParts extends Pick<KeyEditorParts, 'records' | 'listener'> {
  readonly editor: KeyEditor;
  readonly clock: Clock;
  /** Of keys that do not name one. */
  readonly environment: Environment;
  /** What a key may be given; `undefined` is anything. */
  readonly scopes: ScopeCatalogue | undefined;
}

/** Of which no two share an id or a digest, so that the order in which they are written does not matter. */
type Batch = Map<string, Candidate>;

interface Candidate {
  readonly index: number;
  readonly record: KeyRecord;
  readonly isIdGiven: boolean;
}

type Outcome = 'imported' | 'unchanged' | ImportRejection;

const LARGEST_BATCH = 200;

/**
 * Brings in keys, some hundreds at a time. A wrong one is reported and the rest goes on; a store that fails ends the
 * import, which can be begun again from the start: what is here already stays as it is.
 */
export async function importKeys(
  inputs: Iterable<ImportInput> | AsyncIterable<ImportInput>,
  parts: ImporterParts,
): Promise<ImportReport> {
  const report = { imported: 0, unchanged: 0, rejected: [] as ImportRejection[] };
  const note = (outcome: Outcome): void => {
    if (typeof outcome === 'string') report[outcome] += 1;
    else report.rejected.push(outcome);
  };
  let batch: Batch = new Map();
  let index = 0;
  for await (const input of inputs) {
    const candidate = readCandidate(input, index, parts);
    index += 1;
    if ('reason' in candidate) {
      note(candidate);
      continue;
    }
    const { id, digest } = candidate.record;
    if (batch.size === 2 * LARGEST_BATCH || batch.has(id) || batch.has(digest)) {
      for (const outcome of await importBatch(batch, parts)) note(outcome);
      batch = new Map();
    }
    batch.set(id, candidate).set(digest, candidate);
  }
  for (const outcome of await importBatch(batch, parts)) note(outcome);
  report.rejected.sort((one, other) => one.index - other.index);
  return report;
}

function readCandidate(
  input: ImportInput,
  index: number,
  { clock, environment, scopes }: ImporterParts,
): Candidate | ImportRejection {
  try {
    const record = readImportInput(input, clock.now(), environment);
    refuseUnknownScopes(record.scopes, input.scopes, scopes);
    return { index, record, isIdGiven: input.id !== undefined };
  } catch (error) {
    return rejection(index, error);
  }
}

async function importBatch(batch: Batch, parts: ImporterParts): Promise<readonly Outcome[]> {
  if (batch.size === 0) return [];
  const { records, listener, editor } = parts;
  const candidates = [...new Set(batch.values())];
  let inserted: ReadonlySet<string> = new Set();
  try {
    inserted = await records.insertMany(candidates.map(({ record }) => record));
  } finally {
    listener.inserted();
  }
  const taken = candidates.filter(({ record }) => !inserted.has(record.id));
  const present =
    taken.length === 0 ? undefined : await records.findMany(taken.map(({ record }) => record.id));
  const outcomes: Outcome[] = [];
  for (const candidate of candidates) {
    const { id } = candidate.record;
    if (!inserted.has(id)) {
      outcomes.push(await importTaken(candidate, present?.get(id), parts));
      continue;
    }
    editor.audit('import', candidate.record, []);
    outcomes.push('imported');
  }
  return outcomes;
}

/** What becomes of a key whose id or digest was not free. */
async function importTaken(
  candidate: Candidate,
  present: KeyRecord | undefined,
  { records, listener, editor }: ImporterParts,
): Promise<Outcome> {
  const { index, record } = candidate;
  if (present !== undefined) return outcomeOfTaken(candidate, present);
  try {
    // So the digest is taken, or what was in the way has been deleted since.
    await records.insert(record);
    editor.audit('import', record, []);
    return 'imported';
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    if (error.field === 'digest' && !candidate.isIdGiven) return 'unchanged';
    return rejection(index, new InvalidInputError(`/${error.field}`, 'is that of another key'));
  } finally {
    listener.inserted();
  }
}

/**
 * A key that is here may have moved to another digest since it was imported, so its organization and owner tell
 * whether an id stands for it.
 */
function outcomeOfTaken({ index, record: { organization, owner } }: Candidate, present: KeyRecord): Outcome {
  const isSame = present.organization.id === organization.id && isDeepStrictEqual(present.owner, owner);
  if (isSame) return 'unchanged';
  return rejection(
    index,
    new InvalidInputError('/id', 'is that of a key with another organization or owner'),
  );
}

/** @throws what is no fault of the input */
function rejection(index: number, error: unknown): ImportRejection {
  if (!(error instanceof InvalidInputError)) throw error;
  return { index, field: error.field, reason: error.message };
}
