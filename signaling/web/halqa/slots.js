/** The receive sections: fixed MediaStreamTracks onto which the server puts one published track after the other. */

/** @import { Slot, SlotKind, ViewRequest } from './types.js' */

/**
 * @typedef {{mid: string, track: string|null, participant: string|null, encoding?: string|null, paused?: boolean}}
 *   SlotChange
 */
/** @typedef {{mid: string, kind: SlotKind, receiver: RTCRtpReceiver}} Section */
/** @typedef {Pick<ViewRequest, 'track'|'height'|'frameRate'>} Wish */

export class Slots {
  /** @type {Map<string, Slot>} */
  #slots = new Map();
  /** What was asked with `view`, for the case that we must join again. @type {Map<string, Wish>} */
  #wishes = new Map();

  /**
   * Take over the sections of a connection. Slots stay the same objects, with empty sections of the new connection.
   * @param {Section[]} sections
   */
  bind(sections) {
    this.#slots = new Map(sections.map(({ mid, kind, receiver }) => {
      const empty = { track: null, participant: null, encoding: null, paused: false };
      const section = { mid, kind, receiver, mediaTrack: receiver.track };
      return [mid, Object.assign(this.#slots.get(mid) ?? {}, section, empty)];
    }));
  }

  /** @returns {Slot[]} in the order of the offer */
  get all() {
    return [...this.#slots.values()];
  }

  /**
   * @param {string} trackId
   * @returns {Slot|null} the slot that carries this track now
   */
  carrying(trackId) {
    return this.all.find((slot) => slot.track === trackId) ?? null;
  }

  /**
   * Take over what the server says; sections that we never offered are passed over.
   * @param {SlotChange[]} changes
   * @returns {Slot[]} the slots named in it
   */
  apply(changes) {
    const changed = [];
    for (const { mid, track = null, participant = null, encoding = null, paused = false } of changes) {
      const slot = this.#slots.get(mid);
      if (!slot) continue;
      Object.assign(slot, { track, participant, encoding, paused });
      changed.push(slot);
    }
    return changed;
  }

  /**
   * @param {ViewRequest[]} requests
   * @returns {({mid: string|undefined} & Wish)[]}  with mids
   */
  remember(requests) {
    return requests.map(({ slot, mid = slot?.mid, track, height, frameRate }) => {
      const wish = { track, height, frameRate };
      const said = Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined));
      if (mid !== undefined) this.#wishes.set(mid, { ...this.#wishes.get(mid), ...said });
      return { mid, ...wish };
    });
  }

  /**
   * @param {(trackId: string) => boolean} exists
   * @returns {ViewRequest[]} what was asked so far, as far as it still makes sense
   */
  wishes(exists) {
    return [...this.#wishes].map(([mid, { track, ...size }]) => {
      const isGone = typeof track === 'string' && track !== 'auto' && !exists(track);
      return { mid, track: isGone ? 'auto' : track, ...size };
    });
  }
}

/**
 * How loud an audio slot is now, 0 to 1 (from the audio-level header extension, RFC 6464); 0 for other kinds.
 * @param {Slot} slot
 */
export function loudness(slot) {
  if (slot.kind !== 'audio') return 0;
  return slot.receiver.getSynchronizationSources()[0]?.audioLevel ?? 0;
}
