// Floods: of texts that are no keys, of unknown keys, of requests that never end, of secrets, of one key at one moment.
import { bcryptFlood } from './bcrypt-flood.mjs';
import { coldBursts } from './cold-bursts.mjs';
import { halfOpenClients } from './half-open.mjs';
import { secretFlood } from './secret-flood.mjs';
import { textFlood } from './text-flood.mjs';
import { unknownFlood } from './unknown-flood.mjs';

/** Below it, a flood of bcrypt would be over before it has begun, and its goals are times. */
const LEAST_SCALE_OF_BCRYPT = 0.02;

/**
 * @param {import('../parts.mjs').Plan} plan
 * @returns {Promise<import('../parts.mjs').Row[]>}
 */
export async function run(plan) {
  const rows = [
    ...(await textFlood(plan)),
    ...(await unknownFlood(plan)),
    await halfOpenClients(plan),
    ...(await coldBursts(plan)),
    ...(await secretFlood(plan)),
  ];
  if (plan.scale >= LEAST_SCALE_OF_BCRYPT) rows.push(await bcryptFlood(plan));
  return rows;
}
