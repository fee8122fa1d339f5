/** What the API answers, as far as the page uses it; /docs/api has all of it. */

/**
 * @typedef {object} Myself
 * @property {string} id
 * @property {string} code
 * @property {string} name
 * @property {string|null} language
 * @property {string|null} time_zone
 * @property {string[]} roles
 * @property {string[]} permissions
 */

/**
 * @typedef {object} LiveClass
 * @property {string} id
 * @property {string} title
 * @property {string} description
 * @property {'scheduled'|'live'|'ended'|'cancelled'} status
 * @property {string} starts_at
 * @property {string} ends_at
 * @property {'teacher'|'assistant'|'student'|'observer'|null} seat
 * @property {string[]} allowed
 * @property {string|null} cancel_reason
 * @property {{id: string, started_at: string}|null} run
 */

/**
 * @typedef {object} SheetRow
 * @property {string} user_id
 * @property {string} name
 * @property {string} status
 * @property {string} standing
 * @property {number} present_s
 * @property {{reason: string}|null} override
 * @property {string|null} first_join
 * @property {number} joins
 */

/**
 * @typedef {object} Sheet
 * @property {string} title
 * @property {'live'|'provisional'|'final'} state
 * @property {Record<string, number>} counts
 * @property {SheetRow[]} members
 */

/**
 * @typedef {object} CourseAttendance
 * @property {string|null} course_id
 * @property {string|null} title
 * @property {number} expected
 * @property {Record<string, number>} counts
 * @property {string|null} rate
 */

/**
 * @typedef {object} OwnItem
 * @property {string} id
 * @property {string} title
 * @property {string} max_points
 * @property {string} state
 * @property {string|null} points
 * @property {string|null} feedback
 */

/** @typedef {{id: string, code: string, name: string}} Child */

export {};
