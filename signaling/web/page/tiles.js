/** One tile: a picture or initials, a name, a raised hand, marks, and a ring around who speaks. */

import { createIcon } from './icons.js';

/** @import { TileMenu } from './tile_menu.js' */
/** @typedef {'microphone-off'|'weak'|'away'|'spotlit'|'resting'} Mark */

/** Hues that keep white initials readable at the chosen lightness. */
const AVATAR_HUES = 12;

export class Tile {
  element = document.createElement('li');
  #name = document.createElement('span');
  #avatar = document.createElement('span');
  #icons = { 'microphone-off': createIcon('microphone-off'), weak: createIcon('weak') };
  #hand = document.createElement('span');
  #rest = document.createElement('span');
  /** What the marks mean, in words. @type {Map<string, string>} */
  #marks = new Map();
  #spoken = document.createElement('span');
  /** @type {HTMLVideoElement|null} */
  #video = null;
  #shown = '';

  /**
   * @param {'camera'|'screen'} kind
   * @param {TileMenu|null} [menu]
   */
  constructor(kind, menu = null) {
    this.menu = menu;
    this.element.className = `tile ${kind}`;
    this.#avatar.className = 'avatar';
    this.#avatar.setAttribute('aria-hidden', 'true');
    this.#spoken.className = 'visually-hidden';
    const label = document.createElement('p');
    label.className = 'label';
    this.#name.className = 'name';
    for (const icon of Object.values(this.#icons)) icon.toggleAttribute('hidden', true);
    this.#hand.className = 'hand';
    this.#hand.hidden = true;
    this.#hand.setAttribute('aria-hidden', 'true');
    this.#rest.className = 'rest';
    this.#rest.hidden = true;
    this.#rest.setAttribute('aria-hidden', 'true');  // the marks say it
    label.append(...Object.values(this.#icons), this.#name, this.#spoken);
    this.element.append(this.#avatar, this.#rest, label, this.#hand);
    if (menu) this.element.append(menu.element);
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

  /**
   * @param {Mark} mark
   * @param {string|null} words  what it means, e.g. "microphone off"; null: take it away
   */
  mark(mark, words) {
    if (words === null) this.#marks.delete(mark);
    else this.#marks.set(mark, words);
    if (mark === 'microphone-off' || mark === 'weak') {
      this.#icons[mark].toggleAttribute('hidden', words === null);
      const use = this.#icons[mark].querySelectorAll('use');
      this.#icons[mark].replaceChildren(...use, ...(words ? [titled(words)] : []));
    }
    if (mark === 'resting') {
      this.#rest.hidden = words === null;
      this.#rest.textContent = words;
    }
    this.element.classList.toggle(mark, words !== null);
    this.#say();
  }

  /**
   * @param {number} place  in the line of raised hands; 0: not raised
   * @param {string} words
   */
  raise(place, words) {
    if (place === 0) this.#marks.delete('hand');
    else this.#marks.set('hand', words);
    this.#hand.hidden = place === 0;
    this.#hand.textContent = `✋ ${place.toLocaleString(document.documentElement.lang)}`;
    this.#hand.title = words;
    this.#say();
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

  #say() {
    const words = [...this.#marks.values()].map((each) => `, ${each}`).join('');
    if (this.#spoken.textContent !== words) this.#spoken.textContent = words;
  }
}

/** @param {string} words  that a pointer shows */
function titled(words) {
  const title = document.createElementNS('http://www.w3.org/2000/svg', 'title');
  title.textContent = words;
  return title;
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
  return [...name].reduce((sum, character) => sum + (character.codePointAt(0) ?? 0), 0) % AVATAR_HUES;
}
