/** Ask the server for what is in sight, in the size in which it is shown. */

/** @import { Room } from '../halqa/room.js' */
/** @import { Slot, SlotKind, ViewRequest } from '../halqa/types.js' */

/**
 * @typedef {object} Camera  of another participant
 * @property {string} track
 * @property {number} height  of its tile, device pixels
 * @property {boolean} inSight
 * @property {boolean} live  not muted
 */

/** Windows are dragged and people come in groups: one request a quarter of a second follows closely enough. */
const DEBOUNCE_MS = 250;
/** Heights are rounded up to this, so that a window changing by a few pixels asks for nothing new. Device pixels. */
const HEIGHT_STEP = 90;
/** Tiles up to this height show faces the size of a stamp: half of the frames are enough. Device pixels. */
const SMALL_HEIGHT = 180;
const SMALL_FRAME_RATE = 15;

/**
 * Say for every video and screen slot what it shall carry. While there are enough slots the server chooses, which shows
 * a newcomer at once; beyond that, those in sight get them, and who has one keeps it.
 * @param {Slot[]} slots
 * @param {Camera[]} cameras  in the order in which they are shown
 * @param {number} stageHeight  device pixels; 0: no screen is shown
 * @returns {ViewRequest[]}
 */
export function planView(slots, cameras, stageHeight) {
  const ofKind = (/** @type {SlotKind} */ kind) => slots.filter((slot) => slot.kind === kind);
  const screen = ofKind('screen').map(({ mid }) => ({ mid, track: 'auto', ...size(stageHeight) }));
  const video = ofKind('video');
  const seen = cameras.filter(({ inSight }) => inSight);
  const wanted = size(Math.max(0, ...seen.map(({ height }) => height)));
  if (cameras.length <= video.length) {
    return [...video.map(({ mid }) => ({ mid, track: 'auto', ...wanted })), ...screen];
  }
  const tracks = seen.filter(({ live }) => live).slice(0, video.length).map(({ track }) => track);
  const waiting = tracks.filter((track) => !video.some((slot) => slot.track === track));
  const chosen = video.map((slot) => {
    const track = slot.track !== null && tracks.includes(slot.track) ? slot.track : (waiting.shift() ?? null);
    return track === null ? { mid: slot.mid, track } : { mid: slot.mid, track, ...wanted };
  });
  return [...chosen, ...screen];
}

/**
 * @param {number} height  0: unknown, ask for no particular size
 * @returns {{height: number|null, frameRate: number|null}}
 */
function size(height) {
  if (height === 0) return { height: null, frameRate: null };
  const rounded = Math.ceil(height / HEIGHT_STEP) * HEIGHT_STEP;
  return { height: rounded, frameRate: rounded <= SMALL_HEIGHT ? SMALL_FRAME_RATE : null };
}

export class Viewing {
  #timer = 0;
  /** What was asked last, by mid. @type {Map<string, string>} */
  #asked = new Map();

  /**
   * @param {Room} room
   * @param {() => {cameras: Camera[], stageHeight: number}} measure
   */
  constructor(room, measure) {
    this.room = room;
    this.measure = measure;
  }

  /** Something moved: ask soon for what changed by it. */
  update() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), DEBOUNCE_MS);
  }

  stop() {
    clearTimeout(this.#timer);
  }

  async #ask() {
    const { cameras, stageHeight } = this.measure();
    const plan = planView(this.room.slots, cameras, stageHeight);
    const changed = plan.filter((request) => this.#asked.get(request.mid ?? '') !== JSON.stringify(request));
    if (changed.length === 0) return;
    for (const request of changed) this.#asked.set(request.mid ?? '', JSON.stringify(request));
    try {
      await this.room.view(changed);
    } catch (error) {
      if (this.room.state === 'closed') return;
      console.warn('halqa: the view was not changed', error);
      for (const { mid } of changed) this.#asked.delete(mid ?? '');  // asked again at the next change
    }
  }
}
