/** The sound of the room: one player a slot, everybody's own volume, and the loudspeaker of choice. */

/** @import { Slot } from './types.js' */

export class Sound {
  /** By mid. @type {Map<string, HTMLAudioElement>} */
  #players = new Map();
  /** By participant id, 0 to 1. @type {Map<string, number>} */
  #volumes = new Map();
  #deviceId = '';
  #wanted = false;
  isBlocked = false;

  /** @param {(isBlocked: boolean) => void} blocked  told when the browser wants a click first, and when that is over */
  constructor(blocked) {
    this.blocked = blocked;
  }

  /**
   * Slots carry something else, or have new media tracks.
   * @param {Slot[]} slots
   */
  follow(slots) {
    for (const { mid, kind, mediaTrack, participant } of slots) {
      if (kind !== 'audio') continue;
      const player = this.#players.get(mid) ?? new Audio();
      this.#players.set(mid, player);
      player.volume = this.#volumes.get(participant ?? '') ?? 1;
      const stream = /** @type {MediaStream|null} */ (player.srcObject);
      if (stream?.getTracks()[0] === mediaTrack) continue;
      player.srcObject = new MediaStream([mediaTrack]);
      if (this.#deviceId) player.setSinkId(this.#deviceId).catch(() => {});
      if (this.#wanted) this.#play(player);
    }
  }

  /** Play everything from now on. From a click, where the browser has blocked it. */
  async play() {
    this.#wanted = true;
    this.#setBlocked(false);
    await Promise.all([...this.#players.values()].map((player) => this.#play(player)));
  }

  /**
   * How loud somebody is for us alone; kept while they are in the room, whichever slot carries them.
   * @param {string} participant  id
   * @param {number} volume  0 to 1
   * @param {Slot[]} slots
   */
  setVolume(participant, volume, slots) {
    this.#volumes.set(participant, Math.min(1, Math.max(0, volume)));
    this.follow(slots);
  }

  /** @param {string} participant */
  volumeOf(participant) {
    return this.#volumes.get(participant) ?? 1;
  }

  /**
   * @param {string} deviceId  of a loudspeaker; "" is the default one
   * @returns {Promise<void>} rejected with DOMException where it cannot be used
   */
  async setDevice(deviceId) {
    await Promise.all([...this.#players.values()].map((player) => player.setSinkId(deviceId)));
    this.#deviceId = deviceId;
  }

  stop() {
    this.#wanted = false;
    for (const player of this.#players.values()) player.srcObject = null;
    this.#players.clear();
    this.#setBlocked(false);
  }

  /** @param {HTMLAudioElement} player */
  async #play(player) {
    try {
      await player.play();
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotAllowedError') this.#setBlocked(true);
    }
  }

  /** @param {boolean} isBlocked */
  #setBlocked(isBlocked) {
    if (isBlocked === this.isBlocked) return;
    this.isBlocked = isBlocked;
    this.blocked(isBlocked);
  }
}
