/** English and Arabic: which one, its words in the page, and the direction of writing. */

import { Emitter } from '../halqa/events.js';

const LANGUAGES = ['en', 'ar'];
const RIGHT_TO_LEFT = new Set(['ar']);
const STORAGE_KEY = 'halqa.language';

/** @extends {Emitter<{change: string}>} */
export class Language extends Emitter {
  current = 'en';
  /** @type {Record<string, string|Record<string, string>>} */
  #strings = {};

  /**
   * Load the first that we have of: `wanted`, the one chosen earlier, the browser's.
   * @param {string|null} wanted
   */
  async begin(wanted) {
    const wishes = [wanted, localStorage.getItem(STORAGE_KEY), ...navigator.languages];
    const known = wishes.map((wish) => wish?.slice(0, 2).toLowerCase() ?? '').find((wish) => LANGUAGES.includes(wish));
    await this.use(known ?? LANGUAGES[0]);
  }

  /** Change to the other language, and remember that. */
  async toggle() {
    const other = LANGUAGES.find((each) => each !== this.current) ?? LANGUAGES[0];
    localStorage.setItem(STORAGE_KEY, other);
    await this.use(other);
  }

  /** @param {string} language */
  async use(language) {
    const response = await fetch(new URL(`strings.${language}.json`, import.meta.url));
    this.#strings = await response.json();
    this.current = language;
    document.documentElement.lang = language;
    document.documentElement.dir = RIGHT_TO_LEFT.has(language) ? 'rtl' : 'ltr';
    this.#fill(document.body);
    this.emit('change', language);
  }

  /**
   * @param {string} key
   * @param {Record<string, string|number>} [values]  for {name} places; `count` chooses the plural form
   * @returns {string} the text; the key itself if there is none
   */
  text(key, values = {}) {
    const entry = this.#strings[key] ?? key;
    const form = typeof entry === 'string' ? entry : this.#plural(entry, Number(values.count));
    return form.replace(/\{(\w+)\}/g, (_, name) => this.#shown(values[name]));
  }

  /**
   * @param {string[]} keys
   * @returns {string} the first key that has a text; the last one if none has
   */
  firstKnown(...keys) {
    return keys.find((key) => key in this.#strings) ?? keys[keys.length - 1];
  }

  /** @param {HTMLElement} root */
  #fill(root) {
    for (const element of root.querySelectorAll('[data-text]')) {
      element.textContent = this.text(element.getAttribute('data-text') ?? '');
    }
    for (const element of root.querySelectorAll('[data-label]')) {
      element.setAttribute('aria-label', this.text(element.getAttribute('data-label') ?? ''));
    }
  }

  /**
   * @param {Record<string, string>} forms
   * @param {number} count
   */
  #plural(forms, count) {
    return forms[new Intl.PluralRules(this.current).select(count)] ?? forms.other;
  }

  /** @param {string|number|undefined} value */
  #shown(value) {
    return typeof value === 'number' ? value.toLocaleString(this.current) : isolate(String(value ?? ''));
  }
}

/** Letters of the other direction of writing than the page's, roughly: Arabic and Hebrew, or Latin.
 * @type {Record<string, RegExp>}
 */
const FOREIGN_LETTERS = { ltr: /[\u0590-\u08ff]/, rtl: /[a-z]/i };

/**
 * Keep a name that is written in the other direction from turning its surroundings round (UAX #9: FSI ... PDI).
 * @param {string} value
 */
function isolate(value) {
  const isForeign = FOREIGN_LETTERS[document.documentElement.dir]?.test(value);
  return isForeign ? `\u2068${value}\u2069` : value;
}
