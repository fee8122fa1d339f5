/** Icons are symbols in class.html; buttons and marks refer to them. */

/**
 * @param {Element} place  holds one svg with one use
 * @param {string} name
 */
export function showIcon(place, name) {
  place.querySelector('use')?.setAttribute('href', `#icon-${name}`);
}

/**
 * @param {string} name
 * @returns {SVGElement}
 */
export function createIcon(name) {
  const space = 'http://www.w3.org/2000/svg';
  const icon = document.createElementNS(space, 'svg');
  icon.classList.add('icon');
  icon.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(space, 'use');
  use.setAttribute('href', `#icon-${name}`);
  icon.append(use);
  return icon;
}
