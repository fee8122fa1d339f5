/** The shapes that the public API takes and hands out; no code. */

/** @typedef {'microphone'|'camera'|'screen'|'screen_audio'} Source */
/** @typedef {'audio'|'video'|'screen'} SlotKind */
/** @typedef {'VP8'|'H264'|'VP9'|'AV1'} VideoCodec */

/**
 * `new` -> `connecting` -> `connected` (media flows) <-> `reconnecting` (the network is gone for a moment) -> `closed`.
 * @typedef {'new'|'connecting'|'connected'|'reconnecting'|'closed'} RoomState
 */

/**
 * @typedef {object} ConnectionOptions
 * @property {{audio?: number, video?: number, screen?: number}} [slots]  how many receive sections of each kind
 * @property {VideoCodec} [codec]  the only video codec to send; without it the browser and the server agree on one
 * @property {string} [scalabilityMode]  for VP9 and AV1, e.g. "L3T3_KEY" (WebRTC-SVC section 6)
 */

/**
 * What a participant publishes.
 * @typedef {object} Track
 * @property {string} id
 * @property {Source} source
 * @property {'audio'|'video'} kind
 * @property {'live'|'muted'|'ended'} state
 * @property {string} [codec]
 * @property {number} [width]
 * @property {number} [height]
 * @property {string[]} [encodings]  rids, lowest first
 */

/**
 * @typedef {object} Participant
 * @property {string} id
 * @property {string} identity
 * @property {string} name
 * @property {boolean} isLocal
 * @property {Map<string, Track>} tracks  by track id; never holds an ended one
 */

/**
 * A receive section: one MediaStreamTrack onto which the server puts one published track after the other.
 * @typedef {object} Slot
 * @property {string} mid  the section's name in SDP
 * @property {SlotKind} kind
 * @property {MediaStreamTrack} mediaTrack  the same for the life of the room, whatever it shows
 * @property {RTCRtpReceiver} receiver
 * @property {string|null} track  id of the track that it carries now
 * @property {string|null} participant  id of who publishes that
 * @property {string|null} encoding  rid of the encoding flowing now
 */

/**
 * What we publish from one source.
 * @typedef {object} LocalTrack
 * @property {Source} source
 * @property {string} id  track id given by the server
 * @property {MediaStreamTrack|null} mediaTrack  null while a camera is muted: its light is off then
 * @property {boolean} muted
 */

/**
 * What one slot shall show; what is left out stays as it is.
 * @typedef {object} ViewRequest
 * @property {string} [mid]  which slot; or
 * @property {Slot} [slot]
 * @property {string|'auto'|null} [track]  track id; "auto": the server chooses; null: keep it empty
 * @property {number|null} [height]  the most that is useful, in pixels; null: no limit
 * @property {number|null} [frameRate]  the most that is useful, frames per second; null: no limit
 */

/**
 * @typedef {object} RoomEvents
 * @property {{state: RoomState, reason: string|null}} state  reason: only when closed, e.g. "left", "token_expired"
 * @property {Participant} participant-joined
 * @property {{participant: Participant, reason: string}} participant-left
 * @property {{participant: Participant, track: Track}} track  published, changed, or ended (track.state); ours too
 * @property {Slot[]} slots  the slots that carry something else now
 * @property {{source: Source, track: LocalTrack|null}} local  what we publish from `source` now; null: nothing
 * @property {import('./errors.js').HalqaError} error  something failed that no call was waiting for
 */

export {};
