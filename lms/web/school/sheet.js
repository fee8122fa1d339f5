/** Attendance of a class, read again every few seconds as long as it lasts and somebody looks. */

import { create, createName, find } from './dom.js';

/** @import { Api, ApiError } from './api.js' */
/** @import { Language } from './language.js' */
/** @import { LiveClass, Sheet, SheetRow } from './types.js' */

const LOOK_EVERY_MS = 5_000;
const STATUSES = ['present', 'late', 'left_early', 'partial', 'absent', 'excused'];
const STANDINGS = ['here', 'reconnecting', 'gone', 'never_came'];
/** What is said of somebody while the class lasts, beside where they are: of all else nobody knows the end yet. */
const SAID_LIVE = ['late', 'excused'];

export class AttendanceSheet {
  /** @type {LiveClass|null} */
  #of = null;
  /** @type {Sheet|null} */
  #sheet = null;
  #timer = 0;

  /**
   * @param {HTMLDialogElement} root
   * @param {Api} api
   * @param {Language} language
   * @param {(error: ApiError) => void} tell
   */
  constructor(root, api, language, tell) {
    this.root = root;
    this.api = api;
    this.language = language;
    this.tell = tell;
    this.state = find(root, '.state', HTMLElement);
    find(root, 'header button', HTMLButtonElement).addEventListener('click', () => root.close());
    root.addEventListener('close', () => clearTimeout(this.#timer));
    root.addEventListener('click', (event) => {
      if (event.target === root) root.close();
    });
    language.addEventListener('change', () => this.#draw());
  }

  /** @param {LiveClass} of */
  open(of) {
    this.#of = of;
    this.#sheet = null;
    find(this.root, '.of bdi', HTMLElement).textContent = of.title;
    this.#draw();
    this.root.showModal();
    find(this.root, 'h2', HTMLElement).focus();
    void this.#look();
  }

  close() {
    this.root.close();
  }

  async #look() {
    const of = this.#of;
    if (of === null || !this.root.open) return;
    clearTimeout(this.#timer);
    try {
      if (document.visibilityState === 'visible') {
        const sheet = await this.api.get(`/live-classes/${of.id}/attendance`);
        if (this.#of !== of) return;
        this.#sheet = sheet;
        this.#draw();
      }
    } catch (error) {
      const { code } = /** @type {ApiError} */ (error);
      if (code === 'class_never_held') this.state.textContent = this.language.text('sheet.never');
      else if (code !== 'away') {
        this.root.close();
        this.tell(/** @type {ApiError} */ (error));
        return;
      }
    }
    if (this.root.open && this.#sheet?.state !== 'final') {
      this.#timer = setTimeout(() => void this.#look(), LOOK_EVERY_MS);
    }
  }

  #draw() {
    const { language } = this;
    const sheet = this.#sheet;
    this.state.textContent = language.text(sheet === null ? 'sheet.loading' : `sheet.${sheet.state}`);
    find(this.root, '.counts', HTMLElement).replaceChildren(...sheet === null ? [] : this.#counts(sheet));
    const rows = find(this.root, '.rows', HTMLElement);
    if (sheet === null) rows.replaceChildren();
    else rows.replaceChildren(this.#table(sheet));
  }

  /** @param {Sheet} sheet */
  #counts(sheet) {
    const { language } = this;
    const isLive = sheet.state === 'live';
    const standings = STANDINGS.map((standing) => ({
      key: `standing.${standing}`,
      className: `is-${standing}`,
      count: sheet.members.filter((row) => row.standing === standing).length,
    }));
    const statuses = STATUSES.filter((status) => !isLive || SAID_LIVE.includes(status)).map((status) => ({
      key: `status.${status}`, className: status, count: sheet.counts[status] ?? 0,
    }));
    const all = isLive ? [...standings, ...statuses] : statuses;
    return all.filter(({ count }) => count > 0).map(({ key, className, count }) => {
      const text = language.text('sheet.count', { status: language.text(key), count });
      return create('li', { className: `chip ${className}`, text });
    });
  }

  /** @param {Sheet} sheet */
  #table(sheet) {
    const { language } = this;
    const head = create('tr', {}, ...['name', 'status', 'minutes'].map((key) => {
      const cell = create('th', { text: language.text(`sheet.${key}`) });
      cell.scope = 'col';
      return cell;
    }));
    const body = create('tbody', {}, ...sheet.members.map((row) => this.#row(row, sheet.state === 'live')));
    return create('table', {}, create('thead', {}, head), body);
  }

  /**
   * @param {SheetRow} row
   * @param {boolean} isLive
   */
  #row(row, isLive) {
    const { language } = this;
    const name = create('th', {}, createName(row.name));
    name.scope = 'row';
    const chips = [];
    if (isLive) {
      name.className = `here ${row.standing === 'here' ? 'now' : row.standing}`;
      chips.push({ key: `standing.${row.standing}`, className: `is-${row.standing}` });
    }
    if (!isLive || row.override !== null || SAID_LIVE.includes(row.status)) {
      chips.push({ key: `status.${row.status}`, className: row.status });
    }
    const state = create('td', {}, ...chips.flatMap(({ key, className }, index) => [
      ...index > 0 ? [' '] : [],
      create('span', { className: `chip ${className}`, text: language.text(key) }),
    ]));
    if (row.override !== null) state.append(' ', create('small', { text: language.text('sheet.override') }));
    const minutes = language.text('sheet.present', { count: Math.round(row.present_s / 60) });
    return create('tr', {}, name, state, create('td', { className: 'minutes', text: minutes }));
  }
}
