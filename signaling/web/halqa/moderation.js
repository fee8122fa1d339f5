/** What those with the right to moderate may ask. Each call resolves when it is done, and rejects with HalqaError. */

/** @import { Door, Permissions, Source } from './types.js' */

/** @typedef {(type: string, fields?: Record<string, unknown>) => Promise<unknown>} Ask */

export class Moderation {
  #ask;

  /** @param {Ask} ask */
  constructor(ask) {
    this.#ask = ask;
  }

  /**
   * Let in who waits.
   * @param {string} visitor  id of a visitor, or "all"
   */
  async admit(visitor) {
    await this.#ask('admit', { participant: visitor });
  }

  /**
   * Send somebody in the room back to the waiting room.
   * @param {string} participant  id
   */
  async sendBack(participant) {
    await this.#ask('send_back', { participant });
  }

  /**
   * Change what somebody may do, until they leave; what is left out stays.
   * @param {string} participant  id
   * @param {Partial<Permissions>} permissions
   */
  async permit(participant, permissions) {
    await this.#ask('permit', { participant, ...permissions });
  }

  /**
   * Mute somebody, or everybody who does not moderate. They can unmute again.
   * @param {string} participant  id, or "all"
   * @param {Source} [source]
   */
  async mute(participant, source = 'microphone') {
    await this.#ask('mute_participant', { participant, source });
  }

  /**
   * Ask somebody to switch on; they hear `asked`, and decide.
   * @param {string} participant  id
   * @param {Source} [source]
   */
  async askToUnmute(participant, source = 'microphone') {
    await this.#ask('ask_unmute', { participant, source });
  }

  /**
   * Put somebody out who is in the room or waits.
   * @param {string} participant  id
   * @param {{reason?: string, ban?: boolean}} [options]  ban: not let in again with this token
   */
  async remove(participant, { reason, ban } = {}) {
    await this.#ask('remove', { participant, reason, ban });
  }

  /** @param {Door} door */
  async lock(door) {
    await this.#ask('lock', { door });
  }

  /** @param {string[]} participants  ids of whom everybody should see large; none ends it */
  async spotlight(participants) {
    await this.#ask('spotlight', { participants });
  }

  /** @param {string} participant  id of whose hand to lower, or "all" */
  async lowerHand(participant) {
    await this.#ask('hand', { raised: false, participant });
  }

  /**
   * Needs the right to record.
   * @param {'start'|'stop'|'pause'|'resume'} action
   */
  async record(action) {
    await this.#ask('record', { action });
  }

  /**
   * End the class for everybody.
   * @param {string} [reason]  told to them
   */
  async end(reason) {
    await this.#ask('end', { reason });
  }
}
