/** The sound of all audio slots, and the button that browsers want pressed before they play it. */

/** @import { Slot } from '../halqa/types.js' */

export class Sound {
  /** @type {HTMLAudioElement[]} */
  #players;

  /**
   * @param {Slot[]} slots
   * @param {HTMLButtonElement} button  shown while the browser refuses to play
   */
  constructor(slots, button) {
    this.button = button;
    this.#players = slots.filter(({ kind }) => kind === 'audio').map(({ mediaTrack }) => {
      const player = new Audio();
      player.srcObject = new MediaStream([mediaTrack]);
      return player;
    });
    button.onclick = () => this.play();
  }

  /** Play, or show the button if that needs a press first. */
  play() {
    this.button.hidden = true;
    for (const player of this.#players) {
      player.play().catch((error) => {
        if (error.name === 'NotAllowedError') this.button.hidden = false;
      });
    }
  }

  stop() {
    this.button.hidden = true;
    for (const player of this.#players) player.srcObject = null;
  }
}
