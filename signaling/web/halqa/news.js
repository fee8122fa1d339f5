/** What the server tells becomes what the room knows, and events about it; none is heard twice. */

import { Decisions, keep } from './decisions.js';
import { HalqaError } from './errors.js';
import { Roster } from './roster.js';
import { Slots } from './slots.js';

/** @import { ServerMessage } from './signal.js' */
/** @import { Participant, RoomEvents, Source, Track } from './types.js' */

/** @typedef {<Name extends keyof RoomEvents>(name: Name, detail: RoomEvents[Name]) => void} Tell */

/**
 * @typedef {object} Listener
 * @property {Tell} tell  emits an event of the room
 * @property {(source: Source, track: Track) => void} ownTrack  the server says this of a track of ours
 * @property {(track: string, encodings: import('./encodings.js').Encoding[]) => void} layers
 */

export class News {
  name = '';
  /** Number of the last room event heard. */
  seq = 0;
  roster = new Roster();
  decisions = new Decisions();
  slots = new Slots();

  /**
   * @param {Listener} listener
   * @param {() => string} ownName  used until the server has named us
   */
  constructor(listener, ownName) {
    this.listener = listener;
    this.tell = listener.tell;
    this.ownName = ownName;
  }

  /** @param {ServerMessage} message  unknown types are passed over: a newer server may send more */
  receive(message) {
    if (message.type === 'joined' || message.type === 'resumed') {
      this.#entered(message);
      return;
    }
    if (typeof message.seq === 'number' && message.type !== 'done') {
      if (message.seq <= this.seq) return;
      this.seq = message.seq;
    }
    this.#people(message);
    this.#class(message);
  }

  /** @param {ServerMessage} message  `joined` or `resumed` */
  #entered(message) {
    const isFirst = this.name === '';
    this.decisions.permissions = message.permissions ?? this.decisions.permissions;
    if (message.type === 'joined' || message.room) {
      this.seq = message.seq ?? 0;
      this.#snapshot(message.room, message.participant, isFirst);
    }
    if (!isFirst) this.tell('permissions', { participant: this.roster.local, permissions: this.decisions.permissions });
  }

  /**
   * @param {any} room
   * @param {string} localId
   * @param {boolean} isFirst
   */
  #snapshot(room, localId, isFirst) {
    this.name = room.name;
    this.decisions.reset(room);
    const { joined, left, tracks } = this.roster.reset(room.participants, localId, this.ownName());
    if (isFirst) return;
    for (const participant of left) this.tell('participant-left', { participant, reason: 'missed' });
    for (const participant of joined) this.tell('participant-joined', participant);
    for (const each of tracks) this.tell('track', each);
    const { door, spotlight, hands, recording } = this.decisions;
    this.tell('room', { door, spotlight });
    this.tell('hands', hands);
    this.tell('recording', recording);
  }

  /** @param {ServerMessage} message */
  #people(message) {
    switch (message.type) {
      case 'participant':
        this.#joined(message.participant);
        break;
      case 'left':
        this.#left(message.participant, message.reason);
        break;
      case 'track':
        this.#track(message.participant, message.track);
        break;
      case 'presence':
        this.#changed(message.participant, { suspended: message.suspended });
        break;
      case 'quality':
        for (const { participant, level } of message.participants) this.#changed(participant, { quality: level });
        break;
      case 'state':
        this.#value(message);
        break;
      case 'permissions':
        this.#permissions(message);
        break;
      case 'slots':
        this.tell('slots', this.slots.apply(message.slots));
        break;
      case 'layers':
        this.listener.layers(message.track, message.encodings);
        break;
    }
  }

  /** @param {ServerMessage} message */
  #class(message) {
    const { decisions, roster } = this;
    switch (message.type) {
      case 'room':
        decisions.door = message.door;
        decisions.spotlight = message.spotlight;
        this.tell('room', { door: message.door, spotlight: message.spotlight });
        break;
      case 'hands':
        decisions.changeHands(message.raised ?? [], message.lowered ?? []);
        this.tell('hands', decisions.hands);
        break;
      case 'knock':
        decisions.visitors.set(message.participant.id, message.participant);
        this.tell('visitor', { visitor: message.participant, outcome: 'waits' });
        break;
      case 'knock_over':
        this.#knockOver(message);
        break;
      case 'speakers':
        decisions.speakers = message.speakers;
        this.tell('speakers', decisions.speakers);
        break;
      case 'recording':
        decisions.recording = message.state;
        this.tell('recording', message.state);
        break;
      case 'message':
        this.#message(message);
        break;
      case 'reaction':
        this.tell('reaction', { participant: roster.find(message.participant), reaction: message.reaction });
        break;
      case 'asked':
        this.tell('asked', { source: message.source, by: roster.find(message.participant) });
        break;
      case 'draining':
        this.tell('draining', { endsAt: message.ends_at ? new Date(message.ends_at) : null });
        break;
      case 'error':
        this.tell('error', new HalqaError(message.code, message.message));
        break;
    }
  }

  /** @param {any} wire */
  #joined(wire) {
    const participant = this.roster.join(wire);
    if (!participant.isLocal) this.tell('participant-joined', participant);
  }

  /**
   * @param {string} id
   * @param {string} reason
   */
  #left(id, reason) {
    const participant = this.roster.leave(id);
    if (this.decisions.forget(id)) this.tell('hands', this.decisions.hands);
    if (participant) this.tell('participant-left', { participant, reason });
  }

  /**
   * @param {string} id
   * @param {Track} track
   */
  #track(id, track) {
    const participant = this.roster.change(id, track);
    if (!participant) return;
    if (participant.isLocal) this.listener.ownTrack(track.source, track);
    this.tell('track', { participant, track });
  }

  /**
   * @param {string} id
   * @param {Partial<Participant>} change
   */
  #changed(id, change) {
    const participant = this.roster.find(id);
    if (participant) this.tell('participant', Object.assign(participant, change));
  }

  /** @param {ServerMessage} message */
  #value({ key, value, seq, participant: id }) {
    const participant = this.roster.find(id);
    if (id !== undefined && !participant) return;
    keep(participant?.values ?? this.decisions.values, { key, value, seq });
    this.tell('value', { key, value, participant });
  }

  /** @param {ServerMessage} message */
  #permissions({ participant: id, permissions }) {
    const participant = this.roster.find(id);
    if (participant?.isLocal) this.decisions.permissions = permissions;
    this.tell('permissions', { participant, permissions });
  }

  /** @param {ServerMessage} message */
  #knockOver({ participant: id, outcome }) {
    const visitor = this.decisions.visitors.get(id);
    this.decisions.visitors.delete(id);
    if (visitor) this.tell('visitor', { visitor, outcome });
  }

  /** @param {ServerMessage} message */
  #message({ topic, body, participant, to = 'all', seq = 0 }) {
    this.tell('message', { topic, body, sender: this.roster.find(participant), to, seq });
  }
}
