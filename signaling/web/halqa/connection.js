/** One RTCPeerConnection, negotiated once: every section that we may ever send or receive is in the first offer. */

import { cameraEncodings, codecPreferences, screenEncodings } from './encodings.js';
import { Emitter } from './events.js';

/** @import { ConnectionOptions, SlotKind, Source } from './types.js' */

/** @typedef {'connected'|'interrupted'|'failed'} MediaState */

/** The audio default fits three loudest speakers and a pinned teacher, the video default a grid of three by three. */
export const DEFAULT_SLOTS = { audio: 4, video: 9, screen: 1 };

/** ICE and DTLS take well under a second; after this a network drops our UDP, and waiting longer will not help. */
const MEDIA_TIMEOUT_MS = 20_000;

/** @extends {Emitter<{state: MediaState}>} */
export class Connection extends Emitter {
  /** @type {RTCPeerConnection} */
  #peer;
  /** @type {Map<Source, RTCRtpTransceiver>} */
  #sending;
  /** @type {{kind: SlotKind, transceiver: RTCRtpTransceiver}[]} */
  #receiving;
  #timer = 0;

  /**
   * @param {ConnectionOptions} [options]
   * @throws {import('./errors.js').HalqaError} `codec_unsupported`
   */
  constructor({ slots = {}, codec, scalabilityMode } = {}) {
    super();
    const preferences = codec === undefined ? null : codecPreferences(codec);
    this.#peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' });
    this.#peer.onconnectionstatechange = () => this.#report();
    this.#sending = new Map([
      ['microphone', this.#send('audio')],
      ['camera', this.#send('video', cameraEncodings(codec, scalabilityMode), preferences)],
      ['screen', this.#send('video', screenEncodings(codec), preferences)],
      ['screen_audio', this.#send('audio')],
    ]);
    this.#receiving = Object.entries({ ...DEFAULT_SLOTS, ...slots }).flatMap(([kind, count]) => (
      Array.from({ length: count }, () => this.#receive(/** @type {SlotKind} */ (kind)))
    ));
  }

  /**
   * @returns {Promise<string>} SDP; sections have their mids from here on. It carries no candidates: the server is
   *   ICE-lite and learns our address from our checks (RFC 8445 section 7.3.1.3).
   */
  async createOffer() {
    await this.#peer.setLocalDescription(await this.#peer.createOffer());
    return /** @type {RTCSessionDescription} */ (this.#peer.localDescription).sdp;
  }

  /** @param {string} sdp */
  async applyAnswer(sdp) {
    await this.#peer.setRemoteDescription({ type: 'answer', sdp });
    if (this.#peer.connectionState === 'connected') return;
    this.#timer = setTimeout(() => this.emit('state', 'failed'), MEDIA_TIMEOUT_MS);
  }

  /** @returns {{mid: string, kind: SlotKind, receiver: RTCRtpReceiver}[]} valid after createOffer */
  get receiveSections() {
    return this.#receiving.map(({ kind, transceiver }) => (
      { mid: /** @type {string} */ (transceiver.mid), kind, receiver: transceiver.receiver }
    ));
  }

  /**
   * @param {Source} source
   * @returns {string}
   */
  midOf(source) {
    return /** @type {string} */ (this.#sending.get(source).mid);
  }

  /**
   * Send this track, or nothing, on the section of `source`: no new SDP.
   * @param {Source} source
   * @param {MediaStreamTrack|null} mediaTrack
   */
  async carry(source, mediaTrack) {
    await this.#sending.get(source).sender.replaceTrack(mediaTrack);
  }

  /** @returns {Promise<RTCStatsReport>} */
  getStats() {
    return this.#peer.getStats();
  }

  close() {
    clearTimeout(this.#timer);
    this.#peer.onconnectionstatechange = null;
    this.#peer.close();
  }

  #report() {
    const state = this.#peer.connectionState;
    if (state === 'connected') {
      clearTimeout(this.#timer);
      this.emit('state', 'connected');
    }
    if (state === 'disconnected') this.emit('state', 'interrupted');
    if (state === 'failed') this.emit('state', 'failed');
  }

  /**
   * @param {'audio'|'video'} kind
   * @param {RTCRtpEncodingParameters[]} [sendEncodings]
   * @param {RTCRtpCodec[]|null} [preferences]
   */
  #send(kind, sendEncodings = [], preferences = null) {
    const transceiver = this.#peer.addTransceiver(kind, { direction: 'sendonly', sendEncodings });
    if (preferences !== null) transceiver.setCodecPreferences(preferences);
    return transceiver;
  }

  /** @param {SlotKind} kind */
  #receive(kind) {
    const transceiver = this.#peer.addTransceiver(kind === 'audio' ? 'audio' : 'video', { direction: 'recvonly' });
    return { kind, transceiver };
  }
}
