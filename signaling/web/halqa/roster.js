/** Who is in the room and what they publish, kept from the server's messages. */

/** @import { Participant, Track } from './types.js' */

export class Roster {
  /** @type {Map<string, Participant>} the others, in order of arrival */
  others = new Map();
  /** @type {Participant|null} */
  local = null;
  #localId = '';

  /**
   * Begin from the room snapshot of `joined`, which holds no ended track.
   * @param {object[]} snapshot
   * @param {string} localId
   * @param {string} localName  used until the server has named us
   */
  reset(snapshot, localId, localName) {
    this.#localId = localId;
    this.others.clear();
    this.local = this.#read({ id: localId, identity: '', name: localName });
    for (const each of snapshot) this.join(each);
  }

  /**
   * @param {any} wire  a participant as the server writes it
   * @returns {Participant}
   */
  join(wire) {
    const participant = this.#read(wire);
    if (participant.isLocal) this.local = participant;
    else this.others.set(participant.id, participant);
    return participant;
  }

  /**
   * @param {string} id
   * @returns {Participant|null} who left
   */
  leave(id) {
    const participant = this.others.get(id) ?? null;
    this.others.delete(id);
    return participant;
  }

  /**
   * @param {string} participantId
   * @param {Track} track
   * @returns {Participant|null} whose it is
   */
  change(participantId, track) {
    const participant = this.find(participantId);
    if (track.state === 'ended') participant?.tracks.delete(track.id);
    else participant?.tracks.set(track.id, track);
    return participant;
  }

  /**
   * @param {string} id
   * @returns {Participant|null}
   */
  find(id) {
    return id === this.#localId ? this.local : (this.others.get(id) ?? null);
  }

  /** @param {any} wire */
  #read({ id, identity, name, tracks = [] }) {
    const isLocal = id === this.#localId;
    return { id, identity, name: name || identity, isLocal, tracks: new Map(tracks.map((track) => [track.id, track])) };
  }
}
