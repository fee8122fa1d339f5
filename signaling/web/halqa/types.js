/** The shapes that the public API takes and hands out; no code. */

/** @typedef {'microphone'|'camera'|'screen'|'screen_audio'} Source */
/** @typedef {'audio'|'video'|'screen'|'stage'} SlotKind */
/** @typedef {'VP8'|'H264'|'VP9'|'AV1'} VideoCodec */
/** @typedef {'teacher'|'assistant'|'student'|'observer'} Role */
/** @typedef {'open'|'waiting'|'locked'} Door */
/** @typedef {'excellent'|'good'|'poor'|'minimal'|'audio'|'lost'} Quality  a participant's connection */
/** @typedef {Exclude<Quality, 'lost'>} Limit  the most to be sent to us; "poor": data saver, "audio": no pictures */
/** @typedef {'off'|'active'|'paused'} Recording */
/** @typedef {'all'|{roles?: Role[], participants?: string[]}} Recipients */

/**
 * `new` -> `connecting` (-> `waiting`: somebody must let us in) -> `connected` (media flows) <-> `reconnecting`
 * (WebSocket or media is gone, and is being brought back) -> `closed`.
 * @typedef {'new'|'connecting'|'waiting'|'connected'|'reconnecting'|'closed'} RoomState
 */

/**
 * @typedef {object} ConnectionOptions
 * @property {Partial<Record<SlotKind, number>>} [slots]  how many receive sections of each kind
 * @property {VideoCodec} [codec]  the only video codec to send; without it the browser and the server agree on one
 * @property {string} [scalabilityMode]  of the camera, for VP9 and AV1; else "L3T3_KEY" (WebRTC-SVC section 6)
 */

/**
 * @typedef {object} JoinOptions
 * @property {string} [name]  shown to the others, if the token has none
 * @property {() => string|Promise<string>} [getToken]  gives a fresh token: a minute before the present one runs out,
 *   and when it has run out
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
 * @property {Role[]} [audience]  to these alone it is sent
 */

/** @typedef {{value: any, version: number}} Kept  a value that the room or a participant keeps, see setValue */

/**
 * @typedef {object} Participant
 * @property {string} id
 * @property {string} identity
 * @property {string} name
 * @property {Role} role
 * @property {Date|null} joinedAt
 * @property {boolean} isLocal
 * @property {boolean} suspended  the connection broke, and may come back
 * @property {Quality|null} quality  null: the server has not said
 * @property {Map<string, Track>} tracks  by track id; never holds an ended one
 * @property {Map<string, Kept>} values  by key
 */

/** @typedef {{id: string, identity: string, name: string, role: Role}} Visitor  waits to be admitted */
/** @typedef {{publish: Source[], subscribe: boolean, send: boolean, moderate: boolean, record: boolean}} Permissions */
/** @typedef {{participant: string, track: string, level: number}} Speaker  level: 0 to 1 */

/**
 * Something sent with `send`, or by the server itself.
 * @typedef {object} Message
 * @property {string} topic
 * @property {any} body
 * @property {Participant|null} sender  null: the server
 * @property {Recipients} to
 * @property {number} seq
 */

/**
 * A receive section: one MediaStreamTrack onto which the server puts one published track after the other.
 * @typedef {object} Slot
 * @property {string} mid  the section's name in SDP
 * @property {SlotKind} kind
 * @property {MediaStreamTrack} mediaTrack  the same whatever it shows; another one only after a `rejoined`
 * @property {RTCRtpReceiver} receiver
 * @property {string|null} track  id of the track that it carries now
 * @property {string|null} participant  id of who publishes that
 * @property {string|null} encoding  rid of the encoding flowing now
 * @property {boolean} paused  nothing is sent of its track: the network carries no more, or our limit allows none
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
 * @property {{signal: boolean, media: boolean}} reconnecting  what still stands: the WebSocket, the media path
 * @property {{seconds: number, rejoined: boolean}} reconnected  after how long; rejoined: not resumed, see `rejoined`
 * @property {null} rejoined  we are in as a new participant: slots have new media tracks, ours were published again
 * @property {{reason: string, message: string}} closed  message: what the moderator said, else for developers
 * @property {Participant} participant-joined
 * @property {{participant: Participant, reason: string}} participant-left  reason "missed": it was while we were away
 * @property {Participant} participant  changed: suspended, quality or values
 * @property {{participant: Participant, track: Track}} track  published, changed, or ended (track.state); ours too
 * @property {Slot[]} slots  the slots that carry something else now, or whose picture rests, or goes on
 * @property {Limit|null} limit  the most that we want to be sent now; null: as much as the network carries
 * @property {Speaker[]} speakers  who speaks now, dominant first
 * @property {{source: Source, track: LocalTrack|null}} local  what we publish from `source` now; null: nothing
 * @property {{source: Source}} muted-by-moderator  a track of ours was muted for us
 * @property {{source: Source, by: Participant|null}} asked  a moderator would like us to unmute or publish
 * @property {{participant: Participant|null, permissions: Permissions}} permissions  ours, or for moderators somebody's
 * @property {string[]} hands  participant ids, who raised first comes first
 * @property {{participant: Participant|null, reaction: string}} reaction
 * @property {Message} message
 * @property {{key: string, value: any, participant: Participant|null}} value  participant null: the room's
 * @property {{door: Door, spotlight: string[]}} room
 * @property {{visitor: Visitor, outcome: 'waits'|'admitted'|'refused'|'gone'}} visitor  for moderators
 * @property {Recording} recording
 * @property {{endsAt: Date|null}} draining  the server will go down; we go on elsewhere by ourselves
 * @property {{source: 'camera'|'microphone', label: string}} device-changed  unplugged; this one took its place
 * @property {null} devices  cameras, microphones or speakers were plugged in or out
 * @property {boolean} audio-blocked  whether the browser wants a click before it plays sound (`room.sound.play()`)
 * @property {import('./errors.js').HalqaError} error  something failed that no call was waiting for
 */

export {};
