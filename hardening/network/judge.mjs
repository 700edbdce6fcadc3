// Whether the answers to requests are those that a failing store leaves room for.

/**
 * A key that requests carry, and what is known of it.
 *
 * @typedef {object} Subject
 * @property {string} key
 * @property {string} id
 * @property {'good' | 'refused' | 'perhaps'} state - 'perhaps': a change is under way, or has failed and may have been made
 * @property {number} turns - how often its state has changed
 *
 * @typedef {object} Answer
 * @property {number | string} status - or what broke the connection
 * @property {Record<string, unknown>} headers
 * @property {string} body
 */

/** The store's deadline, twice for those who had to wait for a place, and slack for a busy machine. */
const LONGEST_MS = 5_000;

const MAX_PROBLEMS = 10;

/** @returns {Subject} */
export function newSubject(key, id, state = 'good') {
  return { key, id, state, turns: 0 };
}

export function turnTo(subject, state) {
  subject.state = state;
  subject.turns += 1;
}

/** Counts answers, and says which of them must not have been given. */
export class Judge {
  statuses = {};
  answers = 0;
  falseAccepts = 0;
  falseRefusals = 0;
  longestMs = 0;
  /** @type {string[]} */
  problems = [];
  #again;

  #longestMs;

  /** @param {string} again - what is needed to have a problem again */
  constructor(again, slack = 1) {
    this.#again = again;
    this.#longestMs = LONGEST_MS * slack;
  }

  problem(text) {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(`${text} (${this.#again})`);
  }

  /** What must be told to {@link answered} of the moment when a request is sent. */
  asked(subject) {
    return { subject, state: subject.state, turns: subject.turns };
  }

  /** How long the application had a request. */
  took(ms, status) {
    this.longestMs = Math.max(this.longestMs, ms);
    if (ms > this.#longestMs) this.problem(`an answer ${status} took ${Math.round(ms)} ms`);
  }

  /** @param {Answer} answer */
  answered({ subject, state, turns }, answer) {
    const { status } = answer;
    this.answers += 1;
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
    // A key whose state has changed in between may have been judged by either.
    const known = subject.turns === turns ? state : 'perhaps';
    if (status === 200) this.#accepted(subject, known, answer);
    else if (status === 401) this.#refused(subject, known);
    else if (status === 503) this.#unavailable(answer);
    else this.problem(`status ${status} for a key that is ${known}`);
  }

  #accepted(subject, known, { body }) {
    const { id } = JSON.parse(body);
    if (id !== subject.id) {
      this.falseAccepts += 1;
      this.problem(`key ${subject.id} was answered as ${id}`);
    } else if (known === 'refused') {
      this.falseAccepts += 1;
      this.problem(`key ${subject.id}, which is to be refused, was accepted`);
    }
  }

  #refused({ id }, known) {
    if (known !== 'good') return;
    this.falseRefusals += 1;
    this.problem(`key ${id} is good, and was refused`);
  }

  #unavailable({ headers }) {
    if (headers['retry-after'] === undefined) this.problem('a 503 without Retry-After');
    if (headers['www-authenticate'] !== undefined) this.problem('a 503 with a challenge');
  }

  /** @returns {import('../parts.mjs').Row} */
  row(name, gauges, details) {
    const { answers, falseAccepts, falseRefusals, statuses, longestMs, problems } = this;
    const counts = Object.entries(statuses).map(([status, count]) => `${count} x ${status}`);
    return {
      name,
      iterations: answers,
      falseAccepts,
      falseRefusals,
      ...gauges,
      details: [...counts, `longest ${Math.round(longestMs)} ms`, ...details].join(', '),
      problems,
    };
  }
}
