/** Who is in the room and what they publish, kept from the server's messages. */

/** @import { Kept, Participant, Track } from './types.js' */

/**
 * What another snapshot says, compared with what was known.
 * @typedef {object} Difference
 * @property {Participant[]} joined
 * @property {Participant[]} left
 * @property {{participant: Participant, track: Track}[]} tracks  of those who stayed: new, changed or ended
 */

export class Roster {
  /** @type {Map<string, Participant>} the others, in order of arrival */
  others = new Map();
  /** @type {Participant|null} */
  local = null;
  #localId = '';

  /**
   * Begin from a room snapshot, which holds no ended track.
   * @param {any[]} snapshot
   * @param {string} localId
   * @param {string} localName  used until the server has named us
   * @returns {Difference}
   */
  reset(snapshot, localId, localName) {
    const before = this.others;
    this.#localId = localId;
    this.others = new Map();
    this.local = this.#read({ id: localId, identity: '', name: localName });
    for (const each of snapshot) this.join(each);
    return {
      joined: [...this.others.values()].filter(({ id }) => !before.has(id)),
      left: [...before.values()].filter(({ id }) => !this.others.has(id)),
      tracks: [...this.others.values()].flatMap((participant) => {
        const known = before.get(participant.id);
        return known ? differences(participant, known) : [];
      }),
    };
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
   * @param {string|null|undefined} id
   * @returns {Participant|null}
   */
  find(id) {
    return id === this.#localId ? this.local : (this.others.get(id ?? '') ?? null);
  }

  /**
   * @param {any} wire
   * @returns {Participant}
   */
  #read({ id, identity, name, role, joined_at: joinedAt, suspended, state = {}, tracks = [] }) {
    return {
      id,
      identity,
      name: name || identity,
      role: role ?? 'student',
      joinedAt: joinedAt ? new Date(joinedAt) : null,
      isLocal: id === this.#localId,
      suspended: suspended ?? false,
      quality: null,
      tracks: new Map(tracks.map((/** @type {Track} */ track) => [track.id, track])),
      values: new Map(/** @type {[string, Kept][]} */ (Object.entries(state))),
    };
  }
}

/**
 * @param {Participant} now
 * @param {Participant} before
 */
function differences(now, before) {
  const changed = [...now.tracks.values()].filter(({ id, state }) => before.tracks.get(id)?.state !== state);
  const gone = [...before.tracks.values()].filter(({ id }) => !now.tracks.has(id));
  const ended = gone.map((track) => ({ ...track, state: /** @type {const} */ ('ended') }));
  return [...ended, ...changed].map((track) => ({ participant: now, track }));
}
