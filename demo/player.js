/** A video that plays HLS, with hls.js or with what the browser has of its own. */

import { HlsJs } from "./players/hls.js";
import { Native } from "./players/native.js";

/**
 * @typedef {object} Told
 * @property {() => void} playing   The picture moves.
 * @property {() => void} buffering It stands, and the player loads.
 * @property {(status: number, text: string) => void} refused An answer that is not the video.
 * @property {() => void} lost      Nothing answers, and what was loaded has been played.
 * @property {(detail: string) => void} broken
 */

/** Seconds of loaded video that count as none. */
const DRY_SECONDS = 0.3;

/** How often it is looked at whether the picture moves, in milliseconds, and after how many
 * looks it counts as standing. */
const LOOK_MS = 1000;
const LOOKS = 3;

export class Player {
  #video;
  #told;
  #engine;
  /** Whether nothing answers, while it still plays what was loaded. */
  #isCutOff = false;
  /** Whether it should play. */
  #isOn = false;
  /** Where the picture stood when last looked at, and for how many looks. */
  #stood = { at: 0, looks: 0 };

  /**
   * @param {HTMLVideoElement} video
   * @param {Told} told
   */
  constructor(video, told) {
    this.#video = video;
    this.#told = told;
    video.addEventListener("playing", () => this.#isOn && told.playing());
    video.addEventListener("waiting", () => this.#waits());
    video.addEventListener("canplay", () => this.#isOn && video.play().catch(() => {}));
    setInterval(() => this.#look(), LOOK_MS);
  }

  /**
   * Plays a manifest.
   * @param {string} url
   * @param {Record<string, string>} headers Of each request.
   * @param {number} [at] Where to begin, in seconds.
   */
  async load(url, headers, at = 0) {
    this.#isOn = true;
    this.#isCutOff = false;
    this.#stood = { at, looks: 0 };
    this.#engine ??= await engine(this.#video, {
      refused: (status, text) => this.#end(() => this.#told.refused(status, text)),
      broken: (detail) => this.#end(() => this.#told.broken(detail)),
      lost: () => this.#end(() => this.#told.lost()),
      cutOff: () => this.#cutOff(),
    });
    if (this.#isOn) this.#engine.load(url, headers, at);
  }

  /** Where it stands, in seconds. */
  get position() {
    return this.#video.currentTime;
  }

  /** Asks for no more, and leaves the last picture. */
  halt() {
    this.#isOn = false;
    this.#engine?.halt();
    this.#video.pause();
  }

  /** Leaves nothing. */
  unload() {
    this.#isOn = false;
    this.#engine?.unload();
  }

  #end(tell) {
    // What it still had under way says no more.
    if (!this.#isOn) return;
    this.halt();
    tell();
  }

  /** Nothing answers; what was loaded plays on. */
  #cutOff() {
    if (!this.#isOn) return;
    this.#isCutOff = true;
    if (this.#ahead() < DRY_SECONDS) this.#end(() => this.#told.lost());
  }

  #waits() {
    if (!this.#isOn) return;
    if (this.#isCutOff) this.#end(() => this.#told.lost());
    else this.#told.buffering();
  }

  /** A player may stand without a word. */
  #look() {
    if (!this.#isOn || document.hidden) return;
    const at = this.#video.currentTime;
    this.#stood = { at, looks: at === this.#stood.at ? this.#stood.looks + 1 : 0 };
    if (this.#stood.looks < LOOKS) return;
    this.#waits();
    this.#engine?.stands();
  }

  #ahead() {
    const { buffered, currentTime } = this.#video;
    return buffered.length === 0 ? 0 : buffered.end(buffered.length - 1) - currentTime;
  }
}

/** hls.js where it runs, because it hands on what the edge says and how far it loads ahead is
 * ours to say; the browser's own HLS where it does not (iPhones). */
async function engine(video, tell) {
  const { default: Hls } = await import("./node_modules/hls.js/dist/hls.light.min.mjs");
  const isNative = new URLSearchParams(location.search).get("player") === "native" || !Hls.isSupported();
  return isNative ? new Native(video, tell) : new HlsJs(Hls, video, tell);
}
