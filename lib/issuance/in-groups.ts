/** As many calls at once as pay over a network, and as few as leave room for others on the same connections. */
const GROUP = 16;

/**
 * Does something to each of many, some at a time, and answers what came of it, in their order. After a failure no more
 * are begun; those that are under way come to their end first.
 */
export async function inGroups<T, Outcome>(
  many: readonly T[],
  work: (one: T) => Promise<Outcome>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let start = 0; start < many.length; start += GROUP) {
    const settled = await Promise.allSettled(many.slice(start, start + GROUP).map(work));
    for (const one of settled) {
      if (one.status === 'rejected') throw one.reason;
      outcomes.push(one.value);
    }
  }
  return outcomes;
}
