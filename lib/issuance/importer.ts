import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../clock.ts';
import { DuplicateKeyError, InvalidInputError } from '../errors.ts';
import type { Environment } from '../keys/api-key.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import { type ImportInput, readImportInput } from './import-input.ts';
import type { KeyEditor, KeyEditorParts } from './key-editor.ts';

export interface ImportReport {
  readonly imported: number;
  /** Were here already, by id or by digest; nothing was written. */
  readonly unchanged: number;
  readonly rejected: readonly ImportRejection[];
}

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
}

/**
 * Brings in keys one by one. A wrong one is reported and the rest goes on; a store that fails ends the import, which
 * can be begun again from the start: what is here already stays as it is.
 */
export async function importKeys(
  inputs: Iterable<ImportInput> | AsyncIterable<ImportInput>,
  parts: ImporterParts,
): Promise<ImportReport> {
  const report = { imported: 0, unchanged: 0, rejected: [] as ImportRejection[] };
  let index = 0;
  for await (const input of inputs) {
    try {
      report[await importOne(input, parts)] += 1;
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      report.rejected.push({ index, field: error.field, reason: error.message });
    }
    index += 1;
  }
  return report;
}

async function importOne(input: ImportInput, parts: ImporterParts): Promise<'imported' | 'unchanged'> {
  const { records, listener, clock, editor, environment } = parts;
  const record = readImportInput(input, clock.now(), environment);
  try {
    await records.insert(record);
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    await refuseOther(record, error.field, input.id !== undefined, parts);
    return 'unchanged';
  } finally {
    listener.inserted();
  }
  editor.audit('import', record, []);
  return 'imported';
}

/**
 * A key that is here may have moved to another digest since it was imported, so its organization and owner tell
 * whether an id stands for it.
 *
 * @throws InvalidInputError when the id or the digest is that of another key
 */
async function refuseOther(
  { id, organization, owner }: KeyRecord,
  field: 'id' | 'digest',
  isIdGiven: boolean,
  { records }: ImporterParts,
): Promise<void> {
  if (field === 'digest') {
    if (isIdGiven) throw new InvalidInputError('/digest', 'is that of a key with another id');
    return;
  }
  const present = await records.find(id);
  const isSame = present?.organization.id === organization.id && isDeepStrictEqual(present.owner, owner);
  if (!isSame) throw new InvalidInputError('/id', 'is that of a key with another organization or owner');
}
