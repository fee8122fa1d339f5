/** Messages are sent once, also if the connection breaks between sending and the answer. */

import { HalqaError } from './errors.js';

/** @import { ServerMessage } from './signal.js' */
/** @import { Message, Recipients } from './types.js' */

/** @typedef {(type: string, fields: Record<string, unknown>) => Promise<ServerMessage>} Ask */
/** @typedef {{body: string, topic: string, copy: ServerMessage|null}} Post  copy: what came back of it */

const DEFAULT_TOPIC = 'chat';

export class Posts {
  #ask;
  /** In the order in which they were sent. @type {Post[]} */
  #underWay = [];
  /** Whether what was missed has been told again since the last interruption. */
  #resumed = false;

  /** @param {Ask} ask  waits for the connection; rejects with `interrupted` if that breaks before the answer */
  constructor(ask) {
    this.#ask = ask;
  }

  /**
   * @param {any} body
   * @param {{topic?: string, to?: Recipients}} [options]
   * @returns {Promise<Message>}
   */
  async send(body, { topic = DEFAULT_TOPIC, to = 'all' } = {}) {
    /** @type {Post} */
    const post = { body: JSON.stringify(body), topic, copy: null };
    this.#underWay.push(post);
    try {
      await this.#deliver(post, { body, topic, to });
    } finally {
      this.#underWay.splice(this.#underWay.indexOf(post), 1);
    }
    return { topic, body, sender: null, to, seq: post.copy?.seq ?? 0 };
  }

  /**
   * @param {ServerMessage} message  `message` or `resumed`
   * @param {string|undefined} localId
   */
  heard(message, localId) {
    if (message.type === 'resumed') {
      this.#resumed = message.room === undefined;
      return;
    }
    if (message.participant !== localId) return;
    const text = JSON.stringify(message.body);
    const isOf = (/** @type {Post} */ { body, topic }) => topic === message.topic && body === text;
    const post = this.#underWay.find((each) => each.copy === null && isOf(each));
    if (post) post.copy = message;
  }

  /**
   * @param {Post} post
   * @param {Record<string, unknown>} fields
   */
  async #deliver(post, fields) {
    for (;;) {
      this.#resumed = false;
      try {
        await this.#ask('send', fields);
        return;
      } catch (error) {
        if (!(error instanceof HalqaError) || error.code !== 'interrupted') throw error;
        await this.#ask('ping', { t: 0 });  // what was missed is told before the answer to this
        if (post.copy) return;
        if (!this.#resumed) throw error;
      }
    }
  }
}
