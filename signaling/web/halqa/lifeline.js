/** Keeps us in the room: joins, notices what breaks, resumes, restarts ICE, joins anew; and knows when it is over. */

import { delayBefore } from './backoff.js';
import { Connection } from './connection.js';
import { asHalqaError, closeVerdict, HalqaError, isPassing } from './errors.js';
import { Emitter } from './events.js';
import { Gate } from './gate.js';
import { watchNetwork } from './network.js';
import { Signal } from './signal.js';
import { Ticket } from './ticket.js';

/** @import { ServerMessage } from './signal.js' */
/** @import { Verdict } from './errors.js' */
/** @import { ConnectionOptions, JoinOptions, SlotKind } from './types.js' */

/** Longer than other requests: the server may be starting the room on another worker. */
const JOIN_TIMEOUT_MS = 15_000;
/** The server keeps our place for a minute, a new server is there soon after; then somebody should look at it. */
const PATIENCE_MS = 5 * 60_000;
/** How often an ICE restart that brought nothing is looked at again. */
const MEDIA_CHECK_MS = 1000;
/** Joins in a row that never had media: a firewall, and no reason to go on. */
const MEDIALESS_JOINS_MAX = 2;
/**
 * @typedef {object} Host  who keeps what the room says
 * @property {() => number} seq  the last event heard
 * @property {(connection: Connection) => void} renewed  this one now carries media; a join on it is under way
 * @property {(again: boolean) => void} joined  again: we were in before, as another participant
 */

/** @typedef {{signal: boolean, media: boolean, waiting: boolean, joined: boolean}} Standing */

/** @extends {Emitter<{message: ServerMessage, standing: Standing, end: {reason: string, message: string}}>} */
export class Lifeline extends Emitter {
  #signal = new Signal();
  /** @type {Connection|null} */
  #connection = null;
  #ticket;
  #resumeToken = '';
  /** Why the WebSocket closed last. @type {{reason: string, verdict: Verdict}} */
  #ending = { reason: '', verdict: 'resume' };
  #farewell = '';
  #joined = false;
  #joinedBefore = false;
  #waiting = false;
  #busy = false;
  #over = false;
  #mediaEver = false;
  #medialessJoins = 0;
  /** No try before that: a drill holds the connection down. Milliseconds of performance.now(). */
  #heldUntil = 0;
  #mediaTimer = 0;
  #watching = new AbortController();
  /** Ends the pause between two tries. */
  #wake = () => {};
  #gate = new Gate();

  /**
   * @param {ConnectionOptions & JoinOptions} options
   * @param {Host} host
   */
  constructor(options, host) {
    super();
    this.options = options;
    this.host = host;
    // Going on with a fresh token is a resumption: the media does not notice.
    this.#ticket = new Ticket(options.getToken, () => {
      if (!this.#busy) this.#signal.drop();
    });
    this.#signal.on('message', (message) => this.#receive(message));
    this.#signal.on('close', ({ reason, closeCode }) => this.#signalLost(reason, closeVerdict(closeCode)));
  }

  /** @returns {Standing} */
  get standing() {
    const signal = this.#joined && !this.#busy && this.#signal.isOpen;
    return { signal, media: this.#connection?.isConnected ?? false, waiting: this.#waiting, joined: this.#joined };
  }

  /** @returns {Connection|null} */
  get connection() {
    return this.#connection;
  }

  /**
   * Join for the first time.
   * @param {string} url
   * @param {string} token
   * @returns {Promise<void>} rejected with HalqaError, after `end`
   */
  async open(url, token) {
    this.#ticket.change(url, token);
    this.#busy = true;
    try {
      await this.#enter();
    } catch (cause) {
      const error = asHalqaError(cause, 'media_failed');
      if (this.#over) throw error;
      if (!this.#waiting || !isPassing(error)) {
        const isTold = this.#ending.verdict === 'end' && this.#ending.reason !== '';
        this.#end(isTold ? this.#ending.reason : error.code, error.message);
        throw error;
      }
      await this.#recover();
      if (this.#over) throw new HalqaError(this.#ending.reason || 'closed', this.#farewell || 'not let in', { cause });
    }
    watchNetwork(() => this.#networkChanged(), this.#watching.signal);
    this.#settle();
  }

  /**
   * Ask the server; while the connection is gone, wait for it.
   * @param {string} type
   * @param {Record<string, unknown>} [fields]
   * @param {boolean} [again]  ask once more where it is not known whether the request was done
   * @returns {Promise<ServerMessage>}
   */
  async ask(type, fields = {}, again = true) {
    for (;;) {
      await this.#ready();
      try {
        return await this.#signal.request(type, fields);
      } catch (error) {
        if (!again || !(error instanceof HalqaError) || error.code !== 'interrupted' || this.#over) throw error;
      }
    }
  }

  /** Say goodbye. */
  leave() {
    this.#signal.notify('leave');
    this.#end('left', '');
  }

  /**
   * Let something fail that may fail in life.
   * @param {'signal-lost'|'media-lost'|'server-moved'} drill
   * @param {number} seconds  how long the WebSocket stays away
   */
  simulate(drill, seconds) {
    if (drill === 'media-lost') this.#restartMedia();
    if (drill === 'server-moved') this.#resumeToken = '';
    if (drill === 'media-lost') return;
    this.#heldUntil = performance.now() + seconds * 1000;
    this.#signal.drop();
  }

  /** @param {ServerMessage} message */
  #receive(message) {
    if (message.type === 'waiting') this.#wait();
    if (message.type === 'media' && message.state === 'silent') this.#restartMedia(true);
    if (message.type === 'moved') this.#moveTo(message.url, message.token);
    if (message.type === 'ended') this.#ending = { reason: message.reason, verdict: 'end' };
    if (message.type === 'ended') this.#farewell = message.message ?? '';
    if (message.type === 'joined' || message.type === 'resumed') this.#resumeToken = message.resume ?? '';
    this.emit('message', message);
  }

  #wait() {
    this.#waiting = true;
    this.#signal.beWaiting();
    this.#tell();
  }

  /**
   * @param {string} url
   * @param {string} [token]
   */
  #moveTo(url, token) {
    this.#ticket.change(url, token);
    this.#resumeToken = '';
  }

  /** Open the WebSocket, and come back or in. */
  async #enter() {
    await this.#signal.open(this.#ticket.url, this.#ticket.token);
    if (this.#over) throw new HalqaError('closed', 'the room was closed');
    if (this.#resumeToken === '' || !(await this.#resume())) await this.#join();
  }

  async #join() {
    const connection = new Connection(this.options);
    this.#replace(connection);
    const offer = await connection.createOffer();
    this.host.renewed(connection);
    const slots = connection.receiveSections.map(({ mid, kind }) => ({ mid, kind }));
    const { name } = this.options;
    this.#medialessJoins += 1;
    const joined = await this.#signal.request('join', { offer, slots, name: name || undefined }, JOIN_TIMEOUT_MS);
    this.#waiting = false;
    await connection.applyAnswer(joined.answer);
    this.#joined = true;
    const again = this.#joinedBefore;
    this.#joinedBefore = true;
    this.host.joined(again);
  }

  /** @returns {Promise<boolean>} false: our place is gone */
  async #resume() {
    const connection = /** @type {Connection} */ (this.#connection);
    const token = this.#resumeToken;
    const request = (/** @type {string} */ offer) => (
      this.#signal.request('resume', { token, seq: this.host.seq(), offer: offer || undefined }, JOIN_TIMEOUT_MS)
    );
    try {
      if (connection.isDoubtful) await connection.restart(async (offer) => (await request(offer)).answer);
      else await request('');
      await this.#signal.request('ping', { t: 0 });  // what was missed is told before the answer to this
      return true;
    } catch (error) {
      if (isPassing(error)) throw error;
      this.#resumeToken = '';
      return false;
    }
  }

  /** @param {Connection} connection */
  #replace(connection) {
    clearInterval(this.#mediaTimer);
    this.#connection?.close();
    this.#connection = connection;
    connection.on('state', (state) => {
      if (this.#connection === connection) this.#mediaChanged(state);
    });
  }

  /**
   * @param {string} reason
   * @param {Verdict} verdict
   */
  #signalLost(reason, verdict) {
    const isFarewell = this.#ending.verdict === 'end' && this.#ending.reason !== 'sent_back';
    if (!isFarewell) this.#ending = { reason, verdict };
    if (verdict === 'join') this.#resumeToken = '';
    if (!this.#busy) this.#recover();
  }

  /** Try until we are in again, or nothing can be done any more. */
  async #recover() {
    this.#busy = true;
    this.#tell();
    const until = performance.now() + PATIENCE_MS;
    for (let attempt = 0; !this.#over; attempt += 1) {
      await this.#pause(Math.max(delayBefore(attempt), this.#heldUntil - performance.now()));
      if (this.#over) break;
      try {
        await this.#attempt();
        break;
      } catch (cause) {
        const error = asHalqaError(cause, 'media_failed');
        if (this.#over) break;
        if (error.code === 'token_expired' && this.#ticket.isRenewable) this.#ending.verdict = 'refresh';
        else if (!isPassing(error)) this.#end(error.code, error.message);
        else if (performance.now() > until) this.#end('connection_lost', error.message);
      }
    }
    this.#settle();
  }

  /** From here on requests find a way, until the next loss. */
  #settle() {
    this.#busy = false;
    if (!this.#over) this.#gate.open();
    this.#tell();
  }

  async #attempt() {
    const { reason, verdict } = this.#ending;
    if (verdict === 'end') throw new HalqaError(reason, this.#farewell || reason);
    if (reason === 'media_failed' && this.#medialessJoins >= MEDIALESS_JOINS_MAX) {
      throw new HalqaError(reason, 'no media came through');
    }
    if (verdict === 'refresh') await this.#ticket.renew();
    if (verdict === 'refresh') this.#ending.verdict = 'resume';
    if (reason === 'sent_back') this.#joined = false;
    await this.#enter();
    this.#ending = { reason: '', verdict: 'resume' };
  }

  /** @param {import('./connection.js').MediaState} state */
  #mediaChanged(state) {
    clearInterval(this.#mediaTimer);
    if (state === 'connected') {
      this.#mediaEver = true;
      this.#medialessJoins = 0;
    } else if (!this.#mediaEver) {
      this.#end('media_failed', 'no media came through');
      return;
    } else {
      this.#signal.probe();
      this.#restartMedia();
      this.#mediaTimer = setInterval(() => this.#restartMedia(true), MEDIA_CHECK_MS);
    }
    this.#tell();
  }

  /** @param {boolean} [unlessRecent] */
  #restartMedia(unlessRecent = false) {
    const connection = this.#connection;
    if (!connection || !this.standing.signal || (unlessRecent && connection.isRestarting)) return;
    const exchange = async (/** @type {string} */ sdp) => (await this.#signal.request('offer', { sdp })).sdp;
    connection.restart(exchange).catch((error) => {
      if (!isPassing(error) && !this.#over) console.warn('halqa: ICE was not restarted', error);
    });
  }

  #networkChanged() {
    this.#wake();
    if (this.#busy) return;
    this.#signal.probe();
    if (this.#connection?.isDoubtful) this.#restartMedia();
  }

  /** @param {number} delayMs */
  #pause(delayMs) {
    if (delayMs <= 0) return Promise.resolve();
    const isHeld = this.#heldUntil > performance.now();
    return /** @type {Promise<void>} */ (new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#wake = () => {
        if (isHeld && !this.#over) return;
        clearTimeout(timer);
        resolve();
      };
    }));
  }

  /** @returns {Promise<void>} */
  #ready() {
    if (this.#over) return Promise.reject(new HalqaError('closed', 'the room is closed'));
    return !this.#busy && this.#joined ? Promise.resolve() : this.#gate.pass();
  }

  #tell() {
    if (!this.#over) this.emit('standing', this.standing);
  }

  /**
   * @param {string} reason
   * @param {string} message
   */
  #end(reason, message) {
    if (this.#over) return;
    this.#over = true;
    this.#watching.abort();
    this.#ticket.close();
    clearInterval(this.#mediaTimer);
    this.#signal.close();
    this.#connection?.close();
    this.#gate.close();
    this.#wake();
    this.emit('end', { reason, message });
  }
}
