/**
 * The session API's calls, as one application makes them for one subject. Knows the
 * wire and nothing of when to call: a call is made once, and every outcome is an answer.
 */

/** How long a call may take, unless it is told otherwise. */
const CALL_MS = 10_000;

/**
 * What a call led to.
 * @typedef {object} Answer
 * @property {number} status      HTTP status; 0 if no answer came.
 * @property {object | null} body Its JSON; null if there is none.
 * @property {boolean} isFinal    False where the same call may be answered otherwise in a
 *   while: no answer came, too many calls (429), trouble at the service (5xx).
 * @property {number} expiresMs   `Expires − Date` in milliseconds: the time until the next
 *   heartbeat must be there (202) or a call counts again (429); NaN if not told. Both
 *   are the service's own clock, so that the device's never matters.
 * @property {number} waitMs      How long the service asks to wait before the same call,
 *   in milliseconds; 0 if it does not.
 */

/**
 * What the client needs of the platform. Tests bring their own.
 * @typedef {object} Platform
 * @property {typeof globalThis.fetch} fetch
 * @property {(act: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 */

/** The calls of one application for one subject. */
export class SessionApi {
  #edge;
  #basePath;
  #account;
  #authorization;
  #headers;
  #platform;

  /**
   * @param {object} options
   * @param {string} options.edge        Origin of the edge, `https://edge.example`.
   * @param {string} options.basePath    Where the session API is.
   * @param {string} options.application Id of the application.
   * @param {string} options.idp         The identity provider that vouches for the subject.
   * @param {string} options.subject     The account.
   * @param {() => object} [options.headers] Gives the headers of each call
   *   besides: what proves that the viewer is the account, such as a JWT.
   * @param {Platform} platform
   */
  constructor({ edge, basePath, application, idp, subject, headers = () => ({}) }, platform) {
    this.#edge = new URL(edge);
    this.#basePath = basePath;
    this.#account = [idp, subject].map(encodeURIComponent).join("/");
    this.#authorization = `Basic ${base64(`${application}:`)}`;
    this.#headers = headers;
    this.#platform = platform;
  }

  /**
   * @param {string} path
   * @returns {string} The URL of a path on the edge.
   */
  url(path) {
    return new URL(path, this.#edge).href;
  }

  /**
   * Creates a stream.
   * @param {Record<string, string>} attributes
   * @param {string[]} codes Termination codes of the streams to stop for it.
   * @returns {Promise<Answer>} 202 with `body.session`.
   */
  create(attributes, codes) {
    const headers = codes.length > 0 ? { "x-terminate": codes.join(",") } : {};
    const path = `${this.#basePath}/sessions/${this.#account}`;
    return this.#call("POST", path, { headers, body: form(attributes) });
  }

  /**
   * Keeps a stream alive.
   * @param {string} session Its path.
   * @param {Record<string, string>} attributes To add.
   * @param {number} patienceMs How long to wait for the answer.
   * @returns {Promise<Answer>}
   */
  heartbeat(session, attributes, patienceMs) {
    return this.#call("POST", session, { body: form(attributes) }, patienceMs);
  }

  /**
   * Stops a stream.
   * @param {string} session Its path.
   * @returns {Promise<Answer>}
   */
  stop(session) {
    // A page that is going away may still make such a call.
    return this.#call("DELETE", session, { keepalive: true });
  }

  /** @returns {Promise<Answer>} 200 with the attribute names the policies need. */
  attributeNames() {
    return this.#call("GET", `${this.#basePath}/metadata`);
  }

  /**
   * @param {number} patienceMs How long to wait for the answer.
   * @returns {Promise<Answer>} 200 with what plays on the account, whoever plays it.
   */
  runningStreams(patienceMs) {
    return this.#call("GET", `${this.#basePath}/runningStreams/${this.#account}`, {}, patienceMs);
  }

  /** @returns {Promise<Answer>} */
  async #call(method, path, { headers, ...request } = {}, patienceMs = CALL_MS) {
    const patience = new AbortController();
    const timer = this.#platform.setTimeout(() => patience.abort(), patienceMs);
    try {
      const response = await this.#platform.fetch(this.url(path), {
        method,
        headers: { ...this.#headers(), authorization: this.#authorization, ...headers },
        signal: patience.signal,
        ...request,
      });
      return answer(response, await response.text());
    } catch {
      return { status: 0, body: null, isFinal: false, expiresMs: NaN, waitMs: 0 };
    } finally {
      this.#platform.clearTimeout(timer);
    }
  }
}

/** @returns {Answer} */
function answer({ status, headers }, text) {
  const expiresMs = Date.parse(headers.get("expires")) - Date.parse(headers.get("date"));
  const waitMs = status === 429 ? expiresMs : Number(headers.get("retry-after")) * 1000;
  return {
    status,
    body: json(text),
    isFinal: status !== 429 && status < 500,
    expiresMs,
    waitMs: waitMs > 0 ? waitMs : 0,
  };
}

/** Null for no body, and for one that some proxy on the way made up. */
function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** An attribute without a value is one the application does not know. */
function form(attributes) {
  const known = Object.entries(attributes).filter(([, value]) => value != null);
  return new URLSearchParams(known);
}

/** btoa alone takes only Latin-1. */
function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
