/** Tiles as large as they fit, whatever their number and the shape of the window. */

/** Widths to heights that a tile may take; the further from a camera's picture, the more it must win (weight). */
const SHAPES = [
  { aspect: 16 / 9, weight: 1 },
  { aspect: 4 / 3, weight: 0.74 },
  { aspect: 1, weight: 0.6 },
  { aspect: 3 / 4, weight: 0.45 },
];
/** CSS pixels; below this a face is no face, and the grid scrolls instead. */
const TILE_WIDTH_MIN = 132;

/**
 * @param {number} count  tiles
 * @param {number} width  of the grid, CSS pixels
 * @param {number} height
 * @param {number} gap  between tiles
 * @returns {{columns: number, width: number, height: number}} of a tile, whole CSS pixels
 */
export function fitGrid(count, width, height, gap) {
  let best = { columns: 1, width: 0, height: 0, score: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const widest = (width - gap * (columns - 1)) / columns;
    const highest = (height - gap * (rows - 1)) / rows;
    for (const { aspect, weight } of SHAPES) {
      const tileWidth = Math.min(widest, highest * aspect);
      const score = weight * tileWidth * (tileWidth / aspect);
      if (tileWidth >= TILE_WIDTH_MIN && score > best.score) {
        best = { columns, width: tileWidth, height: tileWidth / aspect, score };
      }
    }
  }
  if (best.score === 0) best = scrollingGrid(width, gap);
  return { columns: best.columns, width: Math.floor(best.width), height: Math.floor(best.height) };
}

/**
 * @param {number} width
 * @param {number} gap
 */
function scrollingGrid(width, gap) {
  const columns = Math.max(1, Math.floor((width + gap) / (TILE_WIDTH_MIN + gap)));
  const tileWidth = (width - gap * (columns - 1)) / columns;
  return { columns, width: tileWidth, height: (tileWidth * 3) / 4, score: 0 };
}

/** Keeps a list's tiles fitted, and says when sizes or what is in sight have changed. */
export class Grid {
  #observer = new ResizeObserver(() => this.fit());

  /**
   * @param {HTMLElement} element  a list of tiles
   * @param {() => void} changed
   */
  constructor(element, changed) {
    this.element = element;
    this.changed = changed;
    this.#observer.observe(element);
    element.onscroll = changed;
  }

  /** Fit again, after tiles came or went. */
  fit() {
    const { element } = this;
    const style = getComputedStyle(element);
    const gap = Number.parseFloat(style.columnGap) || 0;
    const width = element.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight);
    const height = element.clientHeight - Number.parseFloat(style.paddingTop) - Number.parseFloat(style.paddingBottom);
    const tile = fitGrid(element.childElementCount, width, height, gap);
    element.style.setProperty('--tile-width', `${tile.width}px`);
    element.style.setProperty('--tile-height', `${tile.height}px`);
    this.changed();
  }

  /**
   * @param {HTMLElement} tile
   * @returns {boolean} any part of it is in sight
   */
  inSight(tile) {
    const outer = this.element.getBoundingClientRect();
    const inner = tile.getBoundingClientRect();
    return inner.bottom > outer.top && inner.top < outer.bottom && inner.right > outer.left && inner.left < outer.right;
  }

  stop() {
    this.#observer.disconnect();
    this.element.onscroll = null;
    this.element.replaceChildren();
  }
}
