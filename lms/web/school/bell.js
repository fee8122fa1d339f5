/** Hears by WebSocket that something of a class is new, while the page is in sight; without it the page just looks. */

/** @import { Api } from './api.js' */

const PATH = '/api/v1/ws';
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 60_000;
/** A whole school hears at once that a class begins, and need not ask at once. */
const SPREAD_MS = 700;
/** The token has run out, or none came: get another one first. */
const TOKEN_CODES = new Set([4401, 4403]);

export class Bell {
  /** @type {WebSocket|null} */
  #socket = null;
  #isWanted = false;
  #pauseMs = FIRST_PAUSE_MS;
  #timer = 0;
  #ringing = 0;

  /**
   * @param {Api} api
   * @param {() => void} ring
   */
  constructor(api, ring) {
    this.api = api;
    this.ring = ring;
    document.addEventListener('visibilitychange', () => this.#adjust());
  }

  start() {
    this.#isWanted = true;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#adjust();
  }

  stop() {
    this.#isWanted = false;
    this.#adjust();
  }

  #adjust() {
    const isNeeded = this.#isWanted && document.visibilityState === 'visible';
    clearTimeout(this.#timer);
    if (isNeeded && this.#socket === null) this.#open();
    if (!isNeeded) {
      clearTimeout(this.#ringing);
      this.#socket?.close();
    }
  }

  #open() {
    const socket = new WebSocket(location.origin.replace(/^http/, 'ws') + PATH);
    this.#socket = socket;
    socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'auth' })));
    socket.addEventListener('message', ({ data }) => {
      const { type } = JSON.parse(data);
      if (type === 'welcome') this.#pauseMs = FIRST_PAUSE_MS;
      if (type.startsWith('class:')) this.#hear();
    });
    socket.addEventListener('close', ({ code }) => {
      if (this.#socket === socket) this.#socket = null;
      if (!this.#isWanted || document.visibilityState !== 'visible') return;
      this.#timer = setTimeout(() => void this.#again(code), this.#pauseMs * (0.5 + Math.random()));
      this.#pauseMs = Math.min(2 * this.#pauseMs, LAST_PAUSE_MS);
    });
  }

  /** @param {number} code */
  async #again(code) {
    if (TOKEN_CODES.has(code)) {
      try {
        await this.api.get('/auth/me');
      } catch {
        // Whoever is logged out is told so by the API; a server that is away is tried again.
      }
    }
    this.#adjust();
  }

  #hear() {
    clearTimeout(this.#ringing);
    this.#ringing = setTimeout(this.ring, Math.random() * SPREAD_MS);
  }
}
