/** Logging in: by code or e-mail address; what is wrong stands beside the field, and how long to wait on the button. */

import { find } from './dom.js';

/** @import { Api, ApiError } from './api.js' */
/** @import { Language } from './language.js' */
/** @import { Myself } from './types.js' */

const ORGANIZATION_KEY = 'halqa.organization';

export class Login {
  /** Seconds until the next try, while the server asks to wait. */
  #waitS = 0;
  #timer = 0;

  /**
   * @param {HTMLElement} root
   * @param {Api} api
   * @param {Language} language
   * @param {(me: Myself) => void} enter
   */
  constructor(root, api, language, enter) {
    this.root = root;
    this.api = api;
    this.language = language;
    this.enter = enter;
    this.form = find(root, 'form', HTMLFormElement);
    this.name = find(root, '[name=login]', HTMLInputElement);
    this.password = find(root, '[name=password]', HTMLInputElement);
    this.organization = find(root, '[name=organization]', HTMLInputElement);
    this.problem = find(root, '.problem', HTMLElement);
    this.told = find(root, '.told', HTMLElement);
    this.submit = find(root, '[type=submit]', HTMLButtonElement);
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#try();
    });
    const reveal = find(root, '.with-button button', HTMLButtonElement);
    reveal.addEventListener('click', () => {
      const isShown = this.password.type === 'text';
      this.password.type = isShown ? 'password' : 'text';
      reveal.setAttribute('aria-pressed', String(!isShown));
    });
    find(root, '.forgot', HTMLButtonElement).addEventListener('click', () => void this.#forgot());
    language.addEventListener('change', () => this.#label());
    const kept = localStorage.getItem(ORGANIZATION_KEY);
    if (kept !== null) this.#askOrganization(kept);
  }

  /** @param {string} [message]  why somebody has to log in again */
  show(message = '') {
    this.root.hidden = false;
    this.#tell(message);
    this.#label();
    this.name.focus();
  }

  hide() {
    this.root.hidden = true;
    this.password.value = '';
    this.#tell('');
  }

  /** Have a link mailed with which a new password can be set; what can be wrong is not told, as to everybody. */
  async #forgot() {
    const login = this.name.value.trim();
    if (login === '') {
      this.#fail(this.language.text('login.forgot.missing'), this.name);
      return;
    }
    const organization = this.organization.value.trim().toLowerCase() || null;
    this.#tell('');
    try {
      await this.api.ask('/auth/forgot-password', { login, organization });
      this.say(this.language.text('login.forgot.sent'));
    } catch (error) {
      this.#refused(/** @type {ApiError} */ (error));
    }
  }

  /** @param {string} message  good news */
  say(message) {
    this.told.textContent = message;
    this.told.hidden = message === '';
  }

  async #try() {
    const missing = [this.name, this.password].find((field) => field.value.trim() === '');
    if (missing !== undefined) {
      this.#fail(this.language.text('login.missing'), missing);
      return;
    }
    this.submit.disabled = true;
    this.submit.textContent = this.language.text('login.busy');
    this.#tell('');
    const organization = this.organization.value.trim().toLowerCase();
    const who = { login: this.name.value.trim(), password: this.password.value, organization: organization || null };
    try {
      const me = await this.api.logIn(who);
      if (organization) localStorage.setItem(ORGANIZATION_KEY, organization);
      this.enter(me);
    } catch (error) {
      this.#refused(/** @type {ApiError} */ (error));
    } finally {
      this.#label();
    }
  }

  /** @param {ApiError} error */
  #refused(error) {
    if (error.code === 'organization_needed') this.#askOrganization('');
    const field = error.code === 'organization_needed' ? this.organization : this.password;
    if (error.code === 'rate_limited') this.#wait(Math.max(error.waitS, 1));
    const key = `login.${error.code}`;
    this.#fail(this.language.knows(key) ? this.language.text(key) : error.message, field);
  }

  /** @param {string} kept */
  #askOrganization(kept) {
    find(this.root, '.organization', HTMLElement).hidden = false;
    this.organization.value ||= kept;
  }

  /** @param {number} seconds */
  #wait(seconds) {
    this.#waitS = seconds;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      this.#waitS -= 1;
      if (this.#waitS <= 0) clearInterval(this.#timer);
      this.#label();
    }, 1000);
  }

  #label() {
    this.submit.disabled = this.#waitS > 0;
    const isWaiting = this.#waitS > 0;
    this.submit.textContent = this.language.text(isWaiting ? 'login.wait' : 'login.submit', { count: this.#waitS });
  }

  /**
   * @param {string} message
   * @param {HTMLInputElement} field
   */
  #fail(message, field) {
    this.#tell(message);
    field.setAttribute('aria-invalid', 'true');
    field.focus();
    field.select();
  }

  /** @param {string} message */
  #tell(message) {
    this.problem.textContent = message;
    this.problem.hidden = message === '';
    this.say('');
    for (const field of [this.name, this.password, this.organization]) field.removeAttribute('aria-invalid');
  }
}
