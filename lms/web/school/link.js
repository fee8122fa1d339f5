/** Links of mails: an invitation or a forgotten password asks for a new one, a verification confirms an address. */

import { find } from './dom.js';

/** @import { Api, ApiError } from './api.js' */
/** @import { Language } from './language.js' */

const SET_PASSWORD = '/set-password';
const VERIFY = '/verify-email';

/**
 * Read the token of a link and take it out of the address bar, where a shared screen would give it away.
 * @returns {{path: string, token: string}|null}
 */
export function takeMailedLink() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  const path = location.pathname;
  if (path !== SET_PASSWORD && path !== VERIFY) return null;
  history.replaceState(null, '', '/');
  return token ? { path, token } : null;
}

export class MailedLink {
  /**
   * @param {HTMLElement} root
   * @param {Api} api
   * @param {Language} language
   * @param {(message: string) => void} done  with what is to be told above the login
   */
  constructor(root, api, language, done) {
    this.root = root;
    this.api = api;
    this.language = language;
    this.done = done;
    this.password = find(root, '[name=new-password]', HTMLInputElement);
    this.problem = find(root, '.problem', HTMLElement);
    this.submit = find(root, '[type=submit]', HTMLButtonElement);
  }

  /** @param {{path: string, token: string}} link */
  async follow({ path, token }) {
    if (path === VERIFY) {
      await this.#verify(token);
      return;
    }
    this.root.hidden = false;
    find(this.root, 'form', HTMLFormElement).onsubmit = (event) => {
      event.preventDefault();
      void this.#set(token);
    };
    this.password.focus();
  }

  /** @param {string} token */
  async #verify(token) {
    try {
      await this.api.ask('/auth/verify-email', { token });
      this.done(this.language.text('link.verified'));
    } catch (error) {
      this.done(/** @type {ApiError} */ (error).message);
    }
  }

  /** @param {string} token */
  async #set(token) {
    this.submit.disabled = true;
    this.problem.hidden = true;
    try {
      await this.api.ask('/auth/reset-password', { token, password: this.password.value });
      this.password.value = '';
      this.root.hidden = true;
      this.done(this.language.text('link.set'));
    } catch (error) {
      this.problem.textContent = /** @type {ApiError} */ (error).message;
      this.problem.hidden = false;
      this.password.focus();
    } finally {
      this.submit.disabled = false;
    }
  }
}
