import type { ErrorCode } from '../errors.ts';
import type { ApiKey } from '../keys/api-key.ts';

/** How a request passed an authenticator. */
export interface Pass {
  /** `undefined` where an anonymous request was let pass. */
  readonly apiKey: ApiKey | undefined;
  readonly voice: ChallengeVoice;
}

/** What that authenticator would have a client send. */
export interface ChallengeVoice {
  challenges(code: ErrorCode, scope?: string): readonly string[];
}

interface RequestWithLines {
  readonly rawHeaders: readonly string[];
}

/** What a constructor returns is what its subclass adds its members to. */
class GivenObject {
  constructor(given: object) {
    // biome-ignore lint/correctness/noConstructorReturn: it is the one way to give another's object a private member
    return given;
  }
}

/**
 * Where the pass of a request is kept: in a private member of its list of header lines. What stands on `req.apiKey` could
 * have been put there by anybody, so that is for the application to read and decides nothing; this nobody else can write
 * or see. A WeakMap of requests would serve as well, but took 0.6 us for each, as much as SHA-256; and a member of the
 * request itself would be a second property on it, which costs 2.5 us under Express on Node 20.
 */
class PassedLines extends GivenObject {
  #req: object;
  #pass: Pass;

  constructor(lines: object, req: object, pass: Pass) {
    super(lines);
    this.#req = req;
    this.#pass = pass;
  }

  static note(lines: object, req: object, pass: Pass): boolean {
    if (!(#pass in lines)) {
      new PassedLines(lines, req, pass);
      return false;
    }
    const isSecond = lines.#req === req;
    lines.#req = req;
    lines.#pass = pass;
    return isSecond;
  }

  /** The request is compared, so that whoever hands the list to another request hands over no key. */
  static read(lines: object, req: object): Pass | undefined {
    return #pass in lines && lines.#req === req ? lines.#pass : undefined;
  }
}

/** @returns whether the request had passed an authenticator before */
export function notePass(req: RequestWithLines, pass: Pass): boolean {
  return PassedLines.note(req.rawHeaders, req, pass);
}

/** `undefined` where no authenticator ran. */
export function passOf(req: object): Pass | undefined {
  const { rawHeaders } = req as Partial<RequestWithLines>;
  return rawHeaders === undefined ? undefined : PassedLines.read(rawHeaders, req);
}
