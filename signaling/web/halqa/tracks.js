/** What we publish: camera, microphone, screen and its sound, each with its mute; one operation a source at a time. */

import { HalqaError } from './errors.js';

/** @import { Connection } from './connection.js' */
/** @import { ServerMessage } from './signal.js' */
/** @import { LocalTrack, Source, Track } from './types.js' */

/** @typedef {() => Promise<MediaStreamTrack>} Opener  opens the device, also for the second time */
/** @typedef {LocalTrack & {open: Opener}} Published */

/**
 * @typedef {object} Surroundings
 * @property {(type: string, fields: Record<string, unknown>) => Promise<ServerMessage>} ask  the server
 * @property {(source: Source) => Track|null} told  our track of this source as the room has it
 * @property {(source: Source) => void} changed  get(source) now says something else
 * @property {(source: Source) => void} lost  the device or the browser ended the track
 */

/** Sources whose device is let go while muted; a microphone stays open, so that unmuting loses no word. */
const RELEASED_WHILE_MUTED = new Set(['camera']);

export class LocalTracks {
  /** @type {Map<Source, Published>} */
  #tracks = new Map();
  /** @type {Map<Source, Promise<unknown>>} the last operation of each source; never rejected */
  #turns = new Map();
  #closed = false;

  /**
   * @param {Connection} connection
   * @param {Surroundings} surroundings
   */
  constructor(connection, surroundings) {
    this.connection = connection;
    this.surroundings = surroundings;
  }

  /**
   * @param {Source} source
   * @returns {LocalTrack|null}
   */
  get(source) {
    return this.#tracks.get(source) ?? null;
  }

  /**
   * Publish what `open` returns; if `source` is published already, change its device without telling anyone.
   * @param {Source} source
   * @param {Opener} open
   * @returns {Promise<LocalTrack>}
   */
  publish(source, open) {
    return this.#inTurn(source, async () => {
      const mediaTrack = await this.#opened(source, open);
      const current = this.#tracks.get(source);
      const { connection } = this;
      let track = current;
      try {
        await connection.carry(source, mediaTrack);
        if (track) await this.#tell('mute', { track: track.id, muted: false }, track.muted);
        else track = { source, id: await this.#announce(source, mediaTrack, false), mediaTrack, muted: false, open };
        if (this.connection !== connection) await this.connection.carry(source, mediaTrack);  // we had to join again
      } catch (error) {
        mediaTrack.stop();
        if (!this.#closed) await this.connection.carry(source, current?.muted ? null : (current?.mediaTrack ?? null));
        throw error;
      }
      current?.mediaTrack?.stop();
      this.#tracks.set(source, Object.assign(track, { mediaTrack, open, muted: false }));
      this.#watch(source, mediaTrack);
      this.surroundings.changed(source);
      return track;
    });
  }

  /**
   * Use another device for what is published, muted or not, without telling anyone.
   * @param {Source} source
   * @param {Opener} open
   * @returns {Promise<void>}
   */
  changeDevice(source, open) {
    return this.#inTurn(source, async () => {
      const track = this.#tracks.get(source);
      if (!track) throw new HalqaError('wrong_state', `${source} is not published`, { source });
      const former = track.mediaTrack;
      if (former === null) {
        track.open = open;
        return;
      }
      const mediaTrack = await this.#opened(source, open);
      mediaTrack.enabled = !track.muted;
      if (!track.muted) await this.connection.carry(source, mediaTrack);
      former.stop();
      Object.assign(track, { mediaTrack, open });
      this.#watch(source, mediaTrack);
      this.surroundings.changed(source);
    });
  }

  /**
   * @param {Source} source
   * @returns {Promise<void>}
   */
  unpublish(source) {
    return this.#inTurn(source, async () => {
      const track = this.#tracks.get(source);
      if (!track) return;
      await this.#drop(track);
      await this.#tell('unpublish', { track: track.id });
    });
  }

  /**
   * Stop or resume sending; the server keeps the track, and viewers their slot.
   * @param {Source} source
   * @param {boolean} muted
   * @returns {Promise<void>}
   */
  mute(source, muted) {
    return this.#inTurn(source, async () => {
      const track = this.#tracks.get(source);
      if (!track) throw new HalqaError('wrong_state', `${source} is not published`, { source });
      if (track.muted === muted) return;
      if (muted) await this.#pause(track);
      else await this.#resume(track);
      try {
        await this.#tell('mute', { track: track.id, muted });
      } catch (error) {
        // Whatever the server holds: we send nothing that nobody agreed to.
        if (!muted && !this.#closed) await this.#pause(track);
        throw error;
      }
    });
  }

  /**
   * The server ended one of our tracks.
   * @param {Source} source
   * @param {string} trackId
   */
  ended(source, trackId) {
    return this.#inTurn(source, async () => {
      const track = this.#tracks.get(source);
      if (track?.id === trackId) await this.#drop(track);
    });
  }

  /**
   * The server said something about our track of this source that we may not have asked for.
   * @param {Source} source
   * @returns {Promise<boolean>} it is muted now, by somebody else
   */
  follow(source) {
    return this.#inTurn(source, async () => {
      const track = this.#tracks.get(source);
      if (!track || track.muted || this.surroundings.told(source)?.state !== 'muted') return false;
      await this.#pause(track);
      return true;
    });
  }

  /**
   * Send over another connection from now on.
   * @param {Connection} connection
   */
  async move(connection) {
    this.connection = connection;
    await Promise.all([...this.#tracks.values()].map(({ source, muted, mediaTrack }) => (
      muted ? null : connection.carry(source, mediaTrack)
    )));
  }

  /**
   * We are in the room as a new participant, who has published nothing yet.
   * @param {(error: HalqaError) => void} failed
   */
  async republish(failed) {
    await Promise.all([...this.#tracks.keys()].map((source) => this.#inTurn(source, async () => {
      const track = this.#tracks.get(source);
      if (!track || this.surroundings.told(source)?.id === track.id) return;
      try {
        track.id = await this.#announce(source, track.mediaTrack, track.muted);
        this.surroundings.changed(source);
      } catch (error) {
        await this.#drop(track);
        failed(/** @type {HalqaError} */ (error));
      }
    })));
  }

  /** Let go of every device. */
  close() {
    this.#closed = true;
    for (const { mediaTrack } of this.#tracks.values()) mediaTrack?.stop();
    this.#tracks.clear();
  }

  /** @param {Published} track */
  async #pause(track) {
    await this.connection.carry(track.source, null);
    track.muted = true;
    if (RELEASED_WHILE_MUTED.has(track.source)) {
      track.mediaTrack?.stop();
      track.mediaTrack = null;
    } else if (track.mediaTrack) {
      track.mediaTrack.enabled = false;
    }
    this.surroundings.changed(track.source);
  }

  /** @param {Published} track */
  async #resume(track) {
    let { mediaTrack } = track;
    if (mediaTrack === null || mediaTrack.readyState === 'ended') {
      mediaTrack = await this.#opened(track.source, track.open);
      track.mediaTrack = mediaTrack;
      this.#watch(track.source, mediaTrack);
    }
    mediaTrack.enabled = true;
    await this.connection.carry(track.source, mediaTrack);
    track.muted = false;
    this.surroundings.changed(track.source);
  }

  /** @param {LocalTrack} track */
  async #drop(track) {
    this.#tracks.delete(track.source);
    track.mediaTrack?.stop();
    await this.connection.carry(track.source, null);
    this.surroundings.changed(track.source);
  }

  /**
   * @param {Source} source
   * @param {MediaStreamTrack|null} mediaTrack
   * @param {boolean} muted
   * @returns {Promise<string>} the track's id
   */
  async #announce(source, mediaTrack, muted) {
    const { width, height } = mediaTrack?.getSettings() ?? {};
    const size = width && height ? { width: Math.round(width), height: Math.round(height) } : {};
    const fields = { mid: this.connection.midOf(source), source, ...size, muted: muted || undefined };
    try {
      return (await this.surroundings.ask('publish', fields)).track.id;
    } catch (error) {
      const told = this.surroundings.told(source);  // the answer was lost with the connection, the deed was not
      if (told && error instanceof HalqaError && error.code === 'section_busy') return told.id;
      throw error;
    }
  }

  /**
   * @param {'mute'|'unpublish'} type
   * @param {{track: string, muted?: boolean}} fields
   * @param {boolean} [needed]
   */
  async #tell(type, fields, needed = true) {
    if (!needed) return;
    try {
      await this.surroundings.ask(type, fields);
    } catch (error) {
      // We had to join again meanwhile: it is published again as it is now.
      if (!(error instanceof HalqaError) || error.code !== 'unknown_track') throw error;
    }
  }

  /**
   * @param {Source} source
   * @param {Opener} open
   */
  async #opened(source, open) {
    const mediaTrack = await open();
    if (!this.#closed) return mediaTrack;
    mediaTrack.stop();
    throw new HalqaError('closed', `the room was closed while ${source} was opening`, { source });
  }

  /**
   * @param {Source} source
   * @param {MediaStreamTrack} mediaTrack
   */
  #watch(source, mediaTrack) {
    mediaTrack.addEventListener('ended', () => {
      if (this.#tracks.get(source)?.mediaTrack === mediaTrack) this.surroundings.lost(source);
    }, { once: true });
  }

  /**
   * @template Result
   * @param {Source} source
   * @param {() => Promise<Result>} operation
   * @returns {Promise<Result>}
   */
  #inTurn(source, operation) {
    const result = (this.#turns.get(source) ?? Promise.resolve()).then(() => {
      if (this.#closed) throw new HalqaError('closed', 'the room is closed', { source });
      return operation();
    });
    this.#turns.set(source, result.catch(() => {}));
    return result;
  }
}
