/** For moderators: what concerns the whole class: mute all, the door, hands, recording, the end. */

import { find } from './dom.js';
import { Menu } from './menu.js';

/** @import { Room } from '../halqa/room.js' */
/** @import { Choice } from './menu.js' */

export class Manage {
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
    const menu = new Menu(root, () => this.#choices(), signal);
    const show = () => {
      root.hidden = !room.permissions.moderate;
      find(root, 'button', HTMLButtonElement).title = language.text('manage');
    };
    signal.addEventListener('abort', room.on('permissions', show));
    signal.addEventListener('abort', language.on('change', show));
    signal.addEventListener('abort', () => {
      menu.close();
      root.hidden = true;
    });
    show();
  }

  /** @returns {Choice[]} */
  #choices() {
    const { moderation, decisions } = this.room;
    const { door, hands, recording } = decisions;
    const choices = [this.#choice('manage.mute_all', () => moderation.mute('all'))];
    if (hands.length > 0) choices.push(this.#choice('manage.lower_hands', () => moderation.lowerHand('all')));
    for (const other of /** @type {const} */ (['open', 'waiting', 'locked'])) {
      if (other !== door) choices.push(this.#choice(`manage.door.${other}`, () => moderation.lock(other)));
    }
    const action = recording === 'off' ? 'start' : 'stop';
    if (this.room.permissions.record) {
      choices.push(this.#choice(`manage.record.${action}`, () => moderation.record(action)));
    }
    const end = this.#choice('manage.end', async () => {
      if (window.confirm(this.language.text('manage.end.sure'))) await moderation.end();
    });
    return [...choices, { ...end, isDanger: true }];
  }

  /**
   * @param {string} key
   * @param {() => Promise<void>} act
   * @returns {Choice}
   */
  #choice(key, act) {
    return { text: this.language.text(key), act: () => act().catch((error) => this.notices.error(error)) };
  }
}
