/** Today's classes, what is on now first, and those of the week; a teacher starts and ends them. */

import { create, createButton, createName, find } from './dom.js';
import { enterClass } from './join.js';

/** @import { Api, ApiError } from './api.js' */
/** @import { Language } from './language.js' */
/** @import { LiveClass } from './types.js' */

const LOOK_EVERY_MS = 20_000;
const LOOK_OFTEN_MS = 5_000;
const DAY_MS = 86_400_000;
const DAYS_AHEAD = 7;
/** From so long before its beginning a class may be started by one press. */
const DUE_MS = 15 * 60_000;

/** @typedef {{tell: (error: ApiError) => void, ask: (text: string, yes: string) => Promise<boolean>,
 *   announce: (text: string) => void, openSheet: (of: LiveClass) => void}} Surroundings */

export class Classes {
  /** @type {LiveClass[]|null} */
  #classes = null;
  #timer = 0;
  #isLooking = false;
  /** What was drawn: nothing is drawn anew while it is the same, so that the focus stays where it is. */
  #drawn = '';

  /**
   * @param {HTMLElement} root
   * @param {Api} api
   * @param {Language} language
   * @param {Surroundings} surroundings
   */
  constructor(root, api, language, surroundings) {
    this.root = root;
    this.api = api;
    this.language = language;
    this.surroundings = surroundings;
    this.title = find(root, 'h1', HTMLElement);
    language.addEventListener('change', () => this.#draw());
    document.addEventListener('visibilitychange', () => this.#wake());
    api.addEventListener('back', () => this.#wake());
  }

  show() {
    this.root.hidden = false;
    this.#draw();
    void this.look();
  }

  hide() {
    this.root.hidden = true;
    clearTimeout(this.#timer);
  }

  /** Somebody else is here now. */
  forget() {
    this.#classes = null;
    this.#drawn = '';
  }

  async look() {
    if (this.#isLooking) return;
    this.#isLooking = true;
    // A day back is enough in every time zone; which classes are today's, their person's clock says.
    const since = new Date(Date.now() - DAY_MS);
    const until = new Date(Date.now() + (DAYS_AHEAD + 1) * DAY_MS);
    try {
      const query = { since: since.toISOString(), until: until.toISOString(), limit: '100' };
      const before = this.#classes?.filter((each) => each.status === 'live').map((each) => each.id);
      this.#classes = await this.api.get('/live-classes', query);
      this.#draw();
      for (const each of this.#classes ?? []) {
        if (each.status !== 'live' || before === undefined || before.includes(each.id)) continue;
        this.surroundings.announce(this.language.text('classes.began', { title: each.title }));
      }
    } catch (error) {
      this.surroundings.tell(/** @type {ApiError} */ (error));
    } finally {
      this.#isLooking = false;
      this.#lookAgain();
    }
  }

  /** Look often while a class is about to begin: everybody waits for the teacher. */
  #lookAgain() {
    const now = Date.now();
    const isNear = this.#classes?.some((each) => isDue(each, now)) ?? false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wake(), isNear ? LOOK_OFTEN_MS : LOOK_EVERY_MS);
  }

  #wake() {
    if (this.root.hidden) return;
    if (document.visibilityState === 'visible') void this.look();
    else this.#lookAgain();
  }

  #draw() {
    const { language } = this;
    this.title.textContent = language.text('classes.title');
    find(this.root, '.day', HTMLElement).textContent = language.day(new Date());
    if (this.#classes === null || this.root.hidden) return;
    const now = Date.now();
    const state = JSON.stringify([language.current, language.dayKey(new Date()), this.#classes.map((each) => (
      [
        each.id, each.status, each.title, each.starts_at, each.ends_at, each.allowed,
        isDue(each, now), isLate(each, now),
      ]
    ))]);
    if (state === this.#drawn) return;
    this.#drawn = state;
    const focused = document.activeElement?.getAttribute('data-key');
    const today = language.dayKey(new Date());
    const isToday = (/** @type {LiveClass} */ each) => (
      each.status === 'live' || language.dayKey(each.starts_at) === today
    );
    this.#drawToday(this.#classes.filter(isToday), now);
    this.#drawWeek(this.#classes.filter((each) => !isToday(each) && Date.parse(each.starts_at) > now));
    const again = focused ? this.root.querySelector(`[data-key="${focused}"]`) : null;
    if (again instanceof HTMLElement) again.focus();
  }

  /**
   * @param {LiveClass[]} classes
   * @param {number} now
   */
  #drawToday(classes, now) {
    const place = (/** @type {LiveClass} */ each) => {
      if (each.status === 'live') return 0;
      return each.status === 'scheduled' && Date.parse(each.ends_at) > now ? 1 : 2;
    };
    const sorted = classes.toSorted((one, other) => (
      place(one) - place(other) || one.starts_at.localeCompare(other.starts_at)
    ));
    const today = find(this.root, '.today', HTMLElement);
    today.replaceChildren(...sorted.map((each) => this.#card(each, now)));
    if (sorted.length === 0) {
      today.append(create('p', { className: 'empty', text: this.language.text('classes.none_today') }));
    }
  }

  /**
   * @param {LiveClass} each
   * @param {number} now
   */
  #card(each, now) {
    const { language } = this;
    const isOver = each.status === 'ended' || (each.status === 'scheduled' && Date.parse(each.ends_at) < now);
    const shown = isOver ? 'over' : each.status;
    const when = create('p', { className: 'when' }, this.#time(each.starts_at), this.#time(each.ends_at));
    const title = create('h3', {}, createName(each.title));
    title.id = `class-${each.id}`;
    const what = create('div', { className: 'what' }, title);
    const chip = this.#chip(each, isOver, now);
    if (chip !== null) what.prepend(chip);
    const said = each.status === 'cancelled' ? each.cancel_reason : each.description;
    if (said) what.append(create('p', {}, createName(said)));
    const does = create('div', { className: 'does' }, ...this.#buttons(each, isOver, now));
    const card = create('article', { className: `card ${shown}` }, when, what, does);
    card.setAttribute('aria-labelledby', title.id);
    return card;
  }

  /** @param {string} moment */
  #time(moment) {
    const time = create('time', { text: this.language.time(moment) });
    time.dateTime = moment;
    return time;
  }

  /**
   * @param {LiveClass} each
   * @param {boolean} isOver
   * @param {number} now
   */
  #chip(each, isOver, now) {
    const { language } = this;
    const chip = (/** @type {string} */ key, /** @type {string} */ className) => (
      create('span', { className, text: language.text(key) })
    );
    if (each.status === 'live') return chip('classes.live', 'chip live');
    if (each.status === 'cancelled') return chip('classes.cancelled', 'chip');
    if (isOver || !isDue(each, now)) return null;
    return chip(isLate(each, now) ? 'classes.waiting' : 'classes.due', 'chip due');
  }

  /**
   * @param {LiveClass} each
   * @param {boolean} isOver
   * @param {number} now
   */
  #buttons(each, isOver, now) {
    const { language } = this;
    /** @type {HTMLButtonElement[]} */
    const made = [];
    const add = (/** @type {string} */ key, /** @type {() => Promise<void>|void} */ act, className = '', icon = '') => {
      const text = language.text(`classes.${key}`);
      const label = language.text('classes.of', { act: text, title: each.title });
      const press = () => void this.#press(button, act);
      const button = createButton(text, press, { className, label, ...(icon ? { icon } : {}) });
      button.dataset.key = `${key} ${each.id}`;
      made.push(button);
    };
    const may = new Set(each.allowed);
    if (may.has('join')) add('join', () => enterClass(this.api, language, each.id), 'primary', 'door');
    else if (may.has('start') && each.status === 'scheduled' && !isOver) {
      const isFirst = isDue(each, now);
      add('start', () => this.#start(each), isFirst ? 'primary' : '', isFirst ? 'door' : '');
    }
    if (isTaught(each) && (each.status === 'live' || each.status === 'ended')) {
      add('attendance', () => this.surroundings.openSheet(each), '', 'people');
    }
    if (may.has('end') && each.status === 'live') add('end', () => this.#end(each), 'danger');
    return made;
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {() => Promise<void>|void} act
   */
  async #press(button, act) {
    button.disabled = true;
    try {
      await act();
    } catch (error) {
      this.surroundings.tell(/** @type {ApiError} */ (error));
      void this.look();  // what it was refused for
    } finally {
      button.disabled = false;
    }
  }

  /** @param {LiveClass} each */
  async #start(each) {
    await enterClass(this.api, this.language, each.id, async () => {
      await this.api.post(`/live-classes/${each.id}/start`);
    });
    await this.look();
  }

  /** @param {LiveClass} each */
  async #end(each) {
    const question = this.language.text('classes.end.question', { title: each.title });
    if (!await this.surroundings.ask(question, this.language.text('classes.end'))) return;
    await this.api.post(`/live-classes/${each.id}/end`);
    await this.look();
    this.title.focus();
  }

  /** @param {LiveClass[]} classes */
  #drawWeek(classes) {
    const { language } = this;
    /** @type {Map<string, LiveClass[]>} */
    const days = new Map();
    for (const each of classes) {
      const day = language.dayKey(each.starts_at);
      days.set(day, [...days.get(day) ?? [], each]);
    }
    const sections = [...days.values()].map((ofDay) => {
      const lines = ofDay.map((each) => {
        const name = create('span', { className: 'name' }, createName(each.title));
        if (each.status === 'cancelled') name.append(' · ', language.text('classes.cancelled'));
        const hours = `${language.time(each.starts_at)} – ${language.time(each.ends_at)}`;
        return create('li', { className: each.status }, create('span', { className: 'hours', text: hours }), name);
      });
      return create('div', {}, create('h3', { text: language.day(ofDay[0].starts_at) }), create('ul', {}, ...lines));
    });
    const week = find(this.root, '.week > div', HTMLElement);
    week.replaceChildren(...sections);
    if (sections.length === 0) {
      week.append(create('p', { className: 'empty', text: language.text('classes.none_week') }));
    }
  }
}

/**
 * @param {LiveClass} each
 * @param {number} now
 * @returns {boolean} whether it is time for it
 */
function isDue(each, now) {
  return each.status === 'scheduled' && Date.parse(each.starts_at) - DUE_MS < now && now < Date.parse(each.ends_at);
}

/**
 * @param {LiveClass} each
 * @param {number} now
 * @returns {boolean} whether it was to have begun, and nobody has started it
 */
function isLate(each, now) {
  return each.status === 'scheduled' && Date.parse(each.starts_at) <= now;
}

/** @param {LiveClass} each */
function isTaught(each) {
  return each.seat === 'teacher' || each.seat === 'assistant';
}
