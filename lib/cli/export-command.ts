import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { idProblem } from '../keys/fields.ts';
import { type KeyRecord, readRecord } from '../keys/key-record.ts';
import type { KeyStore } from '../stores/key-store.ts';
import type { Command, Context } from './command.ts';
import { csvCell } from './csv.ts';
import { type Format, formatOf } from './import-source.ts';
import { CSV_NAMES, cellsOfRow, rowOfRecord } from './key-row.ts';
import { Progress } from './progress.ts';
import { RefusedError, UsageError } from './usage-error.ts';
import { counted } from './words.ts';

const PAGE = 500;

export const exportCommand: Command = {
  name: 'export',
  summary: 'write all keys, with their digests, as JSON Lines or CSV',
  flags: {
    format: { takes: 'FORMAT', help: 'jsonl or csv; by the name of the file' },
    output: { takes: 'FILE', help: 'a new file; standard output' },
    organization: { takes: 'ID', help: 'only keys of this organization' },
  },
  notes: [
    'What it writes, keystile import takes. It holds digests: keep it as you keep',
    'the database. Old keys in their grace are not part of it.',
  ],
  async run(context) {
    const { terminal, values, open } = context;
    const name = values.text('output');
    const organizationId = values.text('organization');
    if (organizationId !== undefined && idProblem(organizationId) !== undefined)
      throw new UsageError(`--organization ${idProblem(organizationId)}.`);
    const format = values.oneOf('format', ['jsonl', 'csv']) ?? formatOf(name ?? '');
    const path = name === undefined ? undefined : resolve(terminal.cwd, name);
    if (path !== undefined && existsSync(path)) throw new RefusedError(`${name} is there already.`);
    const { store } = await open();
    const tally = await (path === undefined
      ? writeKeys(context, store, terminal.stdout, format, organizationId)
      : intoFile(path, (stream) => writeKeys(context, store, stream, format, organizationId)));
    terminal.say(
      `Exported ${counted(tally.keys, 'key')}; the digests in it are to be kept like the database.`,
    );
    if (tally.inGrace > 0)
      terminal.say(`${counted(tally.inGrace, 'old key')} in a grace period did not come along.`);
    return 0;
  },
};

interface Tally {
  readonly keys: number;
  readonly inGrace: number;
}

/**
 * Under another name until it is whole, so that half an export is not taken for one. Nobody can have made a file of that
 * name before, or a link, which would have kept its owner and its mode.
 */
async function intoFile(path: string, write: (stream: Writable) => Promise<Tally>): Promise<Tally> {
  const partial = `${path}.${randomBytes(6).toString('hex')}.partial`;
  const stream = createWriteStream(partial, { flags: 'wx', mode: 0o600 });
  await once(stream, 'open');
  try {
    // One listener for all of it: an error between two writes would otherwise end the process.
    const failed = once(stream, 'error').then(([error]) => Promise.reject(error));
    const tally = await Promise.race([write(stream), failed]);
    stream.end();
    await Promise.race([once(stream, 'close'), failed]);
    renameSync(partial, path);
    return tally;
  } catch (error) {
    stream.destroy();
    rmSync(partial, { force: true });
    throw error;
  }
}

async function writeKeys(
  { terminal, clock }: Context,
  store: KeyStore,
  stream: Writable,
  format: Format,
  organizationId: string | undefined,
): Promise<Tally> {
  const progress = new Progress(terminal, clock, 'key');
  const isShown = stream !== terminal.stdout || !terminal.stdout.isTTY;
  const now = clock.now();
  let [keys, inGrace] = [0, 0];
  if (format === 'csv') stream.write(`${CSV_NAMES.join(',')}\r\n`);
  for await (const records of pagesOf(store, organizationId)) {
    const text = records.map((record) => lineOf(record, format)).join('');
    if (!stream.write(text)) await once(stream, 'drain');
    keys += records.length;
    inGrace += records.filter(
      ({ previous }) => previous !== undefined && previous.expiresAt.getTime() > now,
    ).length;
    if (isShown) progress.show(keys, undefined);
  }
  progress.end();
  return { keys, inGrace };
}

function lineOf(record: KeyRecord, format: Format): string {
  const row = rowOfRecord(record);
  return format === 'csv' ? `${cellsOfRow(row).map(csvCell).join(',')}\r\n` : `${JSON.stringify(row)}\n`;
}

async function* pagesOf(
  store: KeyStore,
  organizationId: string | undefined,
): AsyncGenerator<readonly KeyRecord[]> {
  const filter = organizationId === undefined ? undefined : { organizationId };
  let cursor: string | undefined;
  do {
    const after = cursor === undefined ? undefined : { cursor };
    const page = await store.list({ limit: PAGE, order: 'oldest', ...filter, ...after });
    yield page.records
      .map(readRecord)
      .filter(({ organization }) => (organizationId ?? organization.id) === organization.id);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}
