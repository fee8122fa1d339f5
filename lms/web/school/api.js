/** The API of the school: who is logged in stays so, in however many tabs, and every failure is one of few kinds. */

/** @import { Language } from './language.js' */
/** @import { Myself } from './types.js' */

const ROOT = '/api/v1';
const TIMEOUT_MS = 20_000;
const RENEWED_BEFORE_MS = 60_000;
const LOCK = 'halqa.renew';
/** When the access token ends, for all tabs: ms since 1970 by this computer's clock; absent: nobody is logged in. */
const ENDS_KEY = 'halqa.ends';

/** Why a request failed: `code` is the server's, or `away` (no answer) or `logged_out`. */
export class ApiError extends Error {
  /**
   * @param {string} code
   * @param {string} message  for people
   * @param {number} [waitS]  how long to wait before the next try
   */
  constructor(code, message, waitS = 0) {
    super(message);
    this.code = code;
    this.waitS = waitS;
  }
}

/** Events: `out` (the login has ended, here or in another tab), `in` (in another tab), `away`, `back`. */
export class Api extends EventTarget {
  #isAway = false;
  /** How much this computer's clock is ahead of the server's. */
  #aheadMs = 0;

  /** @param {Language} language  in which the server speaks */
  constructor(language) {
    super();
    this.language = language;
    // Other tabs tell by what they keep; this event comes to all but the one that wrote.
    window.addEventListener('storage', ({ key, newValue, oldValue }) => {
      if (key !== ENDS_KEY) return;
      if (newValue === null) this.dispatchEvent(new Event('out'));
      else if (oldValue === null) this.dispatchEvent(new Event('in'));
    });
  }

  /** Whether somebody seems to be logged in: the cookies are not ours to see. */
  get isIn() {
    return localStorage.getItem(ENDS_KEY) !== null;
  }

  /**
   * @param {{login: string, password: string, organization: string|null}} who
   * @returns {Promise<Myself>}
   */
  async logIn(who) {
    const { expires_at, me } = await this.#send('POST', '/auth/login', { ...who, cookies: true });
    this.#keepEnd(expires_at);
    return me;
  }

  async logOut() {
    localStorage.removeItem(ENDS_KEY);
    await this.#send('POST', '/auth/logout', {});
  }

  /**
   * @param {string} path  below /api/v1
   * @param {Record<string, string>} [query]
   * @returns {Promise<any>} `data` of the answer
   * @throws {ApiError}
   */
  async get(path, query = {}) {
    const parameters = new URLSearchParams(query).toString();
    return this.#ask('GET', parameters ? `${path}?${parameters}` : path);
  }

  /**
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<any>}
   * @throws {ApiError}
   */
  async post(path, body) {
    return this.#ask('POST', path, body);
  }

  /**
   * @param {string} path
   * @param {object} body
   * @returns {Promise<any>}
   * @throws {ApiError}
   */
  async change(path, body) {
    return this.#ask('PATCH', path, body);
  }

  /**
   * Ask for something that needs no login.
   * @param {string} path
   * @param {object} body
   * @returns {Promise<any>}
   * @throws {ApiError}
   */
  async ask(path, body) {
    return this.#send('POST', path, body);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   */
  async #ask(method, path, body) {
    if (this.#endsIn() < RENEWED_BEFORE_MS) await this.#renew(localStorage.getItem(ENDS_KEY));
    const shown = localStorage.getItem(ENDS_KEY);
    try {
      return await this.#send(method, path, body);
    } catch (error) {
      if (!(error instanceof ApiError) || !['not_signed_in', 'bad_token'].includes(error.code)) throw error;
      await this.#renew(shown);
      return this.#send(method, path, body);
    }
  }

  /**
   * Renew the login; of tabs that wake up at once one does it, and the others take what it got.
   * @param {string|null} shown  what the end was when we saw that it is time
   */
  async #renew(shown) {
    const renew = async () => {
      if (localStorage.getItem(ENDS_KEY) !== shown && this.#endsIn() > RENEWED_BEFORE_MS) return;
      try {
        const { expires_at } = await this.#send('POST', '/auth/refresh', {});
        this.#keepEnd(expires_at);
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 'bad_refresh_token') throw error;
        localStorage.removeItem(ENDS_KEY);
        this.dispatchEvent(new Event('out'));
        throw new ApiError('logged_out', this.language.text('error.logged_out'));
      }
    };
    // Without HTTPS there are no locks; then the server's grace for tokens that were just used has to do.
    if (navigator.locks === undefined) await renew();
    else await navigator.locks.request(LOCK, renew);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   */
  async #send(method, path, body) {
    /** @type {Record<string, string>} */
    const headers = { 'Accept-Language': this.language.current };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    let response;
    let answer = null;
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const content = body === undefined ? undefined : JSON.stringify(body);
      response = await fetch(ROOT + path, { method, headers, body: content, signal, credentials: 'same-origin' });
      const text = await response.text();
      if (text !== '') answer = JSON.parse(text);
    } catch {  // no connection, no answer in time, or something between us that speaks no JSON
      throw this.#away();
    }
    if (response.status >= 502 && answer?.error?.code === undefined) throw this.#away();
    this.#setAway(false);
    const now = Date.parse(response.headers.get('Date') ?? '');
    if (!Number.isNaN(now)) this.#aheadMs = Date.now() - now;
    if (response.ok) return answer?.data;
    const waitS = Number(response.headers.get('Retry-After') ?? 0) || 0;
    throw new ApiError(answer.error.code, answer.error.message, waitS);
  }

  #away() {
    this.#setAway(true);
    return new ApiError('away', this.language.text('error.away'));
  }

  /** @param {boolean} isAway */
  #setAway(isAway) {
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    this.dispatchEvent(new Event(isAway ? 'away' : 'back'));
  }

  #endsIn() {
    const ends = localStorage.getItem(ENDS_KEY);
    return ends === null ? Infinity : Number(ends) - Date.now();
  }

  /** @param {string} expiresAt */
  #keepEnd(expiresAt) {
    localStorage.setItem(ENDS_KEY, String(Date.parse(expiresAt) + this.#aheadMs));
  }
}
