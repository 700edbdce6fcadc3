// Requests to a middleware in this process, which tell how they were answered.
import { plainRequests } from '../../bench/requests.mjs';

/** What a key that is not accepted is answered, whatever is wrong with it. */
export const REFUSAL = JSON.stringify({
  type: 'about:blank',
  title: 'Unauthorized',
  status: 401,
  detail: 'The API key is not valid.',
  code: 'invalid_token',
});

/**
 * One request for each text, all of them begun before the first is waited for.
 *
 * @param {import('express').RequestHandler} auth
 * @param {readonly string[]} texts
 * @param {string} [address] - where they come from
 * @returns {Promise<{ status: number, body: string, wasAtOnce: boolean }>[]}
 */
export function askAtOnce(auth, texts, address) {
  return plainRequests(texts).map(({ req, res }) => askOne(auth, Object.assign(req, { ip: address }), res));
}

function askOne(auth, req, res) {
  return new Promise((resolve) => {
    let hasReturned = false;
    const answer = (status, body) => resolve({ status, body, wasAtOnce: !hasReturned });
    res.end = (body) => answer(res.statusCode, body);
    auth(req, res, () => answer(200, ''));
    hasReturned = true;
  });
}

/** How often each status was answered. */
export function countStatuses(answers) {
  const counts = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
