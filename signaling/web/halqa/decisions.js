/** What holds for the class as a whole: door, spotlight, hands, kept values, who waits, what we may do, recording. */

/** @import { Door, Kept, Permissions, Recording, Speaker, Visitor } from './types.js' */

/** @type {Permissions} */
const NOTHING = { publish: [], subscribe: false, send: false, moderate: false, record: false };

export class Decisions {
  /** @type {Door} */
  door = 'open';
  /** Participant ids. @type {string[]} */
  spotlight = [];
  /** Participant ids, who raised first comes first. @type {string[]} */
  hands = [];
  /** The room's own values, by key. @type {Map<string, Kept>} */
  values = new Map();
  /** For moderators: who waits to be admitted, by id. @type {Map<string, Visitor>} */
  visitors = new Map();
  /** @type {Speaker[]} */
  speakers = [];
  /** @type {Recording} */
  recording = 'off';
  permissions = NOTHING;

  /** @param {any} wire  the room of a snapshot */
  reset(wire) {
    this.door = wire.door ?? 'open';
    this.spotlight = wire.spotlight ?? [];
    this.hands = wire.hands ?? [];
    this.values = new Map(Object.entries(wire.state ?? {}));
    this.visitors = new Map((wire.waiting ?? []).map((/** @type {Visitor} */ visitor) => [visitor.id, visitor]));
    this.recording = wire.recording ?? 'off';
    this.speakers = [];
  }

  /**
   * @param {string[]} raised  they come last
   * @param {string[]} lowered
   */
  changeHands(raised, lowered) {
    const gone = new Set([...raised, ...lowered]);
    this.hands = [...this.hands.filter((id) => !gone.has(id)), ...raised];
  }

  /**
   * @param {string} id  of somebody who left
   * @returns {boolean} a hand went down with them
   */
  forget(id) {
    const hadHand = this.hands.includes(id);
    this.hands = this.hands.filter((each) => each !== id);
    this.speakers = this.speakers.filter(({ participant }) => participant !== id);
    return hadHand;
  }
}

/**
 * @param {Map<string, Kept>} values
 * @param {{key: string, value: any, seq?: number}} wire
 */
export function keep(values, { key, value, seq = 0 }) {
  if (value === null) values.delete(key);
  else values.set(key, { value, version: seq });
}
