/** Named events; a listener that throws never keeps the others from hearing. */

/** @template {Record<string, unknown>} Events  event name -> what its listeners get */
export class Emitter {
  /** @type {Map<keyof Events, Set<Function>>} */
  #listeners = new Map();

  /**
   * Call `listener` at every `name` until the returned function is called.
   * @template {keyof Events} Name
   * @param {Name} name
   * @param {(detail: Events[Name]) => void} listener
   * @returns {() => void}
   */
  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
    };
  }

  /**
   * Wait for the next `name` that fulfils `condition`.
   * @template {keyof Events} Name
   * @param {Name} name
   * @param {(detail: Events[Name]) => boolean} [condition]
   * @returns {Promise<Events[Name]>}
   */
  next(name, condition = () => true) {
    return new Promise((resolve) => {
      const off = this.on(name, (detail) => {
        if (!condition(detail)) return;
        off();
        resolve(detail);
      });
    });
  }

  /**
   * @protected
   * @template {keyof Events} Name
   * @param {Name} name
   * @param {Events[Name]} detail
   */
  emit(name, detail) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        listener(detail);
      } catch (error) {
        console.error(`halqa: a listener of "${String(name)}" failed`, error);
      }
    }
  }
}
