/** How it goes: attendance and grades of oneself, or of a child, in short, course by course. */

import { create, createName, find } from './dom.js';

/** @import { Api, ApiError } from './api.js' */
/** @import { Language } from './language.js' */
/** @import { Child, CourseAttendance, Myself, OwnItem } from './types.js' */

const GOOD = 80;
const FAIR = 60;

/** @typedef {{course_id: string, title: string, percent: string|null}} Total */

export class Progress {
  /** @type {{rate: string|null, courses: CourseAttendance[]}|null} */
  #attendance = null;
  /** @type {Total[]} */
  #totals = [];
  /** @type {Map<string, OwnItem[]>} */
  #items = new Map();
  /** @type {Set<string>} */
  #open = new Set();
  /** Whose. */
  #student = '';
  #isOwn = true;

  /**
   * @param {HTMLElement} root
   * @param {Api} api
   * @param {Language} language
   * @param {(error: ApiError) => void} tell
   */
  constructor(root, api, language, tell) {
    this.root = root;
    this.api = api;
    this.language = language;
    this.tell = tell;
    this.choice = find(root, 'select', HTMLSelectElement);
    this.choice.addEventListener('change', () => {
      this.#student = this.choice.value;
      this.#clear();
      void this.#look();
    });
    language.addEventListener('change', () => this.#draw());
  }

  /** @param {Myself} me */
  async show(me) {
    this.root.hidden = false;
    try {
      await this.#choose(me);
      await this.#look();
    } catch (error) {
      this.tell(/** @type {ApiError} */ (error));
    }
  }

  hide() {
    this.root.hidden = true;
  }

  /** Somebody else is here now. */
  forget() {
    this.#clear();
    this.#student = '';
  }

  #clear() {
    this.#attendance = null;
    this.#totals = [];
    this.#items.clear();
    this.#open.clear();
    this.#draw();
  }

  /** @param {Myself} me */
  async #choose(me) {
    if (this.#student !== '') return;
    this.#isOwn = me.roles.includes('student');
    /** @type {Child[]} */
    const children = me.roles.includes('observer') ? await this.api.get('/auth/me/children') : [];
    const people = [...(this.#isOwn ? [{ id: me.id, name: me.name }] : []), ...children];
    this.choice.replaceChildren(...people.map(({ id, name }) => new Option(name, id)));
    find(this.root, 'label', HTMLElement).hidden = this.#isOwn && children.length === 0;
    this.#student = people[0]?.id ?? '';
  }

  async #look() {
    const student = this.#student;
    if (student === '') {
      this.#draw();
      return;
    }
    try {
      const [attendance, totals] = await Promise.all([
        this.api.get(`/users/${student}/attendance`),
        this.api.get('/grades', this.#query()),
      ]);
      if (student !== this.#student) return;
      this.#attendance = attendance;
      this.#totals = totals;
      this.#draw();
    } catch (error) {
      this.tell(/** @type {ApiError} */ (error));
    }
  }

  /** @returns {Record<string, string>} */
  #query() {
    return this.#isOwn && this.choice.selectedIndex <= 0 ? {} : { student_id: this.#student };
  }

  #draw() {
    const numbers = find(this.root, '.numbers', HTMLElement);
    const courses = find(this.root, '.courses', HTMLElement);
    const attendance = this.#attendance;
    if (attendance === null) {
      const key = this.#student === '' ? 'progress.nobody' : 'progress.loading';
      numbers.replaceChildren();
      courses.replaceChildren(create('p', { className: 'empty', text: this.language.text(key) }));
      return;
    }
    const came = (/** @type {string[]} */ statuses) => attendance.courses.reduce((sum, course) => (
      sum + statuses.reduce((part, status) => part + (course.counts[status] ?? 0), 0)
    ), 0);
    const { language } = this;
    numbers.replaceChildren(
      this.#number(attendance.rate === null ? '–' : language.percent(attendance.rate), 'progress.rate'),
      this.#number(language.number(came(['late'])), 'progress.late'),
      this.#number(language.number(came(['absent'])), 'progress.absent'),
    );
    courses.replaceChildren(...this.#courses().map((course) => this.#course(course)));
    if (courses.childElementCount === 0) {
      courses.append(create('p', { className: 'empty', text: language.text('progress.none') }));
    }
  }

  /**
   * @param {string} value
   * @param {string} key
   */
  #number(value, key) {
    const text = this.language.text(key);
    return create('p', { className: 'number' }, create('strong', { text: value }), create('span', { text }));
  }

  /** @returns {{id: string, title: string, attendance: CourseAttendance|undefined, percent: string|null}[]} */
  #courses() {
    const known = new Map((this.#attendance?.courses ?? []).map((each) => [each.course_id ?? '', each]));
    const graded = this.#totals.map(({ course_id, title, percent }) => {
      const attendance = known.get(course_id);
      known.delete(course_id);
      return { id: course_id, title, attendance, percent };
    });
    const others = [...known.values()].map((attendance) => {
      const title = attendance.title ?? this.language.text('progress.outside');
      return { id: attendance.course_id ?? '', title, attendance, percent: null };
    });
    return [...graded, ...others];
  }

  /** @param {{id: string, title: string, attendance: CourseAttendance|undefined, percent: string|null}} course */
  #course({ id, title, attendance, percent }) {
    const { language } = this;
    const bars = create('div', { className: 'bars' });
    if (attendance !== undefined) {
      const parts = Object.entries(attendance.counts).filter(([, count]) => count > 0).map(([status, count]) => (
        language.text('sheet.count', { status: language.text(`status.${status}`), count })
      ));
      bars.append(this.#bar('progress.attendance', attendance.rate, parts.join(' · ')));
    }
    bars.append(this.#bar('progress.grade', percent, ''));
    const heading = create('h2', {}, createName(title));
    const card = create('article', { className: 'course' }, heading, bars);
    if (percent !== null) card.append(this.#details(id));
    return card;
  }

  /**
   * @param {string} key
   * @param {string|null} value
   * @param {string} detail
   */
  #bar(key, value, detail) {
    const { language } = this;
    const label = language.text(key);
    const shown = value === null ? language.text('progress.nothing') : language.percent(value);
    const line = create('p', {}, create('span', { text: label }), create('strong', { text: shown }));
    const bar = create('div', { className: 'bar' }, line);
    if (value !== null) {
      const meter = create('meter', { label: `${label}: ${shown}` });
      Object.assign(meter, { min: 0, max: 100, low: FAIR, high: GOOD, optimum: 100, value: Number(value) });
      bar.append(meter);
    }
    if (detail) bar.append(create('p', { className: 'detail', text: detail }));
    return bar;
  }

  /** @param {string} courseId */
  #details(courseId) {
    const summary = create('summary', { text: this.language.text('progress.items') });
    const details = create('details', {}, summary);
    details.open = this.#open.has(courseId);
    const fill = () => {
      const items = this.#items.get(courseId);
      if (items === undefined) return;
      details.replaceChildren(summary, this.#table(items));
    };
    details.addEventListener('toggle', async () => {
      if (details.open) this.#open.add(courseId);
      else this.#open.delete(courseId);
      if (!details.open || this.#items.has(courseId)) return;
      try {
        const grades = await this.api.get(`/courses/${courseId}/grades`, this.#query());
        this.#items.set(courseId, grades.items);
        fill();
      } catch (error) {
        this.tell(/** @type {ApiError} */ (error));
      }
    });
    fill();
    return details;
  }

  /** @param {OwnItem[]} items */
  #table(items) {
    const { language } = this;
    const head = create('tr', {}, ...['progress.item', 'progress.points'].map((key) => {
      const cell = create('th', { text: language.text(key) });
      cell.scope = 'col';
      return cell;
    }));
    const rows = items.map((item) => {
      const title = create('th', {}, createName(item.title));
      title.scope = 'row';
      if (item.feedback) title.append(create('br'), create('small', {}, createName(item.feedback)));
      const points = item.points === null
        ? language.text(`grade.${item.state}`)
        : language.text('progress.of', { points: Number(item.points), most: Number(item.max_points) });
      return create('tr', {}, title, create('td', { text: points }));
    });
    return create('table', {}, create('thead', {}, head), create('tbody', {}, ...rows));
  }
}
