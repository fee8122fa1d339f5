/** The few lines that find and make elements, with their types; text is set as text, never as HTML. */

/**
 * @template {Element} Kind
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => Kind} kind  e.g. HTMLButtonElement
 * @returns {Kind} the first match
 * @throws {TypeError} if there is none of this kind
 */
export function find(root, selector, kind) {
  const element = root.querySelector(selector);
  if (element instanceof kind) return element;
  throw new TypeError(`no ${kind.name} matches "${selector}"`);
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {{className?: string, text?: string, label?: string}} [shape]
 * @param {(Node|string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function create(tag, { className = '', text, label } = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  if (label !== undefined) element.setAttribute('aria-label', label);
  element.append(...children);
  return element;
}

/**
 * @param {string} text
 * @param {() => void} press
 * @param {{className?: string, label?: string, icon?: string}} [shape]  `label` says more than the text; begins with it
 * @returns {HTMLButtonElement}
 */
export function createButton(text, press, { className = '', label, icon } = {}) {
  const button = create('button', { className, label });
  button.type = 'button';
  if (icon !== undefined) button.append(createIcon(icon));
  button.append(create('span', { text }));
  button.addEventListener('click', press);
  return button;
}

/**
 * @param {string} name  of a symbol of the page
 * @returns {SVGSVGElement}
 */
export function createIcon(name) {
  const icon = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  icon.setAttribute('class', name === 'door' ? 'icon turns' : 'icon');
  icon.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#icon-${name}`);
  icon.append(use);
  return icon;
}

/**
 * A name that may be written in the other direction than the page.
 * @param {string} text
 */
export function createName(text) {
  return create('bdi', { text });
}
