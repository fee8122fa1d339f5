/** The WebSocket: requests find their replies by id, everything heard goes to one listener, silence is noticed. */

import { diagnose, webSocketAddress } from './address.js';
import { closeReason, HalqaError } from './errors.js';
import { Emitter } from './events.js';

const PROTOCOL = 'halqa.v1';
const OPEN_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Below the 30-60 s after which proxies and mobile networks forget an idle connection. */
const PING_INTERVAL_MS = 10_000;
/** Pings in a row without hearing anything; counted, not timed, so that a laptop waking from sleep gets a chance. */
const UNANSWERED_PINGS_MAX = 2;
/** Where there is a reason to doubt the connection: longer than any living network takes for a round trip. */
const PROBE_TIMEOUT_MS = 3000;
/** A close code of ours that says nothing to the server but that the connection is gone: it keeps our place. */
const DROPPED_CODE = 4900;

/** @typedef {{type: string, re?: number, seq?: number} & Record<string, any>} ServerMessage */
/** @typedef {{resolve: (reply: ServerMessage) => void, reject: (error: HalqaError) => void, timer: number}} Pending */

/** One connection at a time; after a `close`, open() makes the next.
 * @extends {Emitter<{message: ServerMessage, close: {reason: string, closeCode: number}}>}
 */
export class Signal extends Emitter {
  /** @type {WebSocket|null} */
  #socket = null;
  #nextId = 1;
  /** @type {Map<number, Pending>} */
  #pending = new Map();
  #unansweredPings = 0;
  #pingTimer = 0;
  #heard = 0;

  /**
   * Resolve once the socket is open. The token goes into a subprotocol: a URL would end up in logs.
   * @param {string} address
   * @param {string} token
   * @returns {Promise<void>} rejected with HalqaError
   */
  async open(address, token) {
    const socket = new WebSocket(webSocketAddress(address), [PROTOCOL, `bearer.${token}`]);
    this.#socket = socket;
    this.#unansweredPings = 0;
    socket.onmessage = (event) => this.#receive(event.data);
    /** @type {'open'|'refused'|'silent'} */
    const outcome = await new Promise((resolve) => {
      const timer = setTimeout(() => resolve('silent'), OPEN_TIMEOUT_MS);
      const settle = (/** @type {'open'|'refused'} */ how) => {
        clearTimeout(timer);
        resolve(how);
      };
      socket.addEventListener('open', () => settle('open'));
      socket.addEventListener('close', () => settle('refused'));
    });
    if (this.#socket !== socket) {
      socket.close(DROPPED_CODE);
      throw new HalqaError('closed', 'closed while connecting');
    }
    if (outcome !== 'open') {
      this.#socket = null;
      socket.close();
      if (outcome === 'silent') throw new HalqaError('timeout', `no WebSocket within ${OPEN_TIMEOUT_MS} ms`);
      throw await diagnose(address, token);
    }
    socket.onclose = (event) => this.#finish(event.code);
    this.#pingTimer = setInterval(() => this.#ping(), PING_INTERVAL_MS);
  }

  /** @returns {boolean} */
  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /**
   * Send a message and wait for the message that carries its id. Listeners of `message` see the reply first.
   * @param {string} type
   * @param {Record<string, unknown>} [fields]
   * @param {number} [timeoutMs]
   * @returns {Promise<ServerMessage>} rejected with the server's `error`, `timeout`, `interrupted` or `closed`
   */
  request(type, fields = {}, timeoutMs = REQUEST_TIMEOUT_MS) {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) {
        reject(new HalqaError('interrupted', `"${type}" was not sent: the connection is gone`));
        return;
      }
      const id = this.#nextId++;
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new HalqaError('timeout', `the server did not answer "${type}" within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(id, { resolve, reject, timer });
      this.#socket?.send(JSON.stringify({ type, id, ...fields }));
    });
  }

  /** The server said that the answers will take as long as somebody takes to decide: no time-out for what is asked. */
  beWaiting() {
    for (const { timer } of this.#pending.values()) clearTimeout(timer);
  }

  /**
   * Send without waiting for an answer; dropped if the connection is closed.
   * @param {string} type
   * @param {Record<string, unknown>} [fields]
   */
  notify(type, fields = {}) {
    if (this.isOpen) this.#socket?.send(JSON.stringify({ type, ...fields }));
  }

  /** There is a reason to doubt the connection: ask for a sign of life, and give it up without one. */
  probe() {
    const heard = this.#heard;
    const socket = this.#socket;
    if (!this.isOpen) return;
    this.notify('ping', { t: Math.round(performance.now()) });
    setTimeout(() => {
      if (this.#socket === socket && this.#heard === heard) this.drop();
    }, PROBE_TIMEOUT_MS);
  }

  /** Give the connection up as if the network had cut it. */
  drop() {
    const socket = this.#socket;
    this.#finish(1006);
    socket?.close(DROPPED_CODE);
  }

  /** Close for good, without a `close` event. */
  close() {
    const socket = this.#socket;
    this.#stop(new HalqaError('closed', 'the room was closed'));
    socket?.close(1000);
  }

  /** @param {unknown} text */
  #receive(text) {
    this.#unansweredPings = 0;
    this.#heard += 1;
    const message = parseMessage(text);
    if (message === null) {
      console.warn('halqa: a message that is no JSON object with a type was dropped');
      return;
    }
    const { re } = message;
    // `waiting` carries the number too, but the answer is what comes when somebody has decided.
    const pending = re === undefined || message.type === 'waiting' ? undefined : this.#pending.get(re);
    if (pending && re !== undefined) {
      this.#pending.delete(re);
      clearTimeout(pending.timer);
    }
    if (message.type === 'error' && pending) {
      pending.reject(new HalqaError(message.code, message.message));
      return;
    }
    this.emit('message', message);
    pending?.resolve(message);
  }

  #ping() {
    if (this.#unansweredPings >= UNANSWERED_PINGS_MAX) {
      this.drop();
      return;
    }
    this.#unansweredPings += 1;
    this.notify('ping', { t: Math.round(performance.now()) });
  }

  /** @param {number} closeCode */
  #finish(closeCode) {
    if (this.#socket === null) return;
    const reason = closeReason(closeCode);
    this.#stop(new HalqaError('interrupted', `the connection ended: ${reason}`));
    this.emit('close', { reason, closeCode });
  }

  /** @param {HalqaError} error  for whom waits for an answer */
  #stop(error) {
    clearInterval(this.#pingTimer);
    if (this.#socket) this.#socket.onmessage = null;
    if (this.#socket) this.#socket.onclose = null;
    this.#socket = null;
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#pending.clear();
  }
}

/**
 * @param {unknown} text
 * @returns {ServerMessage|null}
 */
function parseMessage(text) {
  try {
    const message = JSON.parse(/** @type {string} */ (text));
    return typeof message?.type === 'string' ? message : null;
  } catch {
    return null;
  }
}
