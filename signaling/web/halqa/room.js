/** A class that one takes part in: connect, publish, view, speak, and hear what happens. */

import { openCamera, openMicrophone, openScreen } from './capture.js';
import { Equipment } from './equipment.js';
import { asHalqaError, HalqaError } from './errors.js';
import { Emitter } from './events.js';
import { Lifeline } from './lifeline.js';
import { Moderation } from './moderation.js';
import { News } from './news.js';
import { Posts } from './posts.js';
import { Sound } from './sound.js';
import { StatsReader } from './stats.js';
import { readClaims } from './token.js';
import { LocalTracks } from './tracks.js';

/** @import { Connection } from './connection.js' */
/** @import { Standing } from './lifeline.js' */
/** @import * as types from './types.js' */

/** @extends {Emitter<types.RoomEvents>} */
export class Room extends Emitter {
  /** @type {types.RoomState} */
  state = 'new';
  /** Why it was closed, else null. @type {string|null} */
  reason = null;
  /** For those with the right: `permissions.moderate`. */
  moderation = new Moderation((type, fields) => this.#lifeline.ask(type, fields));
  #ownName = '';
  #news = new News({
    tell: (name, detail) => this.emit(name, detail),
    ownTrack: (source, track) => this.#ownTrack(source, track),
    layers: (track, encodings) => this.#encode(track, encodings),
  }, () => this.#ownName);
  /** Made by `connect`. @type {Lifeline} */
  #lifeline = this.#makeLifeline({});
  /** @type {LocalTracks|null} */
  #tracks = null;
  #equipment = new Equipment(this, (name, detail) => this.emit(name, detail));
  #sound = new Sound((isBlocked) => this.emit('audio-blocked', isBlocked));
  #posts = new Posts((type, fields) => this.#lifeline.ask(type, fields, false));
  #stats = new StatsReader();
  /** @type {types.Limit|null} */
  #limit = null;
  #lostAt = 0;
  #rejoined = false;

  /**
   * Join. Resolves when the server has let us in; `state` becomes `connected` once media can flow. Only once a Room.
   * @param {string} url  WebSocket address of the room: roomAddress(server, name)
   * @param {string} token
   * @param {types.ConnectionOptions & types.JoinOptions} [options]
   * @returns {Promise<void>} rejected with HalqaError, after `state` became `closed`
   */
  async connect(url, token, options = {}) {
    if (this.state !== 'new') throw new HalqaError('wrong_state', `this room is ${this.state} already`);
    this.#ownName = readClaims(token)?.name ?? options.name ?? '';
    this.#lifeline = this.#makeLifeline(options);
    this.#setState('connecting');
    await this.#lifeline.open(url, token);
  }

  /** The room's name. */
  get name() {
    return this.#news.name;
  }

  /** Number of the last room event heard: where a resumption goes on. */
  get seq() {
    return this.#news.seq;
  }

  /** The others in the room, by id. @returns {ReadonlyMap<string, types.Participant>} */
  get participants() {
    return this.#news.roster.others;
  }

  /** Ourselves, once joined. @returns {types.Participant|null} */
  get local() {
    return this.#news.roster.local;
  }

  /**
   * @param {string|null} id
   * @returns {types.Participant|null} ourselves or another one
   */
  participant(id) {
    return this.#news.roster.find(id);
  }

  /** Door, spotlight, hands, values, visitors, speakers, recording and what we may do: as they are now. */
  get decisions() {
    return this.#news.decisions;
  }

  /** What we may do. */
  get permissions() {
    return this.#news.decisions.permissions;
  }

  /** @returns {types.Slot[]} */
  get slots() {
    return this.#news.slots.all;
  }

  /** The most that we want to be sent; null: as much as the network carries. @returns {types.Limit|null} */
  get limit() {
    return this.#limit;
  }

  /** What plays the audio slots, if you call `room.sound.play()`: from a click or key press. */
  get sound() {
    return this.#sound;
  }

  /**
   * @param {types.Source} source
   * @returns {types.LocalTrack|null} what we publish from it
   */
  localTrack(source) {
    return this.#tracks?.get(source) ?? null;
  }

  /**
   * Publish the camera; when it is published already, switch it on, with another device if you say so.
   * @param {{deviceId?: string, track?: MediaStreamTrack}} [options]  track: use this one, which is open already
   * @returns {Promise<types.LocalTrack>}
   */
  publishCamera({ deviceId, track } = {}) {
    return this.#publisher().publish('camera', once(track, () => openCamera({ deviceId })));
  }

  /**
   * Publish the microphone; when it is published already, switch it on, with another device if you say so.
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
   * Change the device of what is published, muted or not; the others notice nothing.
   * @param {'camera'|'microphone'} source
   * @param {string} [deviceId]  the browser's choice if left out
   * @returns {Promise<void>}
   */
  switchDevice(source, deviceId) {
    const open = source === 'camera' ? openCamera : openMicrophone;
    return this.#publisher().changeDevice(source, () => open({ deviceId }));
  }

  /**
   * Say what the named slots shall carry, and how large it is shown.
   * @param {types.ViewRequest[]} requests
   * @returns {Promise<void>}
   */
  async view(requests) {
    const slots = this.#news.slots.remember(requests).map(({ mid, track, height, frameRate }) => (
      { mid, track, height, frame_rate: frameRate }
    ));
    await this.#lifeline.ask('view', { slots });
  }

  /**
   * Be sent no more pictures than this stands for, to save data or a weak network; sound always comes. It holds until
   * it is changed, also over interruptions.
   * @param {types.Limit|null} level  "poor": a data saver; "audio": no pictures; null: all that the network carries
   * @returns {Promise<void>}
   */
  async setLimit(level) {
    await this.#lifeline.ask('limit', { level });
    if (this.#limit === level) return;
    this.#limit = level;
    this.emit('limit', level);
  }

  /**
   * How loud somebody is for us alone.
   * @param {string} participant  id
   * @param {number} volume  0 to 1
   */
  setVolume(participant, volume) {
    this.#sound.setVolume(participant, volume, this.slots);
  }

  /**
   * Raise or lower our hand.
   * @param {boolean} raised
   */
  async raiseHand(raised) {
    await this.#lifeline.ask('hand', { raised });
  }

  /** @param {string} reaction  e.g. "👏", at most 32 characters */
  async react(reaction) {
    await this.#lifeline.ask('react', { reaction });
  }

  /**
   * Send something to everybody, to roles or to participants; also over an interruption, and not twice.
   * @param {any} body  JSON of at most 16 KiB
   * @param {{topic?: string, to?: types.Recipients}} [options]
   * @returns {Promise<types.Message>} as the room has it
   */
  send(body, options) {
    return this.#posts.send(body, options);
  }

  /**
   * Keep a value under a key for those in the room and for newcomers; null forgets it.
   * @param {string} key
   * @param {any} value  JSON of at most 4 KiB
   * @param {{scope?: 'own'|'room', ifVersion?: number}} [options]  room: for moderators; ifVersion: only if it is this
   */
  async setValue(key, value, { scope = 'own', ifVersion } = {}) {
    await this.#lifeline.ask('state', { scope, key, value, if_version: ifVersion }, ifVersion === undefined);
  }

  /** @returns {Promise<RTCStatsReport|null>} as the browser has it */
  async getStats() {
    return (await this.#lifeline.connection?.getStats()) ?? null;
  }

  /** @returns {Promise<import('./stats.js').Stats|null>} in a few numbers a track; rates are since the last call */
  async stats() {
    const connection = this.#lifeline.connection;
    if (!connection) return null;
    const sections = new Map([...connection.sendSections].filter(([, source]) => this.localTrack(source) !== null));
    return this.#stats.read(await connection.getStats(), sections, this.slots);
  }

  /**
   * A failure drill: let something fail as in life, and see the class go on.
   * `signal-lost`: the WebSocket is cut and stays away for a while. `media-lost`: the media path counts as lost, and
   * ICE is restarted. `server-moved`: our place is gone, we join anew with another connection.
   * @param {'signal-lost'|'media-lost'|'server-moved'} drill
   * @param {{seconds?: number}} [options]
   */
  simulate(drill, { seconds = 0 } = {}) {
    this.#lifeline.simulate(drill, seconds);
  }

  /** Leave, and let go of camera, microphone and screen. */
  leave() {
    this.#lifeline.leave();
    this.#close('left', '');
  }

  /** @param {types.ConnectionOptions & types.JoinOptions} options */
  #makeLifeline(options) {
    const lifeline = new Lifeline(options, {
      seq: () => this.seq,
      renewed: (connection) => this.#renewed(connection),
      joined: (again) => this.#joined(again),
    });
    lifeline.on('message', (message) => {
      this.#news.receive(message);
      if (message.type === 'slots') this.#sound.follow(this.slots);
      if (message.type === 'message' || message.type === 'resumed') this.#posts.heard(message, this.local?.id);
    });
    lifeline.on('standing', (standing) => this.#stand(standing));
    lifeline.on('end', ({ reason, message }) => this.#close(reason, message));
    return lifeline;
  }

  /** @param {Connection} connection */
  #renewed(connection) {
    this.#news.slots.bind(connection.receiveSections);
    this.#sound.follow(this.slots);
    if (this.#tracks) {
      this.#tracks.move(connection).catch((error) => this.#failed(error));
      return;
    }
    this.#tracks = new LocalTracks(connection, {
      ask: (type, fields) => this.#lifeline.ask(type, fields),
      told: (source) => [...(this.local?.tracks.values() ?? [])].find((track) => track.source === source) ?? null,
      changed: (source) => this.emit('local', { source, track: this.localTrack(source) }),
      lost: (source) => this.#equipment.lost(source),
    });
  }

  /** @param {boolean} again */
  async #joined(again) {
    if (!again) return;
    this.#rejoined = true;
    this.emit('rejoined', null);
    this.emit('slots', this.slots);
    const tracks = new Set([...this.participants.values()].flatMap((participant) => [...participant.tracks.keys()]));
    const wishes = this.#news.slots.wishes((id) => tracks.has(id));
    try {
      await this.#tracks?.republish((error) => this.emit('error', error));
      if (wishes.length > 0) await this.view(wishes);
      if (this.#limit !== null) await this.#lifeline.ask('limit', { level: this.#limit });
    } catch (error) {
      this.#failed(error);
    }
  }

  /** @param {Standing} standing */
  #stand({ signal, media, waiting, joined }) {
    if (this.state === 'closed') return;
    if (waiting) this.#setState('waiting');
    else if (signal && media) this.#setState('connected');
    else if (this.#lostAt !== 0 || this.state === 'connected') this.#setState('reconnecting');
    else if (joined || this.state === 'waiting') this.#setState('connecting');
    if (this.state === 'reconnecting') {
      this.#lostAt ||= performance.now();
      this.emit('reconnecting', { signal, media });
    } else if (this.state === 'connected' && this.#lostAt !== 0) {
      const seconds = (performance.now() - this.#lostAt) / 1000;
      this.emit('reconnected', { seconds, rejoined: this.#rejoined });
      this.#lostAt = 0;
      this.#rejoined = false;
    }
  }

  /**
   * @param {types.Source} source
   * @param {types.Track} track
   */
  #ownTrack(source, track) {
    if (track.state === 'ended') this.#tracks?.ended(source, track.id).catch(() => {});
    if (track.state !== 'muted') return;
    this.#tracks?.follow(source).then((byOthers) => {
      if (byOthers) this.emit('muted-by-moderator', { source });
    }, () => {});
  }

  /**
   * @param {string} trackId
   * @param {import('./encodings.js').Encoding[]} encodings
   */
  #encode(trackId, encodings) {
    const source = this.local?.tracks.get(trackId)?.source;
    if (source) this.#lifeline.connection?.encode(source, encodings).catch((error) => this.#failed(error));
  }

  /** @param {unknown} error  that no call was waiting for */
  #failed(error) {
    if (this.state !== 'closed') this.emit('error', asHalqaError(error, 'internal'));
  }

  /** @returns {LocalTracks} */
  #publisher() {
    if (this.#tracks && this.local && this.state !== 'closed') return this.#tracks;
    throw new HalqaError('wrong_state', `nothing can be published while the room is ${this.state}`);
  }

  /**
   * @param {string} reason
   * @param {string} message
   */
  #close(reason, message) {
    if (this.state === 'closed') return;
    this.#tracks?.close();
    this.#equipment.close();
    this.#sound.stop();
    this.reason = reason;
    this.#setState('closed');
    this.emit('closed', { reason, message });
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
