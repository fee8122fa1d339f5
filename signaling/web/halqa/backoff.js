/** How long to wait between tries: at once, then 0.3 s, doubling up to 5 s, each a little different for everybody. */

const FIRST_MS = 300;
const LONGEST_MS = 5000;
/** Of the delay, to either side: a class whose server comes back must not knock in step. */
const JITTER = 0.25;

/**
 * @param {number} attempt  0 is the first
 * @param {() => number} [random]  0 to 1
 * @returns {number} milliseconds before this attempt
 */
export function delayBefore(attempt, random = Math.random) {
  if (attempt === 0) return 0;
  const delay = Math.min(LONGEST_MS, FIRST_MS * 2 ** (attempt - 1));
  return delay * (1 + JITTER * (2 * random() - 1));
}
