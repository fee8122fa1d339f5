/** For moderators: who waits to be let in. */

import { create, createButton, find } from './dom.js';

/** @import { Room } from '../halqa/room.js' */

export class Visitors {
  /**
   * @param {HTMLElement} root
   * @param {Room} room
   * @param {{language: import('./language.js').Language, notices: import('./notices.js').Notices}} page
   * @param {AbortSignal} signal  ends it
   */
  constructor(root, room, { language, notices }, signal) {
    this.root = root;
    this.room = room;
    this.language = language;
    this.notices = notices;
    this.all = find(root, 'button', HTMLButtonElement);
    this.all.onclick = () => this.#do(room.moderation.admit('all'));
    for (const off of [
      room.on('visitor', ({ visitor, outcome }) => {
        if (outcome === 'waits') notices.announce('visitors.knocks', { name: visitor.name });
        this.#render();
      }),
      room.on('rejoined', () => this.#render()),
      room.on('permissions', () => this.#render()),
      language.on('change', () => this.#render()),
    ]) signal.addEventListener('abort', off);
    signal.addEventListener('abort', () => {
      root.hidden = true;
    });
    this.#render();
  }

  #render() {
    const { room, language } = this;
    const visitors = room.permissions.moderate ? [...room.decisions.visitors.values()] : [];
    this.root.hidden = visitors.length === 0;
    this.all.hidden = visitors.length < 2;
    find(this.root, 'ul', HTMLUListElement).replaceChildren(...visitors.map(({ id, name }) => {
      const admit = createButton(language.text('visitors.admit'), () => this.#do(room.moderation.admit(id)), 'primary');
      const refuse = createButton(language.text('visitors.refuse'), () => this.#do(room.moderation.remove(id)));
      admit.setAttribute('aria-label', language.text('visitors.admit_one', { name }));
      refuse.setAttribute('aria-label', language.text('visitors.refuse_one', { name }));
      return create('li', {}, create('bdi', { text: name }), admit, refuse);
    }));
  }

  /** @param {Promise<void>} done */
  async #do(done) {
    await done.catch((error) => this.notices.error(error));
  }
}
