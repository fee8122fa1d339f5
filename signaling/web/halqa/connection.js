/** One RTCPeerConnection, negotiated once: every section that we may ever send or receive is in the first offer. */

import {
  PLAYED_ENCODINGS, VOICE_ENCODINGS, applyLayers, cameraEncodings, codecPreferences, screenEncodings,
} from './encodings.js';
import { Emitter } from './events.js';

/** @import { Encoding } from './encodings.js' */
/** @import { ConnectionOptions, SlotKind, Source } from './types.js' */

/** @typedef {'connected'|'interrupted'|'failed'} MediaState */

/** The audio default fits three loudest speakers and a pinned teacher, the video default a grid of three by three. */
export const DEFAULT_SLOTS = { audio: 4, video: 9, screen: 1 };

/** ICE and DTLS take well under a second; after this a network drops our UDP, and waiting longer will not help. */
const MEDIA_TIMEOUT_MS = 20_000;

/** After that an ICE restart that brought nothing is tried again: a network may have come that was not there before. */
const RESTART_INTERVAL_MS = 3000;

/** @extends {Emitter<{state: MediaState}>} */
export class Connection extends Emitter {
  /** @type {RTCPeerConnection} */
  #peer;
  /** @type {Map<Source, RTCRtpTransceiver>} */
  #sending;
  /** @type {{kind: SlotKind, transceiver: RTCRtpTransceiver}[]} */
  #receiving;
  #timer = 0;
  /** @type {RTCRtpEncodingParameters[]} */
  #cameraEncodings;
  /** @type {RTCRtpEncodingParameters[]} */
  #screenEncodings;
  /** The last change of encodings, one after the other; never rejected. @type {Promise<unknown>} */
  #encoding = Promise.resolve();
  /** What the server said last. @type {Map<Source, Encoding[]>} */
  #told = new Map();
  /** The last negotiation; never rejected. @type {Promise<unknown>} */
  #negotiation = Promise.resolve();
  /** An offer of ours was never answered: what it changed must be offered again. */
  #unanswered = false;
  #restartedAt = -Infinity;

  /**
   * @param {ConnectionOptions} [options]
   * @throws {import('./errors.js').HalqaError} `codec_unsupported`
   */
  constructor({ slots = {}, codec, scalabilityMode } = {}) {
    super();
    const preferences = codec === undefined ? null : codecPreferences(codec);
    this.#peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' });
    this.#peer.onconnectionstatechange = () => this.#report();
    this.#cameraEncodings = cameraEncodings(codec, scalabilityMode);
    this.#screenEncodings = screenEncodings(codec);
    this.#sending = new Map([
      ['microphone', this.#send('audio')],
      ['camera', this.#send('video', this.#cameraEncodings, preferences)],
      ['screen', this.#send('video', this.#screenEncodings, preferences)],
      ['screen_audio', this.#send('audio')],
    ]);
    this.#receiving = Object.entries({ ...DEFAULT_SLOTS, ...slots }).flatMap(([kind, count]) => (
      Array.from({ length: count }, () => this.#receive(/** @type {SlotKind} */ (kind)))
    ));
  }

  /** @returns {boolean} media flows, as far as ICE knows */
  get isConnected() {
    return this.#peer.connectionState === 'connected';
  }

  /** @returns {boolean} ICE found a way; DTLS may still be under way */
  get hasPath() {
    return ['connected', 'completed'].includes(this.#peer.iceConnectionState);
  }

  /** @returns {boolean} an ICE restart was begun a moment ago */
  get isRestarting() {
    return performance.now() - this.#restartedAt < RESTART_INTERVAL_MS;
  }

  /** @returns {boolean} a resumption should restart ICE */
  get isDoubtful() {
    return !this.isConnected || this.#unanswered;
  }

  /**
   * Restart ICE, one at a time: new credentials and candidates, same DTLS and sections (RFC 9429 section 5.2.3.1).
   * @param {(offer: string) => Promise<string>} exchange  gives the offer to the server and returns its answer
   * @returns {Promise<void>}
   */
  restart(exchange) {
    this.#restartedAt = performance.now();
    const done = this.#negotiation.then(async () => {
      this.#unanswered = true;
      await this.#peer.setLocalDescription(await this.#peer.createOffer({ iceRestart: true }));
      const offer = /** @type {RTCSessionDescription} */ (this.#peer.localDescription).sdp;
      const answer = await exchange(withRepeats(withoutCandidates(offer)));
      await this.#peer.setRemoteDescription({ type: 'answer', sdp: answer });
      this.#unanswered = false;
    });
    this.#negotiation = done.catch(() => {});
    return done;
  }

  /**
   * @returns {Promise<string>} SDP; sections have their mids from here on. It carries no candidates: the server is
   *   ICE-lite and learns our address from our checks (RFC 8445 section 7.3.1.3).
   */
  async createOffer() {
    await this.#peer.setLocalDescription(await this.#peer.createOffer());
    return withRepeats(/** @type {RTCSessionDescription} */ (this.#peer.localDescription).sdp);
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
    return /** @type {string} */ (this.#transceiver(source).mid);
  }

  /**
   * Send this track, or nothing, on the section of `source`: no new SDP.
   * @param {Source} source
   * @param {MediaStreamTrack|null} mediaTrack
   */
  async carry(source, mediaTrack) {
    await this.#transceiver(source).sender.replaceTrack(mediaTrack);
    const told = this.#told.get(source);
    if (mediaTrack !== null && told?.some((each) => each.scale_resolution_down_by)) await this.encode(source, told);
  }

  /**
   * Send these encodings of `source` and no others, each up to its bitrate.
   * @param {Source} source
   * @param {Encoding[]} encodings
   */
  async encode(source, encodings) {
    const own = {
      camera: this.#cameraEncodings,
      screen: this.#screenEncodings,
      microphone: VOICE_ENCODINGS,
      screen_audio: PLAYED_ENCODINGS,
    };
    const { sender } = this.#transceiver(source);
    this.#told.set(source, encodings);
    const done = this.#encoding.then(() => applyLayers(sender, encodings, own[source]));
    this.#encoding = done.catch(() => {});
    await done;
  }

  /** @returns {Map<string, Source>} the sections that we send on, by mid */
  get sendSections() {
    return new Map([...this.#sending].map(([source, { mid }]) => [mid ?? '', source]));
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

  /**
   * @param {Source} source
   * @returns {RTCRtpTransceiver}
   */
  #transceiver(source) {
    return /** @type {RTCRtpTransceiver} */ (this.#sending.get(source));
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

/**
 * The server is ICE-lite and uses none of ours; a later offer would carry all that were gathered.
 * @param {string} sdp
 */
function withoutCandidates(sdp) {
  return sdp.split('\r\n').filter((line) => !/^a=(candidate:|end-of-candidates)/.test(line)).join('\r\n');
}

/**
 * Say that lost sound that we send may be asked for again: browsers send it again, but do not offer it.
 * @param {string} sdp
 */
function withRepeats(sdp) {
  return sdp.split(/(?=^m=)/m).map((section) => {
    const opus = /^a=rtpmap:(\d+) opus\/.*$/mi.exec(section);
    if (!section.startsWith('m=audio') || opus === null || !section.includes('a=sendonly')) return section;
    return section.replace(opus[0], `${opus[0]}\r\na=rtcp-fb:${opus[1]} nack`);
  }).join('');
}
