import { badOption } from '../options.ts';
import type { MaybePromise } from '../stores/key-store.ts';
import { closeCases } from './close-cases.ts';
import { concurrencyCases } from './concurrency-cases.ts';
import { deleteCases } from './delete-cases.ts';
import { digestCases } from './digest-cases.ts';
import { filterCases } from './filter-cases.ts';
import { insertCases } from './insert-cases.ts';
import { isolationCases } from './isolation-cases.ts';
import { manyCases } from './many-cases.ts';
import { pagingCases } from './paging-cases.ts';
import type { CaseDraft, OpenedStore, StoreCase } from './store-case.ts';
import { tenantCases } from './tenant-cases.ts';
import { textCases } from './text-cases.ts';
import { updateCases } from './update-cases.ts';
import { useCases } from './use-cases.ts';
import { valueCases } from './value-cases.ts';
import { watchCases } from './watch-cases.ts';

export type { OpenedStore, StoreAbility, StoreCase } from './store-case.ts';

const DRAFTS: readonly CaseDraft[] = [
  ...insertCases,
  ...manyCases,
  ...digestCases,
  ...updateCases,
  ...deleteCases,
  ...useCases,
  ...pagingCases,
  ...filterCases,
  ...textCases,
  ...valueCases,
  ...isolationCases,
  ...tenantCases,
  ...concurrencyCases,
  ...watchCases,
  ...closeCases,
];

/**
 * All that the contract of a {@link KeyStore} demands, case by case, for the test runner of your choice. Every case opens
 * a store of its own. A case whose optional methods the store does not have resolves at once: compare `needs` with the
 * store where the report should call it skipped.
 *
 * @param open - a store without records, once for each case
 */
export function keyStoreCases(open: () => MaybePromise<OpenedStore>): readonly StoreCase[] {
  if (typeof open !== 'function') throw badOption('keyStoreCases', 'open', 'a function', open);
  return DRAFTS.map((draft) => {
    const [needs] = draft.needs;
    const run = (): Promise<void> => runDraft(draft, open);
    return Object.freeze(needs === undefined ? { name: draft.name, run } : { name: draft.name, needs, run });
  });
}

async function runDraft(draft: CaseDraft, open: () => MaybePromise<OpenedStore>): Promise<void> {
  const opened = await open();
  try {
    const isAble = draft.needs.every((ability) => typeof opened.store[ability] === 'function');
    if (isAble) await draft.run(opened);
  } catch (error) {
    // What the case has found matters more than a clean-up that fails after it.
    await Promise.resolve(opened)
      .then(() => opened.cleanUp?.())
      .catch(() => undefined);
    throw error;
  }
  await opened.cleanUp?.();
}
