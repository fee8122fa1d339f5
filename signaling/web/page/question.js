/** "Somebody asks you to unmute": nobody can switch on the microphone of somebody else. */

import { find } from './dom.js';

/** @import { Room } from '../halqa/room.js' */
/** @import { Source } from '../halqa/types.js' */

export class Question {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {Room} room
   * @param {import('./language.js').Language} language
   * @param {(source: Source) => void} agreed
   * @param {AbortSignal} signal  ends it
   */
  constructor(dialog, room, language, agreed, signal) {
    this.dialog = dialog;
    this.language = language;
    /** @type {Source} */
    this.source = 'microphone';
    find(dialog, '.yes', HTMLButtonElement).addEventListener('click', () => {
      dialog.close();
      agreed(this.source);
    }, { signal });
    find(dialog, '.no', HTMLButtonElement).addEventListener('click', () => dialog.close(), { signal });
    signal.addEventListener('abort', room.on('asked', ({ source, by }) => {
      if (room.localTrack(source)?.muted !== false) this.#ask(source, by?.name ?? '');
    }));
    signal.addEventListener('abort', () => dialog.close());
  }

  /**
   * @param {Source} source
   * @param {string} name
   */
  #ask(source, name) {
    const { dialog, language } = this;
    this.source = source;
    const key = language.firstKnown(`question.${source}`, 'question.microphone');
    find(dialog, 'p', HTMLElement).textContent = language.text(key, { name });
    find(dialog, '.yes', HTMLButtonElement).textContent = language.text(`${key}.yes`);
    if (!dialog.open) dialog.showModal();
  }
}
