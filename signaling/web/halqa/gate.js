/** Whoever asks while the connection is gone waits here until it is back, but not for ever. */

import { HalqaError } from './errors.js';

/** As long as the server keeps our place. */
const PATIENCE_MS = 60_000;

export class Gate {
  /** @type {Set<(error: HalqaError|null) => void>} */
  #waiting = new Set();

  /** @returns {Promise<void>} resolved by `open`, rejected by `close` and after a minute */
  pass() {
    return new Promise((resolve, reject) => {
      const settle = (/** @type {HalqaError|null} */ error) => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        if (error === null) resolve();
        else reject(error);
      };
      const timer = setTimeout(() => settle(new HalqaError('timeout', 'the connection is gone')), PATIENCE_MS);
      this.#waiting.add(settle);
    });
  }

  /** Let through who waits now. */
  open() {
    for (const settle of [...this.#waiting]) settle(null);
  }

  /** It is over: refuse who waits now. */
  close() {
    for (const settle of [...this.#waiting]) settle(new HalqaError('closed', 'the room is closed'));
  }
}
