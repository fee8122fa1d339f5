/** What we publish: camera, microphone, screen and its sound, each with its mute; one operation a source at a time. */

import { HalqaError } from './errors.js';

/** @import { Connection } from './connection.js' */
/** @import { Signal } from './signal.js' */
/** @import { LocalTrack, Source } from './types.js' */

/** @typedef {() => Promise<MediaStreamTrack>} Opener  opens the device, also for the second time */

/** Sources whose device is let go while muted; a microphone stays open, so that unmuting loses no word. */
const RELEASED_WHILE_MUTED = new Set(['camera']);

export class LocalTracks {
  /** @type {Map<Source, LocalTrack & {open: Opener}>} */
  #tracks = new Map();
  /** @type {Map<Source, Promise<unknown>>} the last operation of each source; never rejected */
  #turns = new Map();
  #closed = false;

  /**
   * @param {Connection} connection
   * @param {Signal} signal
   * @param {{changed: (source: Source) => void, lost: (source: Source) => void}} listener
   *   changed: get(source) now says something else; lost: the device or the browser ended the track
   */
  constructor(connection, signal, listener) {
    this.connection = connection;
    this.signal = signal;
    this.listener = listener;
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
      try {
        await this.connection.carry(source, mediaTrack);
        if (current) {
          if (current.muted) await this.signal.request('mute', { track: current.id, muted: false });
        } else {
          this.#tracks.set(source, await this.#announce(source, mediaTrack, open));
        }
      } catch (error) {
        mediaTrack.stop();
        if (!this.#closed) await this.connection.carry(source, current?.muted ? null : (current?.mediaTrack ?? null));
        throw error;
      }
      current?.mediaTrack?.stop();
      const track = this.#tracks.get(source);
      Object.assign(track, { mediaTrack, open, muted: false });
      this.#watch(source, mediaTrack);
      this.listener.changed(source);
      return track;
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
      await this.signal.request('unpublish', { track: track.id });
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
        await this.signal.request('mute', { track: track.id, muted });
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

  /** Let go of every device. */
  close() {
    this.#closed = true;
    for (const { mediaTrack } of this.#tracks.values()) mediaTrack?.stop();
    this.#tracks.clear();
  }

  /** @param {LocalTrack} track */
  async #pause(track) {
    await this.connection.carry(track.source, null);
    track.muted = true;
    if (RELEASED_WHILE_MUTED.has(track.source)) {
      track.mediaTrack.stop();
      track.mediaTrack = null;
    } else {
      track.mediaTrack.enabled = false;
    }
    this.listener.changed(track.source);
  }

  /** @param {LocalTrack & {open: Opener}} track */
  async #resume(track) {
    if (track.mediaTrack === null || track.mediaTrack.readyState === 'ended') {
      track.mediaTrack = await this.#opened(track.source, track.open);
      this.#watch(track.source, track.mediaTrack);
    }
    track.mediaTrack.enabled = true;
    await this.connection.carry(track.source, track.mediaTrack);
    track.muted = false;
    this.listener.changed(track.source);
  }

  /** @param {LocalTrack} track */
  async #drop(track) {
    this.#tracks.delete(track.source);
    track.mediaTrack?.stop();
    await this.connection.carry(track.source, null);
    this.listener.changed(track.source);
  }

  /**
   * @param {Source} source
   * @param {MediaStreamTrack} mediaTrack
   * @param {Opener} open
   */
  async #announce(source, mediaTrack, open) {
    const { width, height } = mediaTrack.getSettings();
    const size = width && height ? { width: Math.round(width), height: Math.round(height) } : {};
    const reply = await this.signal.request('publish', { mid: this.connection.midOf(source), source, ...size });
    return { source, id: reply.track.id, mediaTrack, muted: false, open };
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
      if (this.#tracks.get(source)?.mediaTrack === mediaTrack) this.listener.lost(source);
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
