/** What the page tells people: errors in plain words with what to do next, and news for those who only listen. */

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
    banner.querySelector('.close').addEventListener('click', () => this.clear());
    banner.querySelector('.action').addEventListener('click', () => {
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
    this.banner.querySelector('p').textContent = this.language.text(key, { code: error.code });
    const button = this.banner.querySelector('.action');
    button.hidden = retry === undefined;
    button.textContent = this.language.text('notice.retry');
    this.#action = retry ?? null;
    this.banner.hidden = false;
  }

  clear() {
    this.banner.hidden = true;
    this.banner.querySelector('p').textContent = '';
    this.#action = null;
  }

  /**
   * @param {string} key
   * @param {Record<string, string|number>} values
   */
  announce(key, values) {
    this.announcer.textContent = this.language.text(key, values);
  }
}
