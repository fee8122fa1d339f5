/** A button with a list of choices under it; closed by a choice, by Escape, and by a click elsewhere. */

import { createButton, find } from './dom.js';

/**
 * @typedef {object} Choice
 * @property {string} text
 * @property {() => void} act
 * @property {boolean} [isDanger]
 * @property {boolean} [isChosen]  whether it is the one that holds, of several of which one does
 */

export class Menu {
  /**
   * @param {HTMLElement} root  holds a button and an element of class "choices"
   * @param {() => Choice[]} choices  asked each time it opens
   * @param {AbortSignal} [signal]  ends it
   */
  constructor(root, choices, signal) {
    this.root = root;
    this.choices = choices;
    this.button = find(root, 'button', HTMLButtonElement);
    this.list = find(root, '.choices', HTMLElement);
    this.button.addEventListener('click', () => this.#toggle(), { signal });
    root.addEventListener('keydown', (event) => this.#pressed(event), { signal });
    root.addEventListener('focusout', ({ relatedTarget }) => {
      if (relatedTarget instanceof Node && !root.contains(relatedTarget)) this.close();
    }, { signal });
    document.addEventListener('click', ({ target }) => {
      if (target instanceof Node && !root.contains(target)) this.close();
    }, { signal });
  }

  close() {
    this.list.hidden = true;
    this.button.setAttribute('aria-expanded', 'false');
  }

  #toggle() {
    if (!this.list.hidden) {
      this.close();
      return;
    }
    this.list.replaceChildren(...this.choices().map(({ text, act, isDanger, isChosen }) => {
      const button = createButton(text, () => {
        this.close();
        this.button.focus();
        act();
      }, isDanger ? 'danger' : '');
      if (isChosen !== undefined) button.setAttribute('aria-pressed', String(isChosen));
      return button;
    }));
    this.list.hidden = false;
    this.button.setAttribute('aria-expanded', 'true');
    const chosen = this.list.querySelector('[aria-pressed="true"]') ?? this.list.firstElementChild;
    /** @type {HTMLElement|null} */ (chosen)?.focus();
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (this.list.hidden) return;
    const buttons = /** @type {HTMLElement[]} */ ([...this.list.children]);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Escape') {
      this.close();
      this.button.focus();
    } else if (step !== undefined) {
      const at = buttons.findIndex((button) => button === document.activeElement);
      buttons[(at + step + buttons.length) % buttons.length]?.focus();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
