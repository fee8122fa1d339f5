/** The personal link: room and token come in the URL's fragment, which never reaches a server or its logs. */

/**
 * `title`: what people call the class, if that is not the room's name.
 * @typedef {{room: string, token: string, title: string, name: string, language: string|null}} Link
 */

const STORAGE_KEY = 'halqa.link';

/**
 * Read the link and take it out of the address bar, where a shared screen or a copied address would give the token
 * away. It is kept for this tab, so that reloading works.
 * @returns {Link|null} null if room or token is missing
 */
export function takeLink() {
  const fragment = location.hash.slice(1) || (sessionStorage.getItem(STORAGE_KEY) ?? '');
  const parameters = new URLSearchParams(fragment);
  const room = parameters.get('room');
  const token = parameters.get('token');
  if (!room || !token) return null;
  sessionStorage.setItem(STORAGE_KEY, fragment);
  history.replaceState(null, '', location.pathname + location.search);
  const said = (/** @type {string} */ parameter) => parameters.get(parameter) ?? '';
  return { room, token, title: said('title') || room, name: said('name'), language: parameters.get('lang') };
}

/** Another link pasted into this tab changes the fragment only: begin anew with it. */
export function followNewLinks() {
  window.addEventListener('hashchange', () => location.reload());
}
