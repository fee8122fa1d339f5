/** One tile: a picture or initials, a name, marks for a muted microphone and for speech. */

import { createIcon } from './icons.js';

/** Hues that keep white initials readable at the chosen lightness. */
const AVATAR_HUES = 12;

export class Tile {
  element = document.createElement('li');
  #name = document.createElement('span');
  #avatar = document.createElement('span');
  #mark = createIcon('microphone-off');
  #spoken = document.createElement('span');
  /** @type {HTMLVideoElement|null} */
  #video = null;
  #shown = '';

  /** @param {'camera'|'screen'} kind */
  constructor(kind) {
    this.element.className = `tile ${kind}`;
    this.#avatar.className = 'avatar';
    this.#avatar.setAttribute('aria-hidden', 'true');
    this.#spoken.className = 'visually-hidden';
    const label = document.createElement('p');
    label.className = 'label';
    this.#name.className = 'name';
    this.#mark.toggleAttribute('hidden', true);
    label.append(this.#mark, this.#name, this.#spoken);
    this.element.append(this.#avatar, label);
  }

  /**
   * @param {string} name  as it stands in the room
   * @param {string} shown  with what the page adds, e.g. "(you)"
   */
  rename(name, shown) {
    this.#name.textContent = shown;
    this.#avatar.textContent = initials(name);
    this.#avatar.dataset.hue = String(hueOf(name));
  }

  /**
   * Show this track, or the initials if null. Beginning anew with a fresh element keeps a slot's former picture out.
   * @param {MediaStreamTrack|null} mediaTrack
   * @param {string} owner  id of the published track: the same slot may carry another one now
   */
  show(mediaTrack, owner = '') {
    const shown = mediaTrack === null ? '' : `${mediaTrack.id} ${owner}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#video?.remove();
    if (this.#video) this.#video.srcObject = null;
    this.#video = mediaTrack === null ? null : createVideo(mediaTrack);
    if (this.#video) this.#avatar.after(this.#video);
  }

  /** @param {string|null} text  what screen readers hear, e.g. "microphone off"; null: it is on */
  muted(text) {
    this.#mark.toggleAttribute('hidden', text === null);
    this.#spoken.textContent = text === null ? '' : `, ${text}`;
  }

  /** @param {boolean} isSpeaking */
  speaking(isSpeaking) {
    this.element.classList.toggle('speaking', isSpeaking);
  }

  /** Take it off the page. */
  remove() {
    this.show(null);
    this.element.remove();
  }
}

/** @param {MediaStreamTrack} mediaTrack */
function createVideo(mediaTrack) {
  const video = document.createElement('video');
  video.muted = true;
  video.autoplay = true;
  video.playsInline = true;
  video.setAttribute('aria-hidden', 'true');
  video.addEventListener('resize', () => {
    video.classList.add('flowing');
    video.classList.toggle('upright', video.videoHeight > video.videoWidth);
  });
  video.srcObject = new MediaStream([mediaTrack]);
  return video;
}

/** @param {string} name */
function initials(name) {
  const words = name.trim().split(/\s+/).filter(Boolean).slice(0, 2);
  const letters = words.map((word) => [...new Intl.Segmenter().segment(word)][0].segment);
  return letters.join('\u200c').toUpperCase();  // a zero-width non-joiner: Arabic initials stay apart
}

/** @param {string} name */
function hueOf(name) {
  return [...name].reduce((sum, character) => sum + character.codePointAt(0), 0) % AVATAR_HUES;
}
