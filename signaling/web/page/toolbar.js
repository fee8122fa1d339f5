/** Buttons and keys that turn microphone, camera and screen on and off. */

import { find } from './dom.js';
import { showIcon } from './icons.js';

/** @typedef {'microphone'|'camera'|'screen'} Switch */

/** @type {Record<string, Switch>} */
const SHORTCUTS = { m: 'microphone', v: 'camera', s: 'screen' };

export class Toolbar {
  /** What the user wants, while it is being done. @type {Map<Switch, boolean>} */
  #wanted = new Map();

  /**
   * @param {HTMLElement} root
   * @param {import('./language.js').Language} language
   * @param {object} actions
   * @param {(source: Switch) => boolean} actions.isOn
   * @param {(source: Switch, on: boolean) => Promise<void>} actions.set
   * @param {(error: import('../halqa/errors.js').HalqaError, source: Switch) => void} actions.failed
   * @param {() => void} actions.leave
   * @param {Record<string, () => void>} actions.keys  further keys, Latin letters
   * @param {AbortSignal} signal  ends it
   */
  constructor(root, language, actions, signal) {
    this.root = root;
    this.language = language;
    this.actions = actions;
    for (const source of Object.values(SHORTCUTS)) {
      this.#button(source).addEventListener('click', () => this.toggle(source), { signal });
    }
    this.#button('leave').addEventListener('click', actions.leave, { signal });
    document.addEventListener('keydown', (event) => this.#pressed(event), { signal });
    const off = language.on('change', () => this.refresh());
    signal.addEventListener('abort', off);
  }

  /**
   * @param {(source: Switch) => boolean} isAllowed  the others are not shown
   */
  offer(isAllowed) {
    const canShare = navigator.mediaDevices?.getDisplayMedia !== undefined;  // no phone can
    for (const source of Object.values(SHORTCUTS)) {
      this.#button(source).hidden = !isAllowed(source) || (source === 'screen' && !canShare);
    }
    this.refresh();
  }

  /** Show what is on now. */
  refresh() {
    for (const source of Object.values(SHORTCUTS)) {
      const isOn = this.actions.isOn(source);
      const button = this.#button(source);
      button.setAttribute('aria-pressed', String(isOn));
      button.title = this.language.text(`toolbar.${source}.${isOn ? 'on' : 'off'}`);
      if (source !== 'screen') showIcon(button, isOn ? source : `${source}-off`);
    }
    this.#button('leave').title = this.language.text('toolbar.leave');
  }

  /**
   * Turn it the other way. Pressed again while that is under way, it is turned back: the last press counts.
   * @param {Switch} source
   */
  async toggle(source) {
    const underWay = this.#wanted.has(source);
    this.#wanted.set(source, !(this.#wanted.get(source) ?? this.actions.isOn(source)));
    if (underWay) return;
    const button = this.#button(source);
    button.setAttribute('aria-busy', 'true');
    try {
      while (this.actions.isOn(source) !== this.#wanted.get(source)) {
        await this.actions.set(source, this.#wanted.get(source) ?? false);
      }
    } catch (error) {
      this.actions.failed(/** @type {import('../halqa/errors.js').HalqaError} */ (error), source);
    } finally {
      this.#wanted.delete(source);
      button.removeAttribute('aria-busy');
      this.refresh();
    }
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target instanceof Element && event.target.closest('input, select, textarea, dialog')) return;
    const key = latinKey(event);
    const source = SHORTCUTS[key];
    if (source && !this.#button(source).hidden) this.toggle(source);
    if (!(key in this.actions.keys)) return;
    event.preventDefault();  // a letter that moves the focus into a text field would be typed there
    this.actions.keys[key]();
  }

  /** @param {string} name */
  #button(name) {
    return find(this.root, `[name=${name}]`, HTMLButtonElement);
  }
}

/**
 * The letter on the key; on a layout without Latin letters, the one at its place on an English keyboard.
 * @param {KeyboardEvent} event
 */
function latinKey(event) {
  const isLatin = /^[a-z]$/i.test(event.key);
  return (isLatin ? event.key : event.code.replace('Key', '')).toLowerCase();
}
