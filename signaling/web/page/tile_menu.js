/** What a moderator can do about one person, in a menu on their tile. */

import { create } from './dom.js';
import { createIcon } from './icons.js';
import { Menu } from './menu.js';

/** @import { Room } from '../halqa/room.js' */
/** @import { Choice } from './menu.js' */

export class TileMenu {
  element = create('div', { className: 'menu' });
  #button = create('button');

  /**
   * @param {string} id  of the person
   * @param {Room} room
   * @param {{language: import('./language.js').Language, notices: import('./notices.js').Notices}} page
   * @param {AbortSignal} signal  ends it
   */
  constructor(id, room, { language, notices }, signal) {
    this.id = id;
    this.room = room;
    this.language = language;
    this.notices = notices;
    this.#button.type = 'button';
    this.#button.setAttribute('aria-expanded', 'false');
    this.#button.append(createIcon('more'));
    const choices = create('div', { className: 'choices' });
    choices.setAttribute('role', 'group');
    choices.hidden = true;
    this.element.append(this.#button, choices);
    new Menu(this.element, () => this.#choices(), signal);
  }

  /** Show it to those who may use it, with the person's name. */
  refresh() {
    const person = this.room.participant(this.id);
    const isOffered = this.room.permissions.moderate && person !== null;
    this.element.hidden = !isOffered;
    if (!isOffered) return;
    const label = this.language.text('person', { name: person.name });
    this.#button.setAttribute('aria-label', label);
    this.#button.title = label;
  }

  /** @returns {Choice[]} */
  #choices() {
    const { id, room } = this;
    const { moderation, decisions } = room;
    const person = room.participant(id);
    if (person === null) return [];
    const name = person.name;
    const microphone = [...person.tracks.values()].find(({ source }) => source === 'microphone');
    const isSpotlit = decisions.spotlight.includes(id);
    const choices = [];
    if (!person.isLocal && microphone?.state === 'live') {
      choices.push(this.#choice('person.mute', name, () => moderation.mute(id)));
    } else if (!person.isLocal) {
      choices.push(this.#choice('person.ask', name, () => moderation.askToUnmute(id)));
    }
    choices.push(isSpotlit ? this.#choice('person.unspotlight', name, () => moderation.spotlight([]))
      : this.#choice('person.spotlight', name, () => moderation.spotlight([id])));
    if (decisions.hands.includes(id)) choices.push(this.#choice('person.lower', name, () => moderation.lowerHand(id)));
    if (person.isLocal) return choices;
    choices.push(this.#choice('person.send_back', name, () => moderation.sendBack(id)));
    return [...choices, { ...this.#choice('person.remove', name, () => moderation.remove(id)), isDanger: true }];
  }

  /**
   * @param {string} key
   * @param {string} name
   * @param {() => Promise<void>} act
   * @returns {Choice}
   */
  #choice(key, name, act) {
    return { text: this.language.text(key, { name }), act: () => act().catch((error) => this.notices.error(error)) };
  }
}
