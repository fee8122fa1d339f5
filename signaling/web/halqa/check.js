/** Before the class: can this device and network take part? Step by step, so that a "no" says where. */

import { listDevices } from './capture.js';
import { Connection } from './connection.js';
import { asHalqaError, HalqaError } from './errors.js';
import { Signal } from './signal.js';

/** @typedef {'devices'|'signal'|'join'|'ice'|'dtls'|'media'} Step */

/**
 * @typedef {object} StepResult
 * @property {Step} step
 * @property {'ok'|'failed'|'skipped'} outcome
 * @property {number} ms  how long it took
 * @property {string|null} code  of the error, if it failed; why it was skipped
 * @property {Record<string, number|string|null>} detail  what was found
 */

const PATH_TIMEOUT_MS = 10_000;
/** Reports of the server come every few seconds at worst. */
const MEDIA_TIMEOUT_MS = 10_000;
const POLL_MS = 100;

/**
 * Try the way to the server, and back: devices, WebSocket, joining, UDP (ICE), encryption (DTLS), and whether what we
 * send arrives (the server's reports). It joins the room for a moment, seen by others, and puts out who is there with
 * the same identity: give it a token of a room of its own. Nobody sees or hears what it sends.
 * @param {string} url  roomAddress(server, name)
 * @param {string} token
 * @param {{onStep?: (result: StepResult) => void}} [options]  onStep: told after each step
 * @returns {Promise<StepResult[]>} a failed step skips those that build on it; never rejected
 */
export async function checkConnection(url, token, { onStep = () => {} } = {}) {
  const check = new Check(url, token);
  /** @type {[Step, () => Promise<StepResult['detail']>][]} */
  const steps = [
    ['devices', () => check.devices()],
    ['signal', () => check.signal()],
    ['join', () => check.join()],
    ['ice', () => check.ice()],
    ['dtls', () => check.dtls()],
    ['media', () => check.media()],
  ];
  /** @type {StepResult[]} */
  const results = [];
  let isBroken = false;
  for (const [step, run] of steps) {
    /** @type {StepResult} */
    const result = isBroken ? skipped(step, 'no_way') : await measure(step, run);
    isBroken ||= result.outcome === 'failed' && step !== 'devices';
    results.push(result);
    onStep(result);
  }
  check.close();
  return results;
}

class Check {
  #signal = new Signal();
  /** One slot of each kind is enough. */
  #connection = new Connection({ slots: { audio: 1, video: 1, screen: 0 } });
  /** @type {string[]} */
  #mayPublish = [];
  /** @type {MediaStreamTrack|null} */
  #picture = null;

  /**
   * @param {string} url
   * @param {string} token
   */
  constructor(url, token) {
    this.url = url;
    this.token = token;
  }

  async devices() {
    const { cameras, microphones, speakers } = await listDevices();
    const found = cameras.length + microphones.length;
    if (found === 0) throw new HalqaError('device_missing', 'no camera and no microphone');
    return { cameras: cameras.length, microphones: microphones.length, speakers: speakers.length };
  }

  async signal() {
    await this.#signal.open(this.url, this.token);
    return {};
  }

  async join() {
    const offer = await this.#connection.createOffer();
    const slots = this.#connection.receiveSections.map(({ mid, kind }) => ({ mid, kind }));
    const waiting = this.#signal.next('message', ({ type }) => type === 'waiting').then(() => {
      throw new HalqaError('not_admitted', 'somebody must let us in first');
    });
    const joined = await Promise.race([this.#signal.request('join', { offer, slots }), waiting]);
    this.#mayPublish = joined.permissions.publish;
    const began = performance.now();
    await this.#signal.request('ping', { t: 0 });
    const rttMs = Math.round(performance.now() - began);
    await this.#connection.applyAnswer(joined.answer);
    return { rttMs };
  }

  async ice() {
    await until(() => this.#connection.hasPath, PATH_TIMEOUT_MS, 'udp_blocked');
    const reports = [...(await this.#connection.getStats()).values()];
    const pairs = reports.filter(({ type }) => type === 'candidate-pair');
    const pair = pairs.find(({ nominated }) => nominated) ?? pairs.find(({ state }) => state === 'succeeded');
    const local = reports.find(({ id }) => id === pair?.localCandidateId);
    return { candidate: local?.candidateType ?? null, protocol: local?.protocol ?? null };
  }

  async dtls() {
    await until(() => this.#connection.isConnected, PATH_TIMEOUT_MS, 'dtls_failed');
    return {};
  }

  /** Send a small picture that the server forwards to nobody, and wait for its word that it came. */
  async media() {
    if (!this.#mayPublish.includes('camera')) throw new HalqaError('not_allowed', 'the token does not let us send');
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d');
    this.#picture = canvas.captureStream(10).getVideoTracks()[0];
    await this.#connection.carry('camera', this.#picture);
    await this.#signal.request('publish', { mid: this.#connection.midOf('camera'), source: 'camera', muted: true });
    /** @type {Record<string, any>|undefined} */
    let heard;
    await until(async () => {
      context?.fillRect(0, 0, Math.random() * canvas.width, canvas.height);
      const reports = [...(await this.#connection.getStats()).values()];
      heard = reports.find(({ type, roundTripTime }) => type === 'remote-inbound-rtp' && roundTripTime !== undefined);
      return heard !== undefined;
    }, MEDIA_TIMEOUT_MS, 'media_failed');
    return { rttMs: Math.round(heard?.roundTripTime * 1000), lossFraction: heard?.fractionLost ?? 0 };
  }

  close() {
    this.#picture?.stop();
    this.#signal.notify('leave');
    this.#signal.close();
    this.#connection.close();
  }
}

/**
 * @param {Step} step
 * @param {() => Promise<StepResult['detail']>} run
 * @returns {Promise<StepResult>}
 */
async function measure(step, run) {
  const began = performance.now();
  const elapsed = () => Math.round(performance.now() - began);
  try {
    const detail = await run();
    return { step, outcome: 'ok', ms: elapsed(), code: null, detail };
  } catch (cause) {
    const { code, message } = asHalqaError(cause, 'internal');
    if (step === 'media' && code === 'not_allowed') return skipped(step, code);
    return { step, outcome: 'failed', ms: elapsed(), code, detail: { message } };
  }
}

/**
 * @param {Step} step
 * @param {string} code
 * @returns {StepResult}
 */
function skipped(step, code) {
  return { step, outcome: 'skipped', ms: 0, code, detail: {} };
}

/**
 * @param {() => boolean|Promise<boolean>} condition
 * @param {number} timeoutMs
 * @param {string} code  of the error when the time is over
 */
async function until(condition, timeoutMs, code) {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new HalqaError(code, `nothing within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
