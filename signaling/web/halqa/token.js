/** What a token says about its bearer, for display only: the server alone verifies it. */

/**
 * @typedef {object} Claims
 * @property {string} identity
 * @property {string|null} name
 * @property {string|null} room
 * @property {(source: string) => boolean} mayPublish
 * @property {boolean} maySubscribe
 * @property {Date|null} expiresAt
 */

/**
 * @param {string} token  a JWT (RFC 7519)
 * @returns {Claims|null} null if it cannot be read
 */
export function readClaims(token) {
  try {
    const payload = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    const { publish = false } = claims;
    return {
      identity: String(claims.sub ?? ''),
      name: claims.name ?? null,
      room: claims.room ?? null,
      mayPublish: (source) => (Array.isArray(publish) ? publish.includes(source) : Boolean(publish)),
      maySubscribe: claims.subscribe ?? true,
      expiresAt: typeof claims.exp === 'number' ? new Date(claims.exp * 1000) : null,
    };
  } catch {
    return null;
  }
}
