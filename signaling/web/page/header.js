/** The line at the top: which class, how the connection is, how many are here. */

/** @import { Room } from '../halqa/room.js' */

export class Header {
  /** @type {Room|null} */
  #room = null;

  /**
   * @param {HTMLElement} root
   * @param {import('./language.js').Language} language
   */
  constructor(root, language) {
    this.language = language;
    this.name = root.querySelector('#room-name');
    this.connection = root.querySelector('#connection');
    this.count = root.querySelector('#count');
    const button = root.querySelector('#language');
    button.addEventListener('click', () => language.toggle());
    language.on('change', () => {
      button.textContent = language.text('language.switch');
      button.lang = language.current === 'ar' ? 'en' : 'ar';
      this.#show();
    });
  }

  /** @param {string} name  of the room */
  entitle(name) {
    this.name.textContent = name;
    document.title = `${name} · Halqa`;
  }

  /**
   * Follow this room from now on.
   * @param {Room} room
   */
  follow(room) {
    this.#room = room;
    for (const event of ['state', 'participant-joined', 'participant-left']) {
      room.on(event, () => {
        if (this.#room === room) this.#show();
      });
    }
    this.#show();
  }

  #show() {
    const room = this.#room;
    if (room === null) return;
    this.connection.hidden = room.state === 'new';
    this.connection.className = room.state;
    const words = this.language.text(`state.${room.state}`);
    if (this.connection.textContent !== words) this.connection.textContent = words;
    this.count.hidden = room.local === null || room.state === 'closed';
    const count = room.participants.size + 1;
    this.count.querySelector('.number').textContent = count.toLocaleString(this.language.current);
    this.count.querySelector('.visually-hidden').textContent = this.language.text('class.count', { count });
    this.count.title = this.language.text('class.count', { count });
  }
}
