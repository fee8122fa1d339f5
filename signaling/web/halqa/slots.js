/** The receive sections: fixed MediaStreamTracks onto which the server puts one published track after the other. */

/** @import { Slot, SlotKind } from './types.js' */

/** @typedef {{mid: string, track: string|null, participant: string|null, encoding?: string|null}} SlotChange */

export class Slots {
  /** @type {Map<string, Slot>} */
  #slots;

  /** @param {{mid: string, kind: SlotKind, receiver: RTCRtpReceiver}[]} sections */
  constructor(sections) {
    this.#slots = new Map(sections.map(({ mid, kind, receiver }) => [
      mid,
      { mid, kind, receiver, mediaTrack: receiver.track, track: null, participant: null, encoding: null },
    ]));
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
    for (const { mid, track, participant, encoding } of changes) {
      const slot = this.#slots.get(mid);
      if (!slot) continue;
      Object.assign(slot, { track: track ?? null, participant: participant ?? null, encoding: encoding ?? null });
      changed.push(slot);
    }
    return changed;
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
