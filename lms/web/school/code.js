/** An access code that somebody was given: typed as people type, and what it opened or why not stands below it. */

import { find } from './dom.js';

/** @import { Api, ApiError } from './api.js' */
/** @import { Language } from './language.js' */

export class AccessCode {
  /** What is told below the field, said anew when the language changes. */
  #say = () => '';

  /**
   * @param {HTMLElement} root
   * @param {Api} api
   * @param {Language} language
   * @param {() => void} opened  called when something was opened
   */
  constructor(root, api, language, opened) {
    this.root = root;
    this.api = api;
    this.language = language;
    this.opened = opened;
    this.code = find(root, '[name=code]', HTMLInputElement);
    this.problem = find(root, '.problem', HTMLElement);
    this.told = find(root, '.told', HTMLElement);
    this.submit = find(root, '[type=submit]', HTMLButtonElement);
    find(root, 'form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#redeem();
    });
    language.addEventListener('change', () => { if (!this.told.hidden) this.told.textContent = this.#say(); });
  }

  /** @param {boolean} isShown  whether who is logged in may redeem codes */
  show(isShown) {
    this.root.hidden = !isShown;
  }

  /** Somebody else is here now. */
  forget() {
    this.root.hidden = true;
    this.code.value = '';
    this.#tell('');
  }

  async #redeem() {
    const code = this.code.value.trim();
    if (code === '') {
      this.#fail(this.language.text('code.missing'));
      return;
    }
    this.submit.disabled = true;
    this.#tell('');
    try {
      const { title, already } = await this.api.post('/access-codes/redeem', { code });
      this.code.value = '';
      this.#say = () => this.language.text(already ? 'code.already' : 'code.opened', { title });
      this.told.textContent = this.#say();
      this.told.hidden = false;
      if (!already) this.opened();
    } catch (error) {
      const { code: kind, message, waitS } = /** @type {ApiError} */ (error);
      if (kind === 'logged_out') return;  // is told at the login
      const waiting = this.language.text('code.wait', { count: Math.max(1, waitS) });
      this.#fail(kind === 'rate_limited' ? waiting : message);
    } finally {
      this.submit.disabled = false;
    }
  }

  /** @param {string} message */
  #fail(message) {
    this.#tell(message);
    this.code.setAttribute('aria-invalid', 'true');
    this.code.focus();
    this.code.select();
  }

  /** @param {string} message  what is wrong; empty: nothing is */
  #tell(message) {
    this.problem.textContent = message;
    this.problem.hidden = message === '';
    this.told.hidden = true;
    this.code.removeAttribute('aria-invalid');
  }
}
