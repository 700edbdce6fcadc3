import { type KeyChanged, type KeyUse, keyRecord } from '../../lib/index.ts';
import { digestOf } from '../support/records.ts';
import { type Break, type Breakage, delegate, pause, RightStore } from './breakage.ts';

/** Everything is told otherwise; `undefined` is not told. */
function telling(change: (told: KeyChanged) => KeyChanged | undefined): Break {
  return (right) => ({
    watch: (onChange) =>
      right.watch((told) => {
        const changed = change(told);
        if (changed !== undefined) onChange(changed);
      }),
  });
}

/** What every listener is told of by a call beside what the right store tells. */
function alsoTelling(breakIt: (tell: (id: string) => void) => Break): Break {
  return (right) => {
    const listeners = new Set<(change: KeyChanged) => void>();
    const tell = (id: string): void => {
      for (const listener of listeners) listener({ type: 'narrowed', id, version: 1, ended: false });
    };
    return {
      watch: async (onChange) => {
        listeners.add(onChange);
        return right.watch(onChange);
      },
      ...breakIt(tell)(right),
    };
  };
}

function using(record: (right: RightStore, use: KeyUse) => Promise<void>): Break {
  return (right) => ({
    recordUse: async (uses) => {
      for (const use of uses) await record(right, use);
    },
  });
}

const closed = new WeakSet<RightStore>();

/** Stores that are wrong in `recordUse`, where calls meet, in `watch` or in `close`. */
export const brokenTiming: readonly Breakage[] = [
  {
    wrong: 'writes uses as updates',
    with: using(async (right, { id, at }) => {
      const record = await right.findById(id);
      if (record) await right.update(id, { lastUsedAt: at, updatedAt: at, narrows: false }, record.version);
    }),
    noticedBy: [
      'recordUse: sets last-used, and nothing else',
      'recordUse: leaves the version and updatedAt alone',
      'recordUse: does not come in the way of an update',
    ],
  },
  {
    wrong: 'keeps the first use',
    with: using(async (right, use) => {
      if ((await right.findById(use.id))?.lastUsedAt === undefined) await right.recordUse([use]);
    }),
    noticedBy: ['recordUse: moves last-used forward'],
  },
  {
    wrong: 'keeps the use that came last',
    with: using(async (right, { id, at, previous }) => {
      const record = await right.findById(id);
      const old = record?.previous && { ...record.previous, lastUsedAt: at };
      if (!previous) await right.edit(id, { lastUsedAt: at });
      else if (old) await right.edit(id, { previous: old });
    }),
    noticedBy: [
      'recordUse: never moves last-used back',
      'recordUse: of an old key never moves back',
      'recordUse: of several uses of one key the latest counts, in any order',
      'at once: of 50 uses of one key the latest is kept',
    ],
  },
  {
    wrong: 'takes the use of an old key for one of the current key',
    with: using((right, use) => right.recordUse([{ ...use, previous: false }])),
    noticedBy: [
      'recordUse: of an old key sets the last-used of that one only',
      'recordUse: of an old key that there is not leaves no trace',
      'recordUse: takes current and old keys in one call',
    ],
  },
  {
    wrong: 'keeps the use of an old key that there is not for the next one',
    with: (right) => {
      const lastUsed = new Map<string, Date>();
      return {
        recordUse: async (uses) => {
          for (const { id, at, previous } of uses) if (previous) lastUsed.set(id, at);
          await right.recordUse(uses);
        },
        update: (id, change, version) => {
          const lastUsedAt = lastUsed.get(id);
          const previous = change.previous && lastUsedAt && { ...change.previous, lastUsedAt };
          return right.update(id, previous ? { ...change, previous } : change, version);
        },
      };
    },
    noticedBy: ['recordUse: of an old key that there is not is not seen at the next one'],
  },
  {
    wrong: 'writes uses of revoked keys',
    with: using((right, { id, at }) => right.edit(id, { lastUsedAt: at })),
    noticedBy: ['recordUse: passes over revoked records'],
  },
  {
    wrong: 'writes uses of good keys only',
    with: using(async (right, use) => {
      if ((await right.findById(use.id))?.enabled) await right.recordUse([use]);
    }),
    noticedBy: ['recordUse: does not pass over disabled and expired records'],
  },
  {
    wrong: 'makes a record for a use',
    with: using(async (right, use) => {
      const { id } = use;
      if (!(await right.findById(id)))
        await right.insert(keyRecord({ id, digest: digestOf(id), organization: { id: 'org_1' } }));
      await right.recordUse([use]);
    }),
    noticedBy: [
      'recordUse: passes over ids that no record has, and makes none',
      'delete: a later recordUse makes nothing',
    ],
  },
  {
    wrong: 'stops at the first use that cannot be written',
    with: (right) => ({
      recordUse: async (uses) => {
        for (const use of uses) {
          const record = await right.findById(use.id);
          if (record === undefined || record.revokedAt !== undefined) return;
          await right.recordUse([use]);
        }
      },
    }),
    noticedBy: ['recordUse: what is passed over does not keep back the rest'],
  },
  {
    wrong: 'writes 100 uses of a call',
    with: (right) => ({ recordUse: (uses) => right.recordUse(uses.slice(0, 100)) }),
    noticedBy: ['recordUse: takes many uses at once, each with its own time'],
  },
  {
    wrong: 'takes no uses for uses of all',
    with: (right) => ({
      recordUse: async (uses) => {
        const at = new Date('2026-09-01');
        const all = (await right.all()).map(({ id }) => ({ id, at, previous: false }));
        await right.recordUse(uses.length === 0 ? all : uses);
      },
    }),
    noticedBy: ['recordUse: does nothing with no uses'],
  },
  {
    wrong: 'looks at the version, and writes later',
    with: (right) => ({
      update: async (id, change, version) => {
        if ((await right.findById(id))?.version !== version) return undefined;
        await pause();
        const record = await right.findById(id);
        return record && right.update(id, change, record.version);
      },
    }),
    noticedBy: [
      'at once: of 50 updates with one version one goes through',
      'at once: of 50 updates by two clients with one version one goes through',
      'at once: no change is lost where all try until they go through',
    ],
  },
  {
    wrong: 'refuses an update while another one runs',
    with: (right) => {
      let isBusy = false;
      return {
        update: async (id, change, version) => {
          if (isBusy) return undefined;
          isBusy = true;
          await pause();
          isBusy = false;
          return right.update(id, change, version);
        },
      };
    },
    noticedBy: ['at once: updates of 50 records do not come in the way of each other'],
  },
  {
    wrong: 'writes a record in two steps',
    with: (right) => ({
      update: async (id, change, version) => {
        const { scopes, ...rest } = change;
        const answer = await right.update(id, rest, version);
        await pause();
        if (answer && scopes) await right.edit(id, { scopes });
        return answer && right.findById(id);
      },
    }),
    noticedBy: ['at once: a reader sees a record before or after a change, and nothing between'],
  },
  {
    wrong: 'reads a record, and writes it back with the use',
    with: using(async (right, { id, at }) => {
      const record = await right.findById(id);
      await pause();
      if (record) await right.edit(id, { ...record, lastUsedAt: at });
    }),
    noticedBy: [
      'at once: recordUse takes nothing back of an update',
      'at once: recordUse takes no revocation back',
    ],
  },
  {
    wrong: 'tells the version that was',
    with: telling((told) => (told.type === 'narrowed' ? { ...told, version: told.version - 1 } : told)),
    noticedBy: [
      'watch: tells of an update that narrows, with the new version',
      'watch: tells of a delete that the key has ended, with a version above its last',
      'watch: tells of what another client does',
    ],
  },
  {
    wrong: 'does not say that a key has ended',
    with: telling((told) => (told.type === 'narrowed' ? { ...told, ended: false } : told)),
    noticedBy: ['watch: tells of a revocation that the key has ended'],
  },
  {
    wrong: 'tells of every update',
    with: (right) => ({
      update: (id, change, version) => right.update(id, { ...change, narrows: true }, version),
    }),
    noticedBy: ['watch: does not tell of an update that does not narrow'],
  },
  {
    wrong: 'tells of inserts',
    with: alsoTelling((tell) => (right) => ({
      insert: async (record) => {
        await right.insert(record);
        tell(record.id);
      },
    })),
    noticedBy: ['watch: does not tell of an insert'],
  },
  {
    wrong: 'tells of an update before it has looked whether there is one',
    with: alsoTelling((tell) => (right) => ({
      update: (id, change, version) => {
        tell(id);
        return right.update(id, change, version);
      },
    })),
    noticedBy: [
      'watch: does not tell of an update that found nothing, or was refused',
      'watch: what is told of can be read',
    ],
  },
  {
    wrong: 'tells of uses',
    with: alsoTelling((tell) => (right) => ({
      recordUse: async (uses) => {
        await right.recordUse(uses);
        for (const { id } of uses) tell(id);
      },
    })),
    noticedBy: ['watch: does not tell of a use'],
  },
  {
    wrong: 'has no heartbeat',
    with: telling((told) => (told.type === 'alive' ? undefined : told)),
    noticedBy: ['watch: says within 3 s that it is alive'],
  },
  {
    wrong: 'tells one listener only',
    with: (right) => {
      let isTaken = false;
      return {
        watch: (onChange) => {
          const isFirst = !isTaken;
          isTaken = true;
          return right.watch((told) => (isFirst ? onChange(told) : undefined));
        },
      };
    },
    noticedBy: ['watch: tells all who listen'],
  },
  {
    wrong: 'cannot be stopped',
    with: (right) => ({
      watch: async (onChange) => {
        await right.watch(onChange);
        return async () => undefined;
      },
    }),
    noticedBy: ['watch: tells nothing more to one who stopped, and goes on telling the others'],
  },
  {
    wrong: 'cannot be stopped twice',
    throws: 'Error',
    with: (right) => ({
      watch: async (onChange) => {
        const stop = await right.watch(onChange);
        let isStopped = false;
        return async () => {
          if (isStopped) throw new Error('not listening');
          isStopped = true;
          await stop();
        };
      },
    }),
    noticedBy: ['watch: may be stopped twice'],
  },
  {
    wrong: 'lets a listener throw into the write',
    with: alsoTelling((tell) => (right) => ({
      update: async (id, change, version) => {
        const answer = await right.update(id, change, version);
        if (answer) tell(id);
        return answer;
      },
    })),
    noticedBy: ['watch: a listener that throws spoils neither the write nor what others hear'],
  },
  {
    wrong: 'every client has records of its own',
    with: () => delegate(new RightStore()),
    noticedBy: [
      'two clients: the second finds all that the first has written',
      'two clients: what the first has taken is taken for the second',
    ],
  },
  {
    wrong: 'every client keeps what it has read',
    with: (right) => {
      const read = new Map<string, ReturnType<RightStore['findById']>>();
      return {
        findById: (id) => {
          const found = read.get(id) ?? right.findById(id);
          read.set(id, found);
          return found;
        },
      };
    },
    noticedBy: ['two clients: each reads at once what the other has changed'],
  },
  {
    wrong: 'cannot be closed twice',
    with: () => {
      let isClosed = false;
      return {
        close: async () => {
          if (isClosed) throw new Error('closed already');
          isClosed = true;
        },
      };
    },
    noticedBy: ['close: resolves, and a second time too'],
  },
  {
    wrong: 'cannot be closed before it was used',
    with: (right) => ({
      close: async () => {
        if ((await right.all()).length === 0) throw new Error('nothing was opened');
      },
    }),
    noticedBy: ['close: resolves in a store that was never used', 'close: resolves while somebody listens'],
  },
  {
    wrong: 'closes a connection that others use',
    with: (right) => ({
      findById: async (id) => {
        if (closed.has(right)) throw new Error('the connection is closed');
        return right.findById(id);
      },
      close: async () => {
        closed.add(right);
      },
    }),
    noticedBy: ['close: leaves another client as it is'],
  },
];
