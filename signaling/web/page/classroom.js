/** The class while it runs: ties the room's events to tiles, stage, toolbar and the panels around them. */

import { loudness } from '../halqa/index.js';
import { Chat } from './chat.js';
import { find } from './dom.js';
import { Grid } from './grid.js';
import { Hand } from './hand.js';
import { Manage } from './manage.js';
import { Picture } from './picture.js';
import { Question } from './question.js';
import { Reconnecting } from './reconnecting.js';
import { TileMenu } from './tile_menu.js';
import { Tile } from './tiles.js';
import { Toolbar } from './toolbar.js';
import { Viewing } from './viewing.js';
import { Visitors } from './visitors.js';

/** @import { Room } from '../halqa/room.js' */
/** @import { Participant, RoomEvents, Track } from '../halqa/types.js' */
/** @import { Language } from './language.js' */
/** @import { Notices } from './notices.js' */
/** @import { Switch } from './toolbar.js' */

const SPEECH_INTERVAL_MS = 100;
/** A frame that goes out between two words would flicker. */
const SPEECH_HOLD_MS = 1000;
/** Of 1; a quiet voice near a microphone reaches 0.05, a fan stays below 0.01. */
const SPEECH_LOUDNESS = 0.02;
/** Weaker connections get a mark on the tile. */
const WEAK = new Set(['poor', 'minimal', 'audio', 'lost']);
/** After these something on the tiles may look different. @type {(keyof RoomEvents)[]} */
const REDRAWN = [
  'participant-joined', 'participant-left', 'participant', 'track', 'slots', 'local', 'hands', 'room', 'permissions',
  'rejoined', 'limit',
];

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
   * @param {{language: Language, notices: Notices}} page
   * @param {Record<'camera'|'microphone', string>} deviceIds
   */
  constructor(root, room, page, deviceIds) {
    const { signal } = this.#ending;
    this.root = root;
    this.room = room;
    this.page = page;
    this.deviceIds = deviceIds;
    this.stage = find(root, '.stage', HTMLElement);
    this.viewing = new Viewing(room, () => this.#measure());
    this.grid = new Grid(find(root, '.grid', HTMLElement), () => this.viewing.update());
    const hand = new Hand(find(root, '[name=hand]', HTMLButtonElement), room, page, signal);
    const chatButton = find(root, '[name=chat]', HTMLButtonElement);
    const chat = new Chat(find(root, '#chat', HTMLElement), chatButton, room, page, signal);
    this.toolbar = new Toolbar(find(root, '.toolbar', HTMLElement), page.language, {
      isOn: (source) => room.localTrack(source)?.muted === false,
      set: (source, on) => this.#turn(source, on),
      failed: (error, source) => page.notices.error(error, () => this.toolbar.toggle(source)),
      leave: () => room.leave(),
      keys: { h: () => hand.toggle(), c: () => chat.toggle() },
    }, signal);
    new Manage(find(document, '#manage', HTMLElement), room, page, signal);
    new Picture(find(document, '#picture', HTMLElement), room, page, signal);
    new Visitors(find(document, '#visitors', HTMLElement), room, page, signal);
    new Reconnecting(find(document, '#reconnecting', HTMLElement), room, page, signal);
    new Question(find(document, '#question', HTMLDialogElement), room, page.language, (source) => {
      if (room.localTrack(source)?.muted !== false) this.toolbar.toggle(/** @type {Switch} */ (source));
    }, signal);
    this.#follow();
    this.#offer();
    root.hidden = false;
    root.focus();
    this.#render();
    this.#hear();
    this.speech = setInterval(() => this.#showSpeech(), SPEECH_INTERVAL_MS);
  }

  /**
   * Publish what the lobby opened.
   * @param {Record<'camera'|'microphone', MediaStreamTrack|null>} tracks
   */
  async publish({ camera, microphone }) {
    const { room, deviceIds } = this;
    const failed = (/** @type {import('../halqa/errors.js').HalqaError} */ error) => this.page.notices.error(error);
    const published = [];
    if (microphone) published.push(room.publishMicrophone({ track: microphone, deviceId: deviceIds.microphone }));
    if (camera) published.push(room.publishCamera({ track: camera, deviceId: deviceIds.camera }));
    await Promise.all(published.map((each) => each.catch(failed)));
    this.toolbar.refresh();
  }

  /** Take everything off the page. */
  stop() {
    this.#ending.abort();
    clearInterval(this.speech);
    this.viewing.stop();
    for (const tile of [...this.#cameras.values(), ...this.#screens.values()]) tile.remove();
    this.grid.stop();
    this.root.hidden = true;
  }

  /** Everything that may change the look of tiles, and what is to be said. */
  #follow() {
    const { room } = this;
    const { language, notices } = this.page;
    const render = () => this.#render();
    const listeners = [
      room.on('participant-joined', ({ name }) => notices.announce('class.joined', { name })),
      room.on('participant-left', ({ participant: { name } }) => notices.announce('class.left', { name })),
      room.on('track', ({ participant, track }) => this.#announceScreen(participant, track)),
      room.on('error', (error) => notices.error(error)),
      room.on('muted-by-moderator', ({ source }) => notices.tell(`class.muted.${source}`)),
      room.on('device-changed', ({ source, label }) => notices.tell(`class.device.${source}`, { label })),
      room.on('permissions', () => this.#offer()),
      room.on('local', () => this.toolbar.refresh()),
      ...REDRAWN.map((name) => room.on(name, render)),
      language.on('change', render),
    ];
    this.#ending.signal.addEventListener('abort', () => listeners.forEach((off) => off()));
  }

  /** Show the switches of what we may publish now. */
  #offer() {
    const { publish } = this.room.permissions;
    this.toolbar.offer((source) => publish.includes(source));
  }

  /** Play the sound, with a button where the browser wants a press first. */
  #hear() {
    const { sound } = this.room;
    const button = find(this.root, '.unblock', HTMLButtonElement);
    const off = this.room.on('audio-blocked', (isBlocked) => {
      button.hidden = !isBlocked;
    });
    button.hidden = true;
    button.onclick = () => sound.play();
    this.#ending.signal.addEventListener('abort', () => {
      off();
      button.hidden = true;
    });
    sound.play();
  }

  /**
   * @param {Switch} source
   * @param {boolean} on
   */
  async #turn(source, on) {
    const { room, deviceIds } = this;
    this.page.notices.clear();
    if (source === 'screen') await (on ? room.publishScreen() : room.unpublish('screen'));
    else if (room.localTrack(source)) await room.mute(source, !on);
    else if (source === 'camera') await room.publishCamera({ deviceId: deviceIds.camera });
    else await room.publishMicrophone({ deviceId: deviceIds.microphone });
  }

  /** Bring tiles in line with the room; cheap enough to run after every event. */
  #render() {
    const { room } = this;
    const people = room.local === null ? [] : [room.local, ...room.participants.values()];
    const count = this.#cameras.size;
    this.#keep(this.#cameras, people.map(({ id }) => id), 'camera', this.grid.element);
    for (const person of people) this.#renderPerson(person);
    this.#renderStage(people);
    if (this.#cameras.size !== count) this.grid.fit();
    this.viewing.update();
  }

  /** @param {Participant} person */
  #renderPerson(person) {
    const { room } = this;
    const { language } = this.page;
    const tile = /** @type {Tile} */ (this.#cameras.get(person.id));
    const tracks = [...person.tracks.values()];
    const camera = tracks.find(({ source, state }) => source === 'camera' && state === 'live');
    const hears = tracks.some(({ source, state }) => source === 'microphone' && state === 'live');
    const place = room.decisions.hands.indexOf(person.id) + 1;
    const isWeak = person.quality !== null && WEAK.has(person.quality);
    tile.rename(person.name, person.isLocal ? language.text('class.you', { name: person.name }) : person.name);
    tile.element.classList.toggle('own', person.isLocal);
    if (person.isLocal) tile.show(room.localTrack('camera')?.mediaTrack ?? null);
    else tile.show(camera ? this.#carried(camera) : null, camera?.id);
    tile.mark('microphone-off', hears ? null : language.text('class.microphone_off'));
    tile.mark('weak', isWeak && !person.suspended ? language.text(`quality.${person.quality}`) : null);
    tile.mark('resting', camera && !person.suspended ? this.#restingWords(camera) : null);
    tile.mark('away', person.suspended ? language.text('class.away') : null);
    tile.mark('spotlit', room.decisions.spotlight.includes(person.id) ? language.text('class.spotlit') : null);
    tile.raise(place, language.text('class.hand', { place }));
    tile.menu?.refresh();
  }

  /**
   * Screens that are shared take the stage; without one, who is in the spotlight.
   * @param {Participant[]} people
   */
  #renderStage(people) {
    const screens = people.filter(({ isLocal }) => !isLocal).flatMap((person) => (
      [...person.tracks.values()].filter(({ id, source }) => source === 'screen' && this.#carried({ id }))
        .map((track) => ({ person, track }))
    ));
    this.#keep(this.#screens, screens.map(({ track }) => track.id), 'screen', this.stage);
    for (const { person, track } of screens) {
      const tile = /** @type {Tile} */ (this.#screens.get(track.id));
      tile.rename(person.name, this.page.language.text('class.screen_of', { name: person.name }));
      tile.show(track.state === 'live' ? this.#carried(track) : null, track.id);
      tile.mark('resting', track.state === 'live' ? this.#restingWords(track) : null);
    }
    const { spotlight } = this.room.decisions;
    const isSpotlit = (/** @type {string} */ id) => screens.length === 0 && people.length > 1 && spotlight.includes(id);
    for (const [id, { element }] of this.#cameras) {
      const place = isSpotlit(id) ? this.stage : this.grid.element;
      if (element.parentElement !== place) place.append(element);
    }
    const wasStaged = !this.stage.hidden;
    this.stage.hidden = this.stage.childElementCount === 0;
    this.root.classList.toggle('staged', !this.stage.hidden);
    if (wasStaged === this.stage.hidden) this.grid.fit();
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
      const menu = kind === 'camera' ? new TileMenu(id, this.room, this.page, this.#ending.signal) : null;
      const tile = new Tile(kind, menu);
      tiles.set(id, tile);
      place.append(tile.element);
    }
  }

  /**
   * @param {{id: string}} track
   * @returns {MediaStreamTrack|null} of the slot that carries it
   */
  #carried({ id }) {
    return this.room.slots.find(({ track }) => track === id)?.mediaTrack ?? null;
  }

  /**
   * @param {{id: string}} track
   * @returns {string|null} why nothing is sent of what a slot carries; null: something is
   */
  #restingWords({ id }) {
    if (!this.room.slots.some(({ track, paused }) => track === id && paused)) return null;
    return this.page.language.text(this.room.limit === null ? 'class.resting' : 'class.resting.limit');
  }

  #measure() {
    const scale = window.devicePixelRatio;
    const cameras = [...this.room.participants.values()].flatMap((person) => {
      const element = this.#cameras.get(person.id)?.element;
      if (!element) return [];
      const inSight = element.parentElement === this.stage || this.grid.inSight(element);
      const seen = { height: element.clientHeight * scale, inSight };
      return [...person.tracks.values()].filter(({ source }) => source === 'camera')
        .map(({ id, state }) => ({ track: id, live: state === 'live', ...seen }));
    });
    return { cameras, stageHeight: this.stage.hidden ? 0 : this.stage.clientHeight * scale };
  }

  /** Who speaks, as the server says, and as we hear ourselves: whoever of the two knows it first. */
  #showSpeech() {
    const now = performance.now();
    for (const { participant } of this.room.decisions.speakers) this.#loudAt.set(participant, now);
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
    if (source === 'screen' && state === 'live' && !isLocal) this.page.notices.announce('class.sharing', { name });
  }
}
