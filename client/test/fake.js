/** An edge that answers as it is told, and a clock that goes when it is told. */

import { setImmediate as turn } from "node:timers/promises";

import { Session } from "../streamgate.js";

/** Where the service's clock stands: far from the device's. */
const DATE = Date.parse("2030-01-01T12:00:00Z");

/** No answer: the network is gone. */
export const unreachable = () => Promise.reject(new TypeError("fetch failed"));

/** No answer either, but nothing says so. */
export const hanging = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

/** An answer with a JSON body, if there is one. */
export function answer(status, body, { expiresMs, ...headers } = {}) {
  if (expiresMs !== undefined) {
    headers.date = new Date(DATE).toUTCString();
    headers.expires = new Date(DATE + expiresMs).toUTCString();
  }
  const text = body === undefined ? null : JSON.stringify(body);
  return async () => new Response(text, { status, headers });
}

/** 202 for a create call. */
export const created = (id = "s1", expiresMs = 60_000) =>
  answer(202, { session: { ...session(id), playbackPrefix: `/~${id}` } }, { expiresMs });

/** 202 for a heartbeat. */
export const kept = (id = "s1", expiresMs = 60_000) =>
  answer(202, { session: session(id) }, { expiresMs });

const session = (id) => ({
  id,
  url: `/v2/sessions/demo/alice/${id}`,
  expires: "2030-01-01T12:01:00Z",
  heartbeatSeconds: 60,
  policyCompliant: true,
});

/** 202 for a stop, 410 without body, 429. */
export const stopped = answer(202);
export const over = answer(410);
export const throttled = (expiresMs) => answer(429, undefined, { expiresMs });

/** 409 because of these streams. */
export const conflict = (...streams) =>
  answer(409, {
    associatedAdvice: [
      {
        type: "rule-violation",
        message: "Too many streams on this account",
        threshold: 3,
        conflicts: Object.fromEntries(streams.map((stream, at) => [`s${at}`, [stream]])),
      },
    ],
    obligations: [],
  });

/** 410 because a viewer wanted it so. */
export const killed = answer(410, {
  associatedAdvice: [
    {
      type: "remote-termination",
      message: "Playback was stopped from another device",
      terminator: {
        channel: "Sports",
        deviceName: "Bedroom",
        applicationName: "TV app",
        startedAt: "2030-01-01T11:59:00.000Z",
      },
    },
  ],
  obligations: [],
});

/** 400 because a policy needs an attribute. */
export const incomplete = answer(400, {
  associatedAdvice: [],
  obligations: [
    { namespace: "adobe.primetime.cm", action: "refresh", arguments: ["metadata"] },
  ],
});

/** The edge, the clock and a page. */
export class Fake {
  /** Every call so far: `{at, method, path, form, headers, keepalive}`, `at` in ms. */
  calls = [];
  /** Every event so far: `[name, detail]`. */
  events = [];
  page = new EventTarget();
  #now = 0;
  #timers = new Set();
  #answers;

  /** @param {...Function} answers To the calls, in their order. */
  constructor(...answers) {
    this.#answers = answers;
  }

  /** A session in these surroundings. */
  session(options = {}) {
    const session = new Session({
      edge: "http://edge.test",
      application: "demo-web",
      idp: "demo",
      subject: "alice",
      platform: this.#platform,
      page: this.page,
      ...options,
    });
    for (const event of EVENTS) {
      session.addEventListener(event, ({ detail }) => this.events.push([event, detail]));
    }
    return session;
  }

  /** A session that plays. */
  async playing(options) {
    const session = this.session(options);
    await session.start();
    return session;
  }

  /** Methods and times of all calls, as in `POST 45000`. */
  get log() {
    return this.calls.map(({ method, at }) => `${method} ${at}`);
  }

  /** What the last event of that name said. */
  told(name) {
    return this.events.findLast(([event]) => event === name)?.[1];
  }

  /** More answers, after those there are. */
  answers(...answers) {
    this.#answers.push(...answers);
  }

  /** Lets time pass. */
  async pass(ms) {
    const until = this.#now + ms;
    for (;;) {
      await turn();
      const due = [...this.#timers].filter(({ at }) => at <= until);
      if (due.length === 0) break;
      const next = due.reduce((one, other) => (other.at < one.at ? other : one));
      this.#timers.delete(next);
      this.#now = next.at;
      next.act();
    }
    this.#now = until;
  }

  #platform = {
    setTimeout: (act, ms) => {
      const timer = { act, at: this.#now + ms };
      this.#timers.add(timer);
      return timer;
    },
    clearTimeout: (timer) => this.#timers.delete(timer),
    fetch: (url, { method, headers, body, keepalive, signal }) => {
      const form = Object.fromEntries(body ?? []);
      const path = url.replace("http://edge.test", "");
      this.calls.push({ at: this.#now, method, path, form, headers, keepalive });
      const next = this.#answers.shift();
      if (next) return next({ signal });
      // Thrown where the client cannot take it for a network that is gone.
      queueMicrotask(() => {
        throw new Error(`nobody expects ${method} ${path} at ${this.#now} ms`);
      });
      return hanging({ signal });
    },
  };
}

const EVENTS = [
  "starting",
  "playing",
  "refused",
  "terminated",
  "stopped",
  "failed",
  "waiting",
  "disconnected",
  "reconnected",
  "attributesrefused",
];
