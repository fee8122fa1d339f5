/** A level meter of one microphone track. */

/** Quieter counts as silence, louder as full: speech at arm's length lies between. Decibels relative to full scale. */
const QUIETEST_DB = -60;
const LOUDEST_DB = -12;
const UPDATE_INTERVAL_MS = 60;

export class Meter {
  /** @type {AudioContext|null} */
  #context = null;
  #timer = 0;

  /** @param {HTMLElement} element  role "meter", with a child that grows */
  constructor(element) {
    this.element = element;
  }

  /**
   * Show the level of `track` from now on; of nothing if null.
   * @param {MediaStreamTrack|null} track
   */
  watch(track) {
    clearInterval(this.#timer);
    this.#context?.close();
    this.#context = null;
    this.#show(0);
    if (track === null) return;
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 1024 });
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#context = context;
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      this.#show(levelOf(samples));
    }, UPDATE_INTERVAL_MS);
  }

  /** @param {number} level  0 to 1 */
  #show(level) {
    this.element.setAttribute('aria-valuenow', String(Math.round(level * 100)));
    /** @type {HTMLElement} */ (this.element.firstElementChild).style.inlineSize = `${level * 100}%`;
  }
}

/**
 * @param {Float32Array} samples  -1 to 1
 * @returns {number} 0 (silence) to 1, linear in decibels
 */
export function levelOf(samples) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  const decibels = 10 * Math.log10(power + Number.MIN_VALUE);
  return Math.min(1, Math.max(0, (decibels - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB)));
}
