/** A class that one takes part in: connect, publish, view, and hear what happens. */

import { openCamera, openMicrophone, openScreen } from './capture.js';
import { Connection } from './connection.js';
import { HalqaError } from './errors.js';
import { Emitter } from './events.js';
import { Roster } from './roster.js';
import { Signal } from './signal.js';
import { Slots } from './slots.js';
import { readClaims } from './token.js';
import { LocalTracks } from './tracks.js';

/** @import { ServerMessage } from './signal.js' */
/** @import * as types from './types.js' */

/** Longer than other requests: the server may be starting the room on another worker. */
const JOIN_TIMEOUT_MS = 15_000;

/** @extends {Emitter<types.RoomEvents>} */
export class Room extends Emitter {
  /** @type {types.RoomState} */
  state = 'new';
  /** Why it was closed, else null. @type {string|null} */
  reason = null;
  name = '';
  /** Number of the last room event heard: where a resumption would go on. */
  seq = 0;
  #ownName = '';
  #roster = new Roster();
  #slots = new Slots([]);
  #signal = new Signal();
  /** @type {Connection|null} */
  #connection = null;
  /** @type {LocalTracks|null} */
  #tracks = null;

  /**
   * Join. Resolves when the server has let us in; `state` becomes `connected` once media can flow. Only once a Room.
   * @param {string} url  WebSocket address of the room: roomAddress(server, name)
   * @param {string} token
   * @param {types.ConnectionOptions & {name?: string}} [options]  name: shown to the others, if the token has none
   * @returns {Promise<void>} rejected with HalqaError, after `state` became `closed`
   */
  async connect(url, token, { name, ...options } = {}) {
    if (this.state !== 'new') throw new HalqaError('wrong_state', `this room is ${this.state} already`);
    this.#ownName = readClaims(token)?.name ?? name ?? '';
    this.#setState('connecting');
    try {
      await this.#join(url, token, name, options);
    } catch (cause) {
      const error = cause instanceof HalqaError ? cause : new HalqaError('media_failed', String(cause), { cause });
      this.#close(error.code);
      throw error;
    }
  }

  /** The others in the room, by id. @returns {ReadonlyMap<string, types.Participant>} */
  get participants() {
    return this.#roster.others;
  }

  /** Ourselves, once joined. @returns {types.Participant|null} */
  get local() {
    return this.#roster.local;
  }

  /** @returns {types.Slot[]} */
  get slots() {
    return this.#slots.all;
  }

  /**
   * @param {types.Source} source
   * @returns {types.LocalTrack|null} what we publish from it
   */
  localTrack(source) {
    return this.#tracks?.get(source) ?? null;
  }

  /**
   * Publish the camera; when it is published already, change to another device.
   * @param {{deviceId?: string, track?: MediaStreamTrack}} [options]  track: use this one, which is open already
   * @returns {Promise<types.LocalTrack>}
   */
  publishCamera({ deviceId, track } = {}) {
    return this.#publisher().publish('camera', once(track, () => openCamera({ deviceId })));
  }

  /**
   * Publish the microphone; when it is published already, change to another device.
   * @param {{deviceId?: string, track?: MediaStreamTrack}} [options]
   * @returns {Promise<types.LocalTrack>}
   */
  publishMicrophone({ deviceId, track } = {}) {
    return this.#publisher().publish('microphone', once(track, () => openMicrophone({ deviceId })));
  }

  /**
   * Share a screen, window or tab, with its sound where the browser gives it. Call it from a click or key press.
   * @param {{audio?: boolean, contentHint?: 'text'|'detail'|'motion'}} [options]
   * @returns {Promise<types.LocalTrack>}
   */
  async publishScreen(options) {
    const tracks = this.#publisher();
    const { video, audio } = await openScreen(options);
    try {
      const published = await tracks.publish('screen', async () => video);
      if (audio) await tracks.publish('screen_audio', async () => audio);
      return published;
    } catch (error) {
      video.stop();
      audio?.stop();
      throw error;
    }
  }

  /**
   * @param {types.Source} source  "screen" ends its sound too
   * @returns {Promise<void>}
   */
  async unpublish(source) {
    const sources = source === 'screen' ? /** @type {types.Source[]} */ (['screen', 'screen_audio']) : [source];
    await Promise.all(sources.map((each) => this.#publisher().unpublish(each)));
  }

  /**
   * Stop or resume sending; the others keep the track and see it muted. A muted camera is switched off.
   * @param {types.Source} source
   * @param {boolean} muted
   * @returns {Promise<void>}
   */
  mute(source, muted) {
    return this.#publisher().mute(source, muted);
  }

  /**
   * Say what the named slots shall carry, and how large it is shown.
   * @param {types.ViewRequest[]} requests
   * @returns {Promise<void>}
   */
  async view(requests) {
    const slots = requests.map(({ slot, mid, track, height, frameRate }) => (
      { mid: slot?.mid ?? mid, track, height, frame_rate: frameRate }
    ));
    await this.#signal.request('view', { slots });
  }

  /** @returns {Promise<RTCStatsReport|null>} */
  async getStats() {
    return (await this.#connection?.getStats()) ?? null;
  }

  /** Leave, and let go of camera, microphone and screen. */
  leave() {
    this.#signal.notify('leave');
    this.#close('left');
  }

  /**
   * @param {string} url
   * @param {string} token
   * @param {string|undefined} name
   * @param {types.ConnectionOptions} options
   */
  async #join(url, token, name, options) {
    const connection = new Connection(options);
    this.#connection = connection;
    this.#tracks = new LocalTracks(connection, this.#signal, {
      changed: (source) => this.emit('local', { source, track: this.localTrack(source) }),
      lost: (source) => this.#deviceLost(source),
    });
    connection.on('state', (state) => this.#mediaChanged(state));
    this.#signal.on('message', (message) => this.#receive(message));
    this.#signal.on('close', ({ reason }) => this.#close(reason));
    const [offer] = await Promise.all([connection.createOffer(), this.#signal.open(url, token)]);
    this.#slots = new Slots(connection.receiveSections);
    const slots = this.slots.map(({ mid, kind }) => ({ mid, kind }));
    const joined = await this.#signal.request('join', { offer, slots, name: name || undefined }, JOIN_TIMEOUT_MS);
    await connection.applyAnswer(joined.answer);
  }

  /** @param {ServerMessage} message  unknown types are passed over: a newer server may send more */
  #receive(message) {
    if (typeof message.seq === 'number') this.seq = message.seq;
    switch (message.type) {
      case 'joined':
        this.name = message.room.name;
        this.#roster.reset(message.room.participants, message.participant, this.#ownName);
        break;
      case 'participant':
        this.#participantJoined(message.participant);
        break;
      case 'left':
        this.#participantLeft(message);
        break;
      case 'track':
        this.#trackChanged(message);
        break;
      case 'slots':
        this.emit('slots', this.#slots.apply(message.slots));
        break;
      case 'error':
        this.emit('error', new HalqaError(message.code, message.message));
        break;
    }
  }

  /** @param {any} wire */
  #participantJoined(wire) {
    const participant = this.#roster.join(wire);
    if (!participant.isLocal) this.emit('participant-joined', participant);
  }

  /** @param {ServerMessage} message */
  #participantLeft({ participant: id, reason }) {
    const participant = this.#roster.leave(id);
    if (participant) this.emit('participant-left', { participant, reason });
  }

  /** @param {ServerMessage} message */
  #trackChanged({ participant: id, track }) {
    const participant = this.#roster.change(id, track);
    if (!participant) return;
    if (participant.isLocal && track.state === 'ended') this.#tracks?.ended(track.source, track.id).catch(() => {});
    this.emit('track', { participant, track });
  }

  /** @param {types.Source} source */
  async #deviceLost(source) {
    const isScreen = source === 'screen' || source === 'screen_audio';
    if (!isScreen) this.emit('error', new HalqaError('device_lost', `${source} was taken away`, { source }));
    try {
      await (isScreen ? this.unpublish(source) : this.mute(source, true));
    } catch (error) {
      if (this.state !== 'closed') this.emit('error', /** @type {HalqaError} */ (error));
    }
  }

  /** @param {import('./connection.js').MediaState} state */
  #mediaChanged(state) {
    if (state === 'connected') this.#setState('connected');
    if (state === 'interrupted') this.#setState('reconnecting');
    if (state === 'failed') this.#close('media_failed');
  }

  /** @returns {LocalTracks} */
  #publisher() {
    if (this.#tracks && this.local && this.state !== 'closed') return this.#tracks;
    throw new HalqaError('wrong_state', `nothing can be published while the room is ${this.state}`);
  }

  /** @param {string} reason */
  #close(reason) {
    if (this.state === 'closed') return;
    this.#tracks?.close();
    this.#signal.close();
    this.#connection?.close();
    this.reason = reason;
    this.#setState('closed');
  }

  /** @param {types.RoomState} state */
  #setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.emit('state', { state, reason: this.reason });
  }
}

/**
 * @param {MediaStreamTrack|undefined} track  given out the first time
 * @param {() => Promise<MediaStreamTrack>} open  used from then on
 * @returns {() => Promise<MediaStreamTrack>}
 */
function once(track, open) {
  let given = track;
  return async () => {
    const first = given;
    given = undefined;
    return first ?? open();
  };
}
