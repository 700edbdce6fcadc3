// Clocks that are set, machines that sleep and a process that was stopped.
import { jwtAfterSteps } from './clock-jwt.mjs';
import { clockSchedules } from './clock-schedules.mjs';
import { frozenProcess } from './frozen-process.mjs';

/**
 * @param {import('../parts.mjs').Plan} plan
 * @returns {Promise<import('../parts.mjs').Row[]>}
 */
export async function run(plan) {
  return [await clockSchedules(plan), await jwtAfterSteps(), ...(await frozenProcess(plan))];
}
