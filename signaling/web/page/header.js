/** The line at the top: which class, how the connection is, how many are here. */

import { find } from './dom.js';

/** @import { Room } from '../halqa/room.js' */

export class Header {
  /** @type {Room|null} */
  #room = null;

  /**
   * @param {Document} root
   * @param {import('./language.js').Language} language
   */
  constructor(root, language) {
    this.language = language;
    this.name = find(root, '#room-name', HTMLElement);
    this.connection = find(root, '#connection', HTMLElement);
    this.recording = find(root, '#recording', HTMLElement);
    this.count = find(root, '#count', HTMLElement);
    const button = find(root, '#language', HTMLButtonElement);
    button.addEventListener('click', () => language.toggle());
    language.on('change', () => {
      button.textContent = language.text('language.switch');
      button.lang = language.current === 'ar' ? 'en' : 'ar';
      this.#show();
    });
  }

  /** @param {string} name  of the class */
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
    for (const event of /** @type {const} */ (['state', 'participant-joined', 'participant-left', 'recording'])) {
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
    find(this.count, '.number', HTMLElement).textContent = count.toLocaleString(this.language.current);
    find(this.count, '.visually-hidden', HTMLElement).textContent = this.language.text('class.count', { count });
    const { recording } = room.decisions;
    this.recording.hidden = recording === 'off' || room.state === 'closed';
    this.recording.className = recording;
    find(this.recording, 'span', HTMLElement).textContent = (
      recording === 'off' ? '' : this.language.text(`recording.${recording}`));
    this.count.title = this.language.text('class.count', { count });
  }
}
