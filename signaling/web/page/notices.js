/** What the page tells people: errors in plain words with what to do next, and news for those who only listen. */

import { find } from './dom.js';

/** @typedef {import('./language.js').Language} Language */

export class Notices {
  /** @type {(() => void)|null} */
  #action = null;

  /**
   * @param {Language} language
   * @param {HTMLElement} banner  role "alert"
   * @param {HTMLElement} announcer  aria-live "polite"
   */
  constructor(language, banner, announcer) {
    this.language = language;
    this.banner = banner;
    this.announcer = announcer;
    this.text = find(banner, 'p', HTMLElement);
    this.button = find(banner, '.action', HTMLButtonElement);
    find(banner, '.close', HTMLButtonElement).addEventListener('click', () => this.clear());
    this.button.addEventListener('click', () => {
      const action = this.#action;
      this.clear();
      action?.();
    });
  }

  /**
   * @param {import('../halqa/errors.js').HalqaError} error
   * @param {() => void} [retry]  offered as a button
   */
  error(error, retry) {
    if (error.code === 'screen_cancelled' || error.code === 'closed') return;
    console.warn(`halqa: ${error.code}: ${error.message}`);
    const keys = [`error.${error.code}.${error.source}`, `error.${error.code}`, 'error.other'];
    const key = this.language.firstKnown(...keys);
    this.text.textContent = this.language.text(key, { code: error.code });
    this.button.hidden = retry === undefined;
    this.button.textContent = this.language.text('notice.retry');
    this.#action = retry ?? null;
    this.banner.hidden = false;
  }

  /**
   * Tell what happened, until somebody closes it.
   * @param {string} key
   * @param {Record<string, string|number>} [values]
   */
  tell(key, values) {
    this.clear();
    this.text.textContent = this.language.text(key, values);
    this.button.hidden = true;
    this.banner.hidden = false;
  }

  clear() {
    this.banner.hidden = true;
    this.text.textContent = '';
    this.#action = null;
  }

  /**
   * @param {string} key
   * @param {Record<string, string|number>} [values]
   */
  announce(key, values) {
    this.announcer.textContent = this.language.text(key, values);
  }
}
