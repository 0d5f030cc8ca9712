/**
 * One playback, from the create call to its end: which call is made when, and what its
 * answer means. A stream that lapses meanwhile is replaced by a new one in silence.
 */

import { asksForAttributes, obligationsOf, refusal, termination } from "./advice.js";

/** What of the time until `Expires` passes before the heartbeat. The rest is for a slow
 * network and for retries. */
const HEARTBEAT_AFTER = 3 / 4;

/** The service's default, should an answer not say. */
const HEARTBEAT_MS = 60_000;

/** How long after a call without an answer the next one is made. Doubles each time. */
const RETRY_MS = 1000;

/**
 * @typedef {object} Surroundings
 * @property {import("./api.js").SessionApi} api
 * @property {import("./api.js").Platform} platform
 * @property {(needed: string[]) => object | Promise<object>} attributes Asks the
 *   application for the stream's attributes.
 * @property {(event: string, detail?: object) => void} tell Tells the application; the
 *   events are `Session`'s.
 */

/** Lives once: whoever wants to play again needs a new one. */
export class Playback {
  #api;
  #platform;
  #askApplication;
  #tell;
  /** The session's path; null while there is none. */
  #session = null;
  #prefix = "";
  #heartbeatMs = HEARTBEAT_MS;
  /** Attributes the service knows, and those it is to be told next. */
  #known = {};
  #added;
  /** Whether the application has yet to be asked for attributes. */
  #isBlank;
  #codes;
  #hasPlayed = false;
  #isOver = false;
  /** Whether calls get no answer. */
  #isCutOff = false;
  /** Whether it sleeps until the next heartbeat, as opposed to waiting for a retry. */
  #rests = false;
  #wake = () => {};
  #creation = Promise.resolve();
  #stopped = Promise.resolve();

  /**
   * @param {Surroundings} surroundings
   * @param {object} [again] For a playback that was refused and is tried again.
   * @param {object} [again.attributes] Its attributes; without them the application is
   *   asked.
   * @param {string[]} [again.codes] Termination codes of the streams to stop for it.
   */
  constructor({ api, platform, attributes, tell }, again) {
    this.#api = api;
    this.#platform = platform;
    this.#askApplication = attributes;
    this.#tell = tell;
    this.#added = { ...again?.attributes };
    this.#isBlank = !again?.attributes;
    this.#codes = again?.codes ?? [];
  }

  /** What stands in front of the paths of what it plays. */
  get prefix() {
    return this.#prefix;
  }

  /** All attributes it has, or was to have. */
  get attributes() {
    return { ...this.#known, ...this.#added };
  }

  /** @returns {Promise<void>} Fulfilled when it plays or is over. */
  async begin() {
    if (this.#isBlank) await this.#gatherAttributes([]);
    await this.#open();
    this.#keepAlive();
  }

  /**
   * Adds attributes with a heartbeat that does not wait for its time.
   * @param {Record<string, string>} attributes
   */
  add(attributes) {
    this.#added = { ...this.#added, ...attributes };
    if (this.#rests) this.#wake();
  }

  /**
   * Ends it, if it is not over yet.
   * @returns {Promise<void>} Fulfilled when the service has been told.
   */
  stop() {
    if (!this.#isOver) {
      this.#end("stopped");
      // At once where there is a session: a page that goes away has no later.
      this.#stopped = this.#session
        ? this.#free()
        : this.#creation.then(() => this.#free());
    }
    return this.#stopped;
  }

  /** Creates the stream. Afterwards it plays or is over. */
  async #open() {
    const answer = await this.#finalAnswer(() => (this.#creation = this.#create()));
    if (this.#isOver) return;
    if (!this.#session) return this.#refuse(answer);
    const restarted = this.#hasPlayed;
    this.#hasPlayed = true;
    this.#codes = [];
    this.#tell("playing", { restarted, ...countsOf(answer.body.session) });
  }

  /** Heartbeats, one after the other, until it is over. */
  async #keepAlive() {
    let isLate = false;
    while (!this.#isOver) {
      if (!isLate && isEmpty(this.#added)) await this.#rest();
      isLate = false;
      const answer = await this.#finalAnswer(() => this.#heartbeat());
      if (this.#isOver || answer.status === 202) continue;
      if (answer.status === 410 && answer.body === null) {
        this.#session = null;
        await this.#open();
      } else if (isAboutAttributes(answer) && !isEmpty(this.#added)) {
        const attributes = this.#added;
        this.#added = {};
        // What is refused keeps nothing alive.
        isLate = true;
        this.#tell("attributesrefused", { attributes, detail: detailOf(answer) });
      } else {
        this.#refuse(answer);
      }
    }
  }

  /**
   * Makes a call until its answer is final, or nobody waits for it any more. A first
   * start without an answer is not repeated: the viewer sees it and can try again.
   * All else is, for as long as it takes: a stream that lapses meanwhile starts anew.
   */
  async #finalAnswer(call) {
    let hasAsked = false;
    for (let retryMs = RETRY_MS; !this.#isOver; retryMs *= 2) {
      const answer = await call();
      if (this.#isOver) return answer;
      if (answer.isFinal && this.#isCutOff) {
        this.#isCutOff = false;
        this.#tell("reconnected");
      }
      if (!answer.isFinal && answer.waitMs > 0) {
        this.#tell("waiting", { waitMs: answer.waitMs });
        await this.#sleep(answer.waitMs);
      } else if (!answer.isFinal && this.#hasPlayed) {
        if (!this.#isCutOff) this.#tell("disconnected", { status: answer.status });
        this.#isCutOff = true;
        // Several fit into what is left until `Expires`.
        await this.#sleep(Math.min(retryMs, this.#heartbeatMs / 4));
      } else if (asksForAttributes(answer) && !hasAsked) {
        hasAsked = true;
        const names = await this.#api.attributeNames();
        await this.#gatherAttributes(names.status === 200 ? names.body : []);
      } else {
        return answer;
      }
    }
  }

  /** One call, with all attributes. */
  #create() {
    return this.#call((added) =>
      this.#api.create({ ...this.#known, ...added }, this.#codes),
    );
  }

  /** One call, with the attributes that the service does not know yet. */
  #heartbeat() {
    // One that hangs must leave time for another.
    const patienceMs = Math.max(1000, this.#heartbeatMs / 4);
    return this.#call((added) => this.#api.heartbeat(this.#session, added, patienceMs));
  }

  /** Notes what a call's success says; attributes that did not arrive stay to be sent. */
  async #call(send) {
    const sent = this.#added;
    this.#added = {};
    const answer = await send(sent);
    if (answer.status !== 202) {
      this.#added = { ...sent, ...this.#added };
      return answer;
    }
    this.#known = { ...this.#known, ...sent };
    const session = answer.body?.session;
    this.#session = session?.url ?? this.#session;
    this.#prefix = session?.playbackPrefix ?? this.#prefix;
    // The body says it too, for where CORS hides `Date`.
    const { expiresMs } = answer;
    const heartbeatMs = expiresMs > 0 ? expiresMs : session?.heartbeatSeconds * 1000;
    if (heartbeatMs > 0) this.#heartbeatMs = heartbeatMs;
    return answer;
  }

  async #gatherAttributes(needed) {
    try {
      this.add(await this.#askApplication(needed));
    } catch (error) {
      if (!this.#isOver) this.#end("failed", failure(0, `attributes: ${error}`));
    }
  }

  /** Gives the place back. Should that fail, it is free when the stream lapses. */
  async #free() {
    if (!this.#session) return;
    const { waitMs } = await this.#api.stop(this.#session);
    if (waitMs > 0) this.#platform.setTimeout(() => this.#api.stop(this.#session), waitMs);
  }

  #refuse(answer) {
    const { status, body } = answer;
    if (status === 409) this.#end("refused", refusal(body));
    else if (status === 410) this.#end("terminated", termination(body));
    else this.#end("failed", failure(status, detailOf(answer), body));
  }

  #end(event, detail) {
    this.#isOver = true;
    this.#wake();
    this.#tell(event, detail);
  }

  async #rest() {
    this.#rests = true;
    await this.#sleep(this.#heartbeatMs * HEARTBEAT_AFTER);
    this.#rests = false;
  }

  #sleep(ms) {
    return new Promise((resolve) => {
      const timer = this.#platform.setTimeout(resolve, ms);
      this.#wake = () => {
        this.#platform.clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Whether attributes were refused for what they are, not for what is missing. */
function isAboutAttributes(answer) {
  return (answer.status === 400 && !asksForAttributes(answer)) || answer.status === 413;
}

/** How many streams play, and how many may, where a rule counts them. */
function countsOf({ activeStreams, maxStreams }) {
  return maxStreams === undefined ? {} : { activeStreams, maxStreams };
}

function detailOf({ status, body }) {
  return body?.detail ?? (status === 0 ? "no answer" : `HTTP status ${status}`);
}

function failure(status, detail, body) {
  return { status, detail, obligations: obligationsOf(body) };
}

function isEmpty(attributes) {
  return Object.keys(attributes).length === 0;
}
