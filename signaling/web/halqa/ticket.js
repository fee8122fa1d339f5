/** Where the room is and what opens it: address and token, renewed before it runs out if somebody gives others. */

import { HalqaError } from './errors.js';
import { readClaims } from './token.js';

/** Before the token runs out. */
const REFRESH_LEAD_MS = 60_000;
/** What setTimeout takes. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export class Ticket {
  url = '';
  token = '';
  #timer = 0;

  /**
   * @param {(() => string|Promise<string>)|undefined} getToken
   * @param {() => void} renewed  another token is here before the old one ran out
   */
  constructor(getToken, renewed) {
    this.getToken = getToken;
    this.renewed = renewed;
  }

  /** @returns {boolean} */
  get isRenewable() {
    return this.getToken !== undefined;
  }

  /**
   * @param {string} url  absolute, or relative to the present one
   * @param {string} [token]  the present one is good there too if left out
   */
  change(url, token) {
    this.url = this.url === '' ? url : new URL(url, this.url).href;
    if (token) this.#take(token);
  }

  /**
   * Get another token now.
   * @returns {Promise<void>} rejected with HalqaError
   */
  async renew() {
    if (!this.getToken) throw new HalqaError('token_expired', 'the token ran out');
    try {
      this.#take(await this.getToken());
    } catch (cause) {
      throw new HalqaError('unreachable', 'no fresh token was given', { cause });
    }
  }

  close() {
    clearTimeout(this.#timer);
  }

  /** @param {string} token */
  #take(token) {
    this.token = token;
    clearTimeout(this.#timer);
    const expiresAt = readClaims(token)?.expiresAt?.getTime();
    if (!this.isRenewable || expiresAt === undefined) return;
    const delay = Math.max(expiresAt - Date.now() - REFRESH_LEAD_MS, REFRESH_LEAD_MS / 2);
    this.#timer = setTimeout(() => this.#renewEarly(), Math.min(delay, TIMER_MAX_MS));
  }

  async #renewEarly() {
    try {
      await this.renew();
      this.renewed();
    } catch (error) {
      console.warn('halqa: no fresh token', error);  // asked again when the server ends our stay
    }
  }
}
