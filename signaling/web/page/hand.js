/** The button that raises one's hand and says at which place in the line one is. */

import { find } from './dom.js';

/** @import { Room } from '../halqa/room.js' */

export class Hand {
  /**
   * @param {HTMLButtonElement} button
   * @param {Room} room
   * @param {{language: import('./language.js').Language, notices: import('./notices.js').Notices}} page
   * @param {AbortSignal} signal  ends it
   */
  constructor(button, room, { language, notices }, signal) {
    this.button = button;
    this.room = room;
    this.language = language;
    this.notices = notices;
    button.addEventListener('click', () => this.toggle(), { signal });
    for (const off of [
      room.on('hands', () => this.refresh()),
      room.on('permissions', () => this.refresh()),
      language.on('change', () => this.refresh()),
    ]) signal.addEventListener('abort', off);
    this.refresh();
  }

  /** @returns {number} place in the line, 1 is first; 0: not raised */
  get place() {
    return this.room.decisions.hands.indexOf(this.room.local?.id ?? '') + 1;
  }

  async toggle() {
    if (this.button.hidden) return;
    try {
      await this.room.raiseHand(this.place === 0);
    } catch (error) {
      this.notices.error(/** @type {import('../halqa/errors.js').HalqaError} */ (error));
    }
  }

  refresh() {
    const { button, language, place } = this;
    button.hidden = !this.room.permissions.send;
    button.setAttribute('aria-pressed', String(place > 0));
    button.title = language.text(place > 0 ? 'toolbar.hand.on' : 'toolbar.hand.off');
    const words = place > 0 ? language.text('hand.place', { place }) : language.text('hand');
    find(button, 'span', HTMLElement).textContent = words;
  }
}
