import { StoreUnavailableError } from '../errors.ts';
import type { SendCommand } from './redis-client.ts';
import type { RedisScript } from './redis-scripts.ts';

/** What a script answers: a word first, then texts. */
export type ScriptAnswer = readonly [string, ...string[]];

/** The names that a script touches. */
export type ScriptNames = readonly [string, ...string[]];

/** The words of scripts that are about the server. */
const PROBLEMS: Readonly<Record<string, string>> = {
  volatile:
    'this Redis forgets what it has acknowledged, revocations too, when it is killed: set `appendonly yes`, and ' +
    '`appendfsync everysec` or `always`; or give { durable: false } if its keys may be lost and come back',
  evicting:
    'this Redis deletes keys when its memory is full: set `maxmemory-policy noeviction`, or give { durable: false }',
  unknown:
    'this Redis does not say whether it is append-only, because INFO is forbidden: allow it, or, where you know that ' +
    'nothing is lost, give { durable: false }',
};

/** A Redis, asked at every script whether it keeps what it acknowledges. */
export class RedisServer {
  readonly #send: SendCommand;
  readonly #durable: boolean;
  #isInspected = false;

  constructor(send: SendCommand, durable: boolean) {
    this.#send = send;
    this.#durable = durable;
  }

  /**
   * @param inspect - whether it is also asked if it evicts, which takes longer; the first script asks it in any case
   * @throws StoreUnavailableError where the server is refused
   */
  async run(
    script: RedisScript,
    names: ScriptNames,
    values: readonly string[],
    { inspect = false }: { readonly inspect?: boolean } = {},
  ): Promise<ScriptAnswer> {
    const asksAll = inspect || !this.#isInspected;
    const demand = this.#durable ? (asksAll ? '2' : '1') : '0';
    const answer = await runScript(this.#send, script, names, [demand, ...values]);
    const problem = PROBLEMS[answer[0]];
    if (asksAll) this.#isInspected = problem === undefined;
    if (problem !== undefined) throw new StoreUnavailableError(`RedisKeyStore: ${problem}.`);
    // It may be a record that was deleted from outside: what is left says nothing of it.
    if (answer[0] === 'gone') throw new Error('RedisKeyStore: an index names a record that is not there');
    return answer;
  }
}

/**
 * Runs a script by its hash, and by its text where the server does not know it yet, as after a restart.
 *
 * @throws Error where the answer has another form than scripts have
 */
async function runScript(
  send: SendCommand,
  { sha, text }: RedisScript,
  keys: ScriptNames,
  values: readonly string[],
): Promise<ScriptAnswer> {
  const rest = [String(keys.length), ...keys, ...values];
  const answer = await send(keys[0], ['EVALSHA', sha, ...rest]).catch((error: unknown) => {
    if (!isUnknownScript(error)) throw error;
    return send(keys[0], ['EVAL', text, ...rest]);
  });
  if (isAnswer(answer)) return answer;
  throw new TypeError('RedisKeyStore: the client must answer with texts, and not with buffers or maps');
}

function isUnknownScript(error: unknown): boolean {
  return String((error as { message?: unknown } | null)?.message).startsWith('NOSCRIPT');
}

function isAnswer(answer: unknown): answer is ScriptAnswer {
  return Array.isArray(answer) && answer.length > 0 && answer.every((part) => typeof part === 'string');
}
