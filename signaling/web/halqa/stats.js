/** What getStats says, in a few numbers a track: how much, how large, how well. */

/** @import { Slot, Source } from './types.js' */

/**
 * @typedef {object} SendingStats
 * @property {Source} source
 * @property {number} bitrateBps  since the last call
 * @property {number} lossFraction  0 to 1, as the server last reported
 * @property {number|null} rttMs
 * @property {number} width  of the largest encoding that is sent
 * @property {number} height
 * @property {number} frameRate
 * @property {string} limitedBy  "none", "cpu", "bandwidth" or "other"
 * @property {string[]} encodings  rids that are sent now
 */

/**
 * @typedef {object} ReceivingStats
 * @property {string} mid
 * @property {string} kind
 * @property {string|null} track
 * @property {string|null} participant
 * @property {number} bitrateBps  since the last call
 * @property {number} lossFraction  0 to 1, since the last call
 * @property {number} jitterMs
 * @property {number} width
 * @property {number} height
 * @property {number} frameRate
 * @property {number} freezes  since the last call
 * @property {number} frozenMs  since the last call
 * @property {number} concealedFraction  of the sound, 0 to 1, since the last call
 */

/**
 * @typedef {object} Stats
 * @property {{rttMs: number|null, sendBps: number, receiveBps: number, localCandidate: string|null}} transport
 * @property {SendingStats[]} sending
 * @property {ReceivingStats[]} receiving  only slots that carry something
 */

/** @typedef {Record<string, any>} Report */

export class StatsReader {
  /** @type {Map<string, Report>} */
  #before = new Map();

  /**
   * @param {RTCStatsReport} current
   * @param {Map<string, Source>} sections  on which we send, by mid
   * @param {Slot[]} slots
   * @returns {Stats}
   */
  read(current, sections, slots) {
    const reports = /** @type {Report[]} */ ([...current.values()]);
    const ofType = (/** @type {string} */ type) => reports.filter((report) => report.type === type);
    const outbound = ofType('outbound-rtp');
    const remote = new Map(ofType('remote-inbound-rtp').map((report) => [report.localId, report]));
    const inbound = new Map(ofType('inbound-rtp').map((report) => [report.mid, report]));
    const stats = {
      transport: this.#transport(ofType('transport')[0], current),
      sending: [...sections].flatMap(([mid, source]) => {
        const encodings = outbound.filter((report) => report.mid === mid && report.packetsSent > 0);
        return encodings.length === 0 ? [] : [this.#sending(source, encodings, remote)];
      }),
      receiving: slots.flatMap((slot) => {
        const report = inbound.get(slot.mid);
        return slot.track === null || !report ? [] : [this.#receiving(slot, report)];
      }),
    };
    this.#before = new Map(reports.map((report) => [report.id, report]));
    return stats;
  }

  /**
   * @param {Report|undefined} transport
   * @param {RTCStatsReport} current
   */
  #transport(transport, current) {
    if (!transport) return { rttMs: null, sendBps: 0, receiveBps: 0, localCandidate: null };
    const pair = current.get(transport.selectedCandidatePairId);
    return {
      rttMs: milliseconds(pair?.currentRoundTripTime),
      sendBps: this.#rate(transport, 'bytesSent'),
      receiveBps: this.#rate(transport, 'bytesReceived'),
      localCandidate: current.get(pair?.localCandidateId)?.candidateType ?? null,
    };
  }

  /**
   * @param {Source} source
   * @param {Report[]} encodings
   * @param {Map<string, Report>} remote
   * @returns {SendingStats}
   */
  #sending(source, encodings, remote) {
    const sent = encodings.filter((report) => this.#grown(report, 'packetsSent') > 0);
    const height = (/** @type {Report} */ { frameHeight = 0 }) => frameHeight;
    const largest = sent.reduce((best, each) => (height(each) > height(best) ? each : best), encodings[0]);
    const heard = encodings.map(({ id }) => remote.get(id)).filter((report) => report !== undefined);
    return {
      source,
      bitrateBps: encodings.reduce((sum, report) => sum + this.#rate(report, 'bytesSent'), 0),
      lossFraction: Math.max(0, ...heard.map(({ fractionLost = 0 }) => fractionLost)),
      rttMs: milliseconds(heard.find(({ roundTripTime }) => roundTripTime !== undefined)?.roundTripTime),
      width: largest.frameWidth ?? 0,
      height: largest.frameHeight ?? 0,
      frameRate: largest.framesPerSecond ?? 0,
      limitedBy: largest.qualityLimitationReason ?? 'none',
      encodings: sent.map(({ rid }) => rid).filter((rid) => rid !== undefined),
    };
  }

  /**
   * @param {Slot} slot
   * @param {Report} report
   * @returns {ReceivingStats}
   */
  #receiving({ mid, kind, track, participant }, report) {
    const lost = Math.max(0, this.#grown(report, 'packetsLost'));
    const samples = this.#grown(report, 'totalSamplesReceived');
    return {
      mid,
      kind,
      track,
      participant,
      bitrateBps: this.#rate(report, 'bytesReceived'),
      lossFraction: fraction(lost, lost + this.#grown(report, 'packetsReceived')),
      jitterMs: milliseconds(report.jitter) ?? 0,
      width: report.frameWidth ?? 0,
      height: report.frameHeight ?? 0,
      frameRate: report.framesPerSecond ?? 0,
      freezes: this.#grown(report, 'freezeCount'),
      frozenMs: Math.round(this.#grown(report, 'totalFreezesDuration') * 1000),
      concealedFraction: fraction(this.#grown(report, 'concealedSamples'), samples),
    };
  }

  /**
   * @param {Report} report
   * @param {string} counter
   * @returns {number} since the last call
   */
  #grown(report, counter) {
    return (report[counter] ?? 0) - (this.#before.get(report.id)?.[counter] ?? 0);
  }

  /**
   * @param {Report} report
   * @param {string} bytes  a counter
   * @returns {number} bits per second since the last call; 0 at the first
   */
  #rate(report, bytes) {
    const before = this.#before.get(report.id);
    const elapsedMs = before ? report.timestamp - before.timestamp : 0;
    return elapsedMs > 0 ? Math.round((this.#grown(report, bytes) * 8000) / elapsedMs) : 0;
  }
}

/** @param {number|undefined} seconds */
function milliseconds(seconds) {
  return seconds === undefined ? null : Math.round(seconds * 1000);
}

/**
 * @param {number} part
 * @param {number} whole
 */
function fraction(part, whole) {
  return whole > 0 ? part / whole : 0;
}
