/** The chat: messages of the class, one's own words, and how many were not read yet. */

import { create, find } from './dom.js';

/** @import { Room } from '../halqa/room.js' */
/** @import { Message, Recipients } from '../halqa/types.js' */
/** @import { Language } from './language.js' */

const TOPIC = 'chat';
/** Older ones go: a page is no archive. */
const MESSAGES_MAX = 500;
const UNREAD_MAX = 99;
/** @type {Record<string, Recipients>} */
const ADDRESSES = { all: 'all', teachers: { roles: ['teacher', 'assistant'] } };

export class Chat {
  #unread = 0;
  #signal;

  /**
   * @param {HTMLElement} root
   * @param {HTMLButtonElement} button  opens and closes it
   * @param {Room} room
   * @param {{language: Language, notices: import('./notices.js').Notices}} page
   * @param {AbortSignal} signal  ends it
   */
  constructor(root, button, room, { language, notices }, signal) {
    this.root = root;
    this.button = button;
    this.room = room;
    this.language = language;
    this.notices = notices;
    this.#signal = signal;
    this.log = find(root, 'ol', HTMLOListElement);
    this.form = find(root, 'form', HTMLFormElement);
    this.text = find(root, 'textarea', HTMLTextAreaElement);
    this.problem = find(root, '.problem', HTMLElement);
    button.addEventListener('click', () => this.toggle(), { signal });
    find(root, '.close', HTMLButtonElement).addEventListener('click', () => this.toggle(), { signal });
    root.addEventListener('keydown', (event) => this.#pressed(event), { signal });
    this.form.addEventListener('submit', (event) => this.#submit(event), { signal });
    signal.addEventListener('abort', room.on('message', (message) => this.#show(message)));
    signal.addEventListener('abort', room.on('permissions', () => this.#permit()));
    this.log.replaceChildren();
    this.#permit();
    this.#count(0);
  }

  /** Open or close it; the focus follows. */
  toggle() {
    const opens = this.root.hidden;
    this.root.hidden = !opens;
    this.root.parentElement?.classList.toggle('chatting', opens);
    this.button.setAttribute('aria-expanded', String(opens));
    if (!opens) {
      this.button.focus();
      return;
    }
    this.#count(0);
    this.log.scrollTop = this.log.scrollHeight;
    (this.form.hidden ? this.log : this.text).focus();
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.key === 'Escape') this.toggle();
    const isPlainEnter = event.key === 'Enter' && !event.shiftKey && !event.isComposing;
    if (event.target !== this.text || !isPlainEnter) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const text = this.text.value.trim();
    if (text === '') return;
    this.problem.hidden = true;
    this.text.value = '';
    const to = ADDRESSES[find(this.form, 'select', HTMLSelectElement).value];
    try {
      await this.room.send(text, { topic: TOPIC, to });
    } catch (error) {
      if (this.#signal.aborted) return;
      const { code } = /** @type {import('../halqa/errors.js').HalqaError} */ (error);
      this.text.value ||= text;
      this.problem.textContent = this.language.text(this.language.firstKnown(`chat.error.${code}`, 'chat.error'));
      this.problem.hidden = false;
    }
  }

  /** @param {Message} message */
  #show({ topic, body, sender, to }) {
    if (topic !== TOPIC || typeof body !== 'string') return;
    const isOwn = sender?.isLocal ?? false;
    const name = isOwn ? this.language.text('chat.you') : (sender?.name ?? this.language.text('chat.server'));
    const head = create('p', { className: 'head' }, create('bdi', { text: name, className: 'name' }));
    if (to !== 'all') head.append(' ', create('span', { className: 'to', text: this.language.text('chat.private') }));
    const time = new Date();
    const stamp = create('time', { text: time.toLocaleTimeString(this.language.current, { timeStyle: 'short' }) });
    stamp.dateTime = time.toISOString();
    head.append(' ', stamp);
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 40;
    const entry = create('li', { className: isOwn ? 'own' : '' }, head, create('p', { text: body, dir: 'auto' }));
    this.log.append(entry);
    if (this.log.childElementCount > MESSAGES_MAX) this.log.firstElementChild?.remove();
    if (atEnd || isOwn) this.log.scrollTop = this.log.scrollHeight;
    if (!this.root.hidden) return;
    this.#count(this.#unread + 1);
    this.notices.announce('chat.heard', { name, text: body });
  }

  #permit() {
    this.form.hidden = !this.room.permissions.send;
  }

  /** @param {number} unread */
  #count(unread) {
    this.#unread = unread;
    const badge = find(this.button, '.unread', HTMLElement);
    badge.hidden = unread === 0;
    badge.textContent = Math.min(unread, UNREAD_MAX).toLocaleString(this.language.current);
    this.button.title = this.language.text(unread === 0 ? 'toolbar.chat' : 'toolbar.chat.unread', { count: unread });
  }
}
