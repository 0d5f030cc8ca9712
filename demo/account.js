/** What the edge says of an account, again and again: who plays, and whether it is there at all. */

import { SessionApi } from "../client/api.js";

/** How often it is asked, and how long an answer may take, in milliseconds. */
const EVERY_MS = 1500;
const PATIENCE_MS = 4000;

/**
 * Events: `change` (who plays may have changed), `gone` (the edge does not answer), `back`.
 */
export class Account extends EventTarget {
  /** Who plays, oldest first. @type {{deviceName?: string, channel?: string}[]} */
  streams = [];
  /** How many play; more than are named if there are many. @type {number | undefined} */
  active;
  /** How many may, once the edge has said so. @type {number | undefined} */
  limit;
  isGone = false;
  #api;
  #platform;
  #isClosed = false;
  #wake = () => {};

  /**
   * @param {string} edge Origin of the edge.
   * @param {string} subject
   * @param {import("../client/api.js").Platform} platform
   */
  constructor(edge, subject, platform) {
    super();
    this.#platform = platform;
    const account = { edge, basePath: "/v2", application: "demo-web", idp: "demo", subject };
    this.#api = new SessionApi(account, platform);
  }

  /** Asks from now on, until `close`. */
  async watch() {
    while (!this.#isClosed) {
      const answer = await this.#api.runningStreams(PATIENCE_MS);
      if (this.#isClosed) return;
      this.#take(answer);
      await new Promise((resolve) => {
        this.#wake = resolve;
        this.#platform.setTimeout(resolve, EVERY_MS);
      });
    }
  }

  /** Asks at once. */
  refresh() {
    this.#wake();
  }

  close() {
    this.#isClosed = true;
    this.#wake();
  }

  /** Takes note of how many may play. */
  mayPlay(limit) {
    if (limit === undefined) return;
    this.limit = limit;
    this.#tell("change");
  }

  #take({ status, body }) {
    if (this.isGone !== (status === 0)) {
      this.isGone = status === 0;
      this.#tell(this.isGone ? "gone" : "back");
    }
    const running = status === 200 ? (body?.runningStreams ?? []) : [];
    this.streams = [...running]
      .sort((one, other) => one.startTime - other.startTime)
      .map(({ metadata }) => ({ deviceName: metadata?.deviceName, channel: metadata?.channel }));
    this.active = status === 200 ? running.length + (body?.otherStreams ?? 0) : undefined;
    this.#tell("change");
  }

  #tell(event) {
    this.dispatchEvent(new Event(event));
  }
}
