/** Cameras and microphones come and go while they are in use: what is unplugged falls back to another one. */

import { HalqaError } from './errors.js';

/** @import { Room } from './room.js' */
/** @import { Source } from './types.js' */

export class Equipment {
  #room;
  #tell;
  #watching = new AbortController();

  /**
   * @param {Room} room
   * @param {import('./news.js').Tell} tell  emits an event of the room
   */
  constructor(room, tell) {
    this.#room = room;
    this.#tell = tell;
    const options = { signal: this.#watching.signal };
    navigator.mediaDevices?.addEventListener('devicechange', () => tell('devices', null), options);
  }

  /**
   * A device or the browser ended what we publish from `source`.
   * @param {Source} source
   */
  async lost(source) {
    const room = this.#room;
    try {
      if (source === 'screen' || source === 'screen_audio') await room.unpublish(source);
      else await this.#fallBack(source);
    } catch (error) {
      if (room.state !== 'closed') this.#tell('error', /** @type {HalqaError} */ (error));
    }
  }

  close() {
    this.#watching.abort();
  }

  /** @param {'camera'|'microphone'} source */
  async #fallBack(source) {
    const room = this.#room;
    try {
      await room.switchDevice(source);
    } catch (cause) {
      this.#tell('error', new HalqaError('device_lost', `${source} was taken away`, { source, cause }));
      await room.mute(source, true);
      return;
    }
    const label = room.localTrack(source)?.mediaTrack?.label ?? '';
    if (!room.localTrack(source)?.muted) this.#tell('device-changed', { source, label });
  }
}
