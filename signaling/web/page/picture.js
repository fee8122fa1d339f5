/** How much of the pictures comes to us: a menu for who has a weak network or pays for every byte. */

import { find } from './dom.js';
import { Menu } from './menu.js';

/** @import { Room } from '../halqa/room.js' */
/** @import { Limit } from '../halqa/types.js' */
/** @import { Choice } from './menu.js' */

const STORAGE_KEY = 'halqa.picture';

/** From the most to the least; null leaves it to the network. @type {(Limit|null)[]} */
const LIMITS = [null, 'good', 'poor', 'minimal', 'audio'];

export class Picture {
  /**
   * @param {HTMLElement} root
   * @param {Room} room
   * @param {{language: import('./language.js').Language, notices: import('./notices.js').Notices}} page
   * @param {AbortSignal} signal  ends it
   */
  constructor(root, room, { language, notices }, signal) {
    this.room = room;
    this.language = language;
    this.notices = notices;
    const menu = new Menu(root, () => LIMITS.map((limit) => this.#choice(limit)), signal);
    const button = find(root, 'button', HTMLButtonElement);
    const show = () => {
      button.title = language.text(`picture.${room.limit ?? 'auto'}`);
      root.classList.toggle('limited', room.limit !== null);
    };
    signal.addEventListener('abort', room.on('limit', show));
    signal.addEventListener('abort', language.on('change', show));
    signal.addEventListener('abort', () => {
      menu.close();
      root.hidden = true;
    });
    show();
    root.hidden = false;
    const kept = LIMITS.find((limit) => limit !== null && limit === localStorage.getItem(STORAGE_KEY));
    if (kept) this.#set(kept);
  }

  /**
   * @param {Limit|null} limit
   * @returns {Choice}
   */
  #choice(limit) {
    const text = this.language.text(`picture.${limit ?? 'auto'}`);
    return { text, isChosen: this.room.limit === limit, act: () => this.#choose(limit) };
  }

  /** @param {Limit|null} limit  it is kept for the next class on this device */
  #choose(limit) {
    if (limit === null) localStorage.removeItem(STORAGE_KEY);
    else localStorage.setItem(STORAGE_KEY, limit);
    this.#set(limit);
  }

  /** @param {Limit|null} limit */
  #set(limit) {
    this.room.setLimit(limit).catch((error) => {
      if (this.room.state !== 'closed') this.notices.error(error);
    });
  }
}
