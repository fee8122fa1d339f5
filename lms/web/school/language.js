/** English and Arabic: which one, its words in the page, the direction of writing, times and numbers. */

const LANGUAGES = ['en', 'ar'];
const RIGHT_TO_LEFT = new Set(['ar']);
const STORAGE_KEY = 'halqa.language';
/** Letters of the other direction of writing than the page's, roughly: Arabic and Hebrew, or Latin.
 * @type {Record<string, RegExp>}
 */
const FOREIGN_LETTERS = { ltr: /[\u0590-\u08ff]/, rtl: /[a-z]/i };

export class Language extends EventTarget {
  current = LANGUAGES[0];
  /** Whose clock times are told by; null: this computer's. @type {string|undefined} */
  timeZone = undefined;
  /** @type {Record<string, string|Record<string, string>>} */
  #strings = {};

  /** Load the first that we have of: the one chosen earlier, the browser's. */
  async begin() {
    await this.use(this.#known([localStorage.getItem(STORAGE_KEY), ...navigator.languages]) ?? LANGUAGES[0]);
  }

  /**
   * Take the language that an account chose: the server's messages come in it.
   * @param {string|null} wanted
   */
  async prefer(wanted) {
    const known = this.#known([wanted]);
    if (known !== undefined && known !== this.current) await this.use(known);
  }

  /** The language that the page is not in. */
  get other() {
    return LANGUAGES.find((each) => each !== this.current) ?? LANGUAGES[0];
  }

  /** Change to the other language, and remember that. */
  async toggle() {
    const { other } = this;
    localStorage.setItem(STORAGE_KEY, other);
    await this.use(other);
  }

  /** @param {string} language */
  async use(language) {
    const response = await fetch(`/school/strings.${language}.json`);
    this.#strings = await response.json();
    this.current = language;
    document.documentElement.lang = language;
    document.documentElement.dir = RIGHT_TO_LEFT.has(language) ? 'rtl' : 'ltr';
    this.#fill();
    this.dispatchEvent(new Event('change'));
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
   * @param {string} key
   * @returns {boolean} whether it has a text
   */
  knows(key) {
    return key in this.#strings;
  }

  /**
   * @param {string|Date} moment
   * @returns {string} hours and minutes
   */
  time(moment) {
    return this.#format({ hour: 'numeric', minute: '2-digit' }).format(new Date(moment));
  }

  /**
   * @param {string|Date} moment
   * @returns {string} weekday, day and month
   */
  day(moment) {
    return this.#format({ weekday: 'long', day: 'numeric', month: 'long' }).format(new Date(moment));
  }

  /**
   * @param {string|Date} moment
   * @returns {string} a day as a key: the same for moments of one day
   */
  dayKey(moment) {
    const format = new Intl.DateTimeFormat('en-CA', { timeZone: this.timeZone, dateStyle: 'short' });
    return format.format(new Date(moment));
  }

  /**
   * @param {string|number} value  of 100
   * @returns {string}
   */
  percent(value) {
    const format = new Intl.NumberFormat(this.current, { style: 'percent', maximumFractionDigits: 0 });
    return format.format(Number(value) / 100);
  }

  /**
   * @param {number|string} value
   * @returns {string}
   */
  number(value) {
    return Number(value).toLocaleString(this.current, { maximumFractionDigits: 2 });
  }

  /** @param {Intl.DateTimeFormatOptions} options */
  #format(options) {
    // English as it is written here; Arabic with the calendar and digits of the rest of the page.
    const regional = this.current === 'en' ? navigator.languages.find((each) => each.startsWith('en-')) : undefined;
    const shape = { ...options, calendar: 'gregory', timeZone: this.timeZone };
    return new Intl.DateTimeFormat(regional ?? this.current, shape);
  }

  /**
   * @param {(string|null)[]} wishes
   * @returns {string|undefined}
   */
  #known(wishes) {
    return wishes.map((wish) => wish?.slice(0, 2).toLowerCase() ?? '').find((wish) => LANGUAGES.includes(wish));
  }

  #fill() {
    for (const element of document.querySelectorAll('[data-text]')) {
      element.textContent = this.text(element.getAttribute('data-text') ?? '');
    }
    for (const element of document.querySelectorAll('[data-label]')) {
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

  /**
   * Names written in the other direction must not turn their surroundings round (UAX #9: FSI ... PDI).
   * @param {string|number|undefined} value
   */
  #shown(value) {
    if (typeof value === 'number') return this.number(value);
    const isForeign = FOREIGN_LETTERS[document.documentElement.dir]?.test(value ?? '');
    return isForeign ? `\u2068${value}\u2069` : value ?? '';
  }
}
