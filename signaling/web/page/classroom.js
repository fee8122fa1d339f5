/** The class while it runs: ties the room's events to tiles, toolbar, sound and header. */

import { loudness } from '../halqa/index.js';
import { Grid } from './grid.js';
import { Sound } from './sound.js';
import { Tile } from './tiles.js';
import { Toolbar } from './toolbar.js';
import { Viewing } from './viewing.js';

/** @import { Room } from '../halqa/room.js' */
/** @import { Participant, Track } from '../halqa/types.js' */

const SPEECH_INTERVAL_MS = 100;
/** A frame that goes out between two words would flicker. */
const SPEECH_HOLD_MS = 1000;
/** Of 1; a quiet voice near a microphone reaches 0.05, a fan stays below 0.01. */
const SPEECH_LOUDNESS = 0.02;

export class Classroom {
  /** When each participant was last heard, in ms. @type {Map<string, number>} */
  #loudAt = new Map();
  /** By participant id. @type {Map<string, Tile>} */
  #cameras = new Map();
  /** By track id. @type {Map<string, Tile>} */
  #screens = new Map();
  #ending = new AbortController();

  /**
   * Begin, once the room is joined.
   * @param {HTMLElement} root
   * @param {Room} room
   * @param {{language: import('./language.js').Language, notices: import('./notices.js').Notices}} page
   * @param {{mayPublish: (source: string) => boolean, deviceIds: Record<string, string>}} guest
   */
  constructor(root, room, { language, notices }, { mayPublish, deviceIds }) {
    Object.assign(this, { root, room, language, notices, deviceIds });
    this.stage = root.querySelector('.stage');
    this.viewing = new Viewing(room, () => this.#measure());
    this.grid = new Grid(root.querySelector('.grid'), () => this.viewing.update());
    this.sound = new Sound(room.slots, root.querySelector('.unblock'));
    this.toolbar = new Toolbar(root.querySelector('.toolbar'), language, {
      isOn: (source) => this.room.localTrack(source)?.muted === false,
      set: (source, on) => this.#turn(source, on),
      failed: (error, source) => notices.error(error, () => this.toolbar.toggle(source)),
      leave: () => room.leave(),
    }, this.#ending.signal);
    this.toolbar.offer(mayPublish);
    this.#follow();
    root.hidden = false;
    root.focus();
    this.#render();
    this.sound.play();
    this.speech = setInterval(() => this.#showSpeech(), SPEECH_INTERVAL_MS);
  }

  /**
   * Publish what the lobby opened.
   * @param {Record<'camera'|'microphone', MediaStreamTrack|null>} tracks
   */
  async publish({ camera, microphone }) {
    const { room, deviceIds } = this;
    const published = [];
    if (microphone) published.push(room.publishMicrophone({ track: microphone, deviceId: deviceIds.microphone }));
    if (camera) published.push(room.publishCamera({ track: camera, deviceId: deviceIds.camera }));
    for (const { reason } of await Promise.allSettled(published)) {
      if (reason) this.notices.error(reason);
    }
    this.toolbar.refresh();
  }

  /** Take everything off the page. */
  stop() {
    this.#ending.abort();
    clearInterval(this.speech);
    this.viewing.stop();
    this.sound.stop();
    for (const tile of [...this.#cameras.values(), ...this.#screens.values()]) tile.remove();
    this.grid.stop();
    this.root.hidden = true;
  }

  #follow() {
    const { room, notices } = this;
    const render = () => this.#render();
    const listeners = [
      room.on('participant-joined', ({ name }) => notices.announce('class.joined', { name })),
      room.on('participant-left', ({ participant: { name } }) => notices.announce('class.left', { name })),
      room.on('track', ({ participant, track }) => this.#announceScreen(participant, track)),
      room.on('error', (error) => notices.error(error)),
      room.on('local', () => this.toolbar.refresh()),
      ...['participant-joined', 'participant-left', 'track', 'slots', 'local'].map((name) => room.on(name, render)),
      this.language.on('change', render),
    ];
    this.#ending.signal.addEventListener('abort', () => listeners.forEach((off) => off()));
  }

  /**
   * @param {'microphone'|'camera'|'screen'} source
   * @param {boolean} on
   */
  async #turn(source, on) {
    const { room, deviceIds } = this;
    this.notices.clear();
    if (source === 'screen') await (on ? room.publishScreen() : room.unpublish('screen'));
    else if (room.localTrack(source)) await room.mute(source, !on);
    else if (source === 'camera') await room.publishCamera({ deviceId: deviceIds.camera });
    else await room.publishMicrophone({ deviceId: deviceIds.microphone });
  }

  /** Bring tiles in line with the room; cheap enough to run after every event. */
  #render() {
    const { room } = this;
    const people = [room.local, ...room.participants.values()];
    const count = this.#cameras.size;
    this.#keep(this.#cameras, people.map(({ id }) => id), 'camera', this.grid.element);
    for (const person of people) this.#renderPerson(person);
    this.#renderStage(people);
    if (this.#cameras.size !== count) this.grid.fit();
    this.viewing.update();
  }

  /** @param {Participant} person */
  #renderPerson(person) {
    const { room, language } = this;
    const tile = this.#cameras.get(person.id);
    const tracks = [...person.tracks.values()];
    const camera = tracks.find(({ source, state }) => source === 'camera' && state === 'live');
    const hears = tracks.some(({ source, state }) => source === 'microphone' && state === 'live');
    tile.rename(person.name, person.isLocal ? language.text('class.you', { name: person.name }) : person.name);
    tile.element.classList.toggle('own', person.isLocal);
    if (person.isLocal) tile.show(room.localTrack('camera')?.mediaTrack ?? null);
    else tile.show(camera ? this.#carried(camera) : null, camera?.id);
    tile.muted(hears ? null : language.text('class.microphone_off'));
  }

  /** @param {Participant[]} people */
  #renderStage(people) {
    const screens = people.filter(({ isLocal }) => !isLocal).flatMap((person) => (
      [...person.tracks.values()].filter(({ id, source }) => source === 'screen' && this.#carried({ id }))
        .map((track) => ({ person, track }))
    ));
    this.stage.hidden = screens.length === 0;
    this.root.classList.toggle('staged', screens.length > 0);
    this.#keep(this.#screens, screens.map(({ track }) => track.id), 'screen', this.stage);
    for (const { person, track } of screens) {
      const tile = this.#screens.get(track.id);
      tile.rename(person.name, this.language.text('class.screen_of', { name: person.name }));
      tile.show(track.state === 'live' ? this.#carried(track) : null, track.id);
    }
  }

  /**
   * Have one tile in `place` for each id, in this order.
   * @param {Map<string, Tile>} tiles
   * @param {string[]} ids
   * @param {'camera'|'screen'} kind
   * @param {HTMLElement} place
   */
  #keep(tiles, ids, kind, place) {
    for (const [id, tile] of tiles) {
      if (ids.includes(id)) continue;
      tile.remove();
      tiles.delete(id);
    }
    for (const id of ids.filter((each) => !tiles.has(each))) {
      tiles.set(id, new Tile(kind));
      place.append(tiles.get(id).element);
    }
  }

  /**
   * @param {{id: string}} track
   * @returns {MediaStreamTrack|null} of the slot that carries it
   */
  #carried({ id }) {
    return this.room.slots.find(({ track }) => track === id)?.mediaTrack ?? null;
  }

  #measure() {
    const scale = window.devicePixelRatio;
    const cameras = [...this.room.participants.values()].flatMap((person) => {
      const { element } = this.#cameras.get(person.id);
      const seen = { height: element.clientHeight * scale, inSight: this.grid.inSight(element) };
      return [...person.tracks.values()].filter(({ source }) => source === 'camera')
        .map(({ id, state }) => ({ track: id, live: state === 'live', ...seen }));
    });
    return { cameras, stageHeight: this.stage.hidden ? 0 : this.stage.clientHeight * scale };
  }

  #showSpeech() {
    const now = performance.now();
    for (const slot of this.room.slots) {
      if (slot.participant && loudness(slot) > SPEECH_LOUDNESS) this.#loudAt.set(slot.participant, now);
    }
    for (const id of this.#loudAt.keys()) {
      if (!this.#cameras.has(id)) this.#loudAt.delete(id);
    }
    for (const [id, tile] of this.#cameras) tile.speaking(now - (this.#loudAt.get(id) ?? -Infinity) < SPEECH_HOLD_MS);
  }

  /**
   * @param {Participant} participant
   * @param {Track} track
   */
  #announceScreen({ name, isLocal }, { source, state }) {
    if (source === 'screen' && state === 'live' && !isLocal) this.notices.announce('class.sharing', { name });
  }
}
