/**
 * A web client for streamgate's session API: tells the edge when a playback starts,
 * keeps it alive and stops it, and tells the application what the viewer has to know.
 */

import { SessionApi } from "./api.js";
import { Playback } from "./playback.js";

/** @type {import("./api.js").Platform} */
const THIS_PLATFORM = {
  // Called in the name of the global object: browsers refuse anything else.
  fetch: (...call) => globalThis.fetch(...call),
  setTimeout: (...call) => globalThis.setTimeout(...call),
  clearTimeout: (timer) => globalThis.clearTimeout(timer),
};

/** Events after which it plays no longer, until the application starts again. */
const ENDS = ["refused", "terminated", "stopped", "failed"];

/** Events that change nothing about the state. */
const REMARKS = ["waiting", "disconnected", "reconnected", "attributesrefused"];

/**
 * @typedef {import("./advice.js").Refusal} Refusal
 * @typedef {import("./advice.js").Termination} Termination
 *
 * @typedef {object} Failure
 * @property {number} status HTTP status; 0 if no answer came.
 * @property {string} detail For the developer.
 * @property {import("./advice.js").Obligation[]} obligations
 *
 * @typedef {"starting" | "playing" | "refused" | "terminated" | "stopped" | "failed"} State
 */

/**
 * One player of one account: at most one live stream at a time.
 *
 * Events (`CustomEvent`), with what is in `detail`:
 *
 * | event | detail | |
 * |---|---|---|
 * | `starting` | | the stream is being created |
 * | `playing` | `{restarted: boolean, activeStreams?: number, maxStreams?: number}` | it may play, as one of `activeStreams` of at most `maxStreams` where a rule counts them. If `restarted`, its former stream had lapsed, and `playbackUrl` gives other URLs now |
 * | `refused` | `Refusal` | a limit forbids it to play, or to play on |
 * | `terminated` | `Termination` | a viewer stopped it from another device: tell this one, and do not start without being asked |
 * | `stopped` | | the application stopped it, or the page went away |
 * | `failed` | `Failure` | it cannot play, and not because of a limit |
 * | `waiting` | `{waitMs: number}` | the service asks for so long a pause; then the call is made again |
 * | `disconnected` | `{status: number}` | the service does not answer; it is asked until it does, and what has been loaded plays on |
 * | `reconnected` | | it answers again |
 * | `attributesrefused` | `{attributes, detail: string}` | added attributes were dropped; it plays on |
 */
export class Session extends EventTarget {
  #api;
  #surroundings;
  #page;
  /** @type {State} */
  #state = "stopped";
  /** The current one, or the last. @type {Playback | undefined} */
  #playback;
  /** Fulfilled when the service knows of all stops so far. */
  #stopped = Promise.resolve();

  /**
   * @param {object} options
   * @param {string} options.edge        Origin of the edge, `https://edge.example`.
   * @param {string} options.application Id of the application.
   * @param {string} options.idp         The identity provider that vouches for the subject.
   * @param {string} options.subject     The account that watches.
   * @param {() => object} [options.headers] Gives what each call sends
   *   besides, name to text: the JWT or the Common Access Token that proves the account, where
   *   the edge asks for one.
   * @param {(needed: string[]) => object | Promise<object>} [options.attributes] Gives the
   *   stream's attributes, name to text: asked at each `start`, and again when the service
   *   misses some. `needed` then names those that its policies need.
   * @param {string} [options.basePath]  Where the session API is.
   * @param {import("./api.js").Platform} [options.platform]
   * @param {EventTarget} [options.page] Says `pagehide` when the page goes away.
   */
  constructor({
    attributes = () => ({}),
    basePath = "/v2",
    platform = THIS_PLATFORM,
    page = globalThis.window,
    ...account
  }) {
    super();
    this.#api = new SessionApi({ basePath, ...account }, platform);
    const tell = (event, detail) => this.#tell(event, detail);
    this.#surroundings = { api: this.#api, platform, attributes, tell };
    this.#page = page;
  }

  /** @returns {State} */
  get state() {
    return this.#state;
  }

  /**
   * Where to play a manifest from. Relative URLs in it belong to the same stream.
   * @param {string} manifestPath `/vod/film/master.m3u8`
   * @returns {string}
   * @throws {Error} If it may not play.
   */
  playbackUrl(manifestPath) {
    if (this.#state !== "playing") throw new Error(`it is ${this.#state}, not playing`);
    return this.#api.url(this.#playback.prefix + manifestPath);
  }

  /**
   * Starts a playback; one that is under way is stopped before.
   * @returns {Promise<State>} What came of it. The events say more.
   */
  start() {
    return this.#begin(new Playback(this.#surroundings));
  }

  /**
   * Starts the refused playback again, in the place of others that the viewer chose.
   * @param {string[]} codes Their `terminationCode`s.
   * @returns {Promise<State>}
   */
  startInsteadOf(codes) {
    const attributes = this.#playback?.attributes;
    return this.#begin(new Playback(this.#surroundings, { attributes, codes }));
  }

  /**
   * Adds attributes, or changes those that may change, by a heartbeat at once; the
   * policies are judged again. Nothing happens if no playback is under way.
   * @param {Record<string, string>} attributes
   */
  addAttributes(attributes) {
    this.#playback?.add(attributes);
  }

  /**
   * Stops the playback; its place is free at once. Without a network it is free when
   * the stream lapses.
   * @returns {Promise<unknown>} Fulfilled when the service has been told.
   */
  stop() {
    this.#stopped = Promise.all([this.#stopped, this.#playback?.stop()]);
    return this.#stopped;
  }

  #stopWithPage = () => void this.stop();

  async #begin(playback) {
    const stopped = this.stop();
    this.#playback = playback;
    this.#page?.addEventListener("pagehide", this.#stopWithPage);
    this.#tell("starting");
    // Its own former stream must not stand in its way.
    await stopped;
    await playback.begin();
    return this.#state;
  }

  #tell(event, detail) {
    if (!REMARKS.includes(event)) this.#state = event;
    if (ENDS.includes(event)) {
      this.#page?.removeEventListener("pagehide", this.#stopWithPage);
    }
    this.dispatchEvent(new CustomEvent(event, { detail }));
  }
}
