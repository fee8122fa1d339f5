/** The WebSocket: requests find their replies by id, everything heard goes to one listener, silence is noticed. */

import { diagnose, webSocketAddress } from './address.js';
import { closeReason, HalqaError } from './errors.js';
import { Emitter } from './events.js';

const PROTOCOL = 'halqa.v1';
const REQUEST_TIMEOUT_MS = 10_000;
/** Below the 30-60 s after which proxies and mobile networks forget an idle connection. */
const PING_INTERVAL_MS = 10_000;
/** Pings in a row without hearing anything; counted, not timed, so that a laptop waking from sleep gets a chance. */
const UNANSWERED_PINGS_MAX = 2;

/** @typedef {{type: string, re?: number, seq?: number} & Record<string, any>} ServerMessage */
/** @typedef {{resolve: (reply: ServerMessage) => void, reject: (error: HalqaError) => void, timer: number}} Pending */

/** @extends {Emitter<{message: ServerMessage, close: {reason: string, closeCode: number}}>} */
export class Signal extends Emitter {
  /** @type {WebSocket|null} */
  #socket = null;
  #nextId = 1;
  /** @type {Map<number, Pending>} */
  #pending = new Map();
  #unansweredPings = 0;
  #pingTimer = 0;

  /**
   * Resolve once the socket is open. The token goes into a subprotocol: a URL would end up in logs.
   * @param {string} address
   * @param {string} token
   * @returns {Promise<void>}
   */
  async open(address, token) {
    const socket = new WebSocket(webSocketAddress(address), [PROTOCOL, `bearer.${token}`]);
    this.#socket = socket;
    socket.onmessage = (event) => this.#receive(event.data);
    const opened = await new Promise((resolve) => {
      socket.onopen = () => resolve(true);
      socket.onclose = () => resolve(false);
    });
    if (this.#socket !== socket) throw new HalqaError('closed', 'closed while connecting');
    if (!opened) {
      this.#socket = null;
      throw await diagnose(address, token);
    }
    socket.onclose = (event) => this.#finish(closeReason(event.code), event.code);
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
   * @returns {Promise<ServerMessage>} rejected with the server's `error`, `timeout` or `closed`
   */
  request(type, fields = {}, timeoutMs = REQUEST_TIMEOUT_MS) {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) {
        reject(new HalqaError('closed', `"${type}" was not sent: the connection is closed`));
        return;
      }
      const id = this.#nextId++;
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new HalqaError('timeout', `the server did not answer "${type}" within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(id, { resolve, reject, timer });
      this.#socket.send(JSON.stringify({ type, id, ...fields }));
    });
  }

  /**
   * Send without waiting for an answer; dropped if the connection is closed.
   * @param {string} type
   * @param {Record<string, unknown>} [fields]
   */
  notify(type, fields = {}) {
    if (this.isOpen) this.#socket.send(JSON.stringify({ type, ...fields }));
  }

  /** Close without a `close` event. */
  close() {
    const socket = this.#socket;
    this.#stop('the room was closed');
    socket?.close(1000);
  }

  /** @param {unknown} text */
  #receive(text) {
    this.#unansweredPings = 0;
    const message = parseMessage(text);
    if (message === null) {
      console.warn('halqa: a message that is no JSON object with a type was dropped');
      return;
    }
    const pending = this.#pending.get(message.re);
    if (pending) {
      this.#pending.delete(message.re);
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
      const socket = this.#socket;
      this.#finish('connection_lost', 1006);
      socket?.close();
      return;
    }
    this.#unansweredPings += 1;
    this.notify('ping', { t: Math.round(performance.now()) });
  }

  /**
   * @param {string} reason
   * @param {number} closeCode
   */
  #finish(reason, closeCode) {
    if (this.#socket === null) return;
    this.#stop(`the connection ended: ${reason}`);
    this.emit('close', { reason, closeCode });
  }

  /** @param {string} why */
  #stop(why) {
    clearInterval(this.#pingTimer);
    if (this.#socket) this.#socket.onmessage = null;
    this.#socket = null;
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(new HalqaError('closed', why));
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
