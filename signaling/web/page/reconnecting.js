/** The strip that says that the connection is being brought back, or that the server is about to restart. */

/** @import { Room } from '../halqa/room.js' */

/** Shorter gaps are not worth a word: most are over before one has read it. */
const SILENT_MS = 700;
/** Then it is time to look at one's own network. */
const LONG_MS = 8000;

export class Reconnecting {
  #timer = 0;
  #key = '';

  /**
   * @param {HTMLElement} root  role "status"
   * @param {Room} room
   * @param {{language: import('./language.js').Language, notices: import('./notices.js').Notices}} page
   * @param {AbortSignal} signal  ends it
   */
  constructor(root, room, { language, notices }, signal) {
    this.root = root;
    this.language = language;
    for (const off of [
      room.on('reconnecting', ({ signal: signalling, media }) => this.#lost(signalling && !media)),
      room.on('reconnected', () => {
        if (!root.hidden) notices.announce('reconnecting.over');
        this.#say('');
      }),
      room.on('draining', () => this.#say('reconnecting.draining')),
      language.on('change', () => this.#say(this.#key)),
    ]) signal.addEventListener('abort', off);
    signal.addEventListener('abort', () => this.#say(''));
  }

  /** @param {boolean} isMediaAlone */
  #lost(isMediaAlone) {
    clearTimeout(this.#timer);
    const key = isMediaAlone ? 'reconnecting.media' : 'reconnecting';
    this.#timer = setTimeout(() => {
      this.#say(key);
      this.#timer = setTimeout(() => this.#say('reconnecting.long'), LONG_MS);
    }, this.root.hidden ? SILENT_MS : 0);
  }

  /** @param {string} key  '' hides it */
  #say(key) {
    clearTimeout(this.#timer);
    this.#key = key;
    this.root.hidden = key === '';
    this.root.textContent = key === '' ? '' : this.language.text(key);
  }
}
