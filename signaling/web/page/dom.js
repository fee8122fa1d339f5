/** The few lines that find and make elements, with their types. */

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
 * @param {{className?: string, text?: string, dir?: string}} [shape]
 * @param {(Node|string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function create(tag, { className = '', text, dir } = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  if (dir) element.dir = dir;
  element.append(...children);
  return element;
}

/**
 * @param {string} text
 * @param {() => void} press
 * @param {string} [className]
 * @returns {HTMLButtonElement}
 */
export function createButton(text, press, className = '') {
  const button = create('button', { text, className });
  button.type = 'button';
  button.addEventListener('click', press);
  return button;
}
