/** What viewers read, and nothing else: no page, no network. */

/**
 * @typedef {object} Words
 * @property {string} badge  The state in a word or two.
 * @property {string} head   What has happened.
 * @property {string} text   What that means, or what can be done.
 * @property {string} [play] What the button says that (re)starts it; absent where it plays.
 */

const NAMELESS = "A device without a name";

/**
 * A text that the edge repeats, where there is one.
 * @param {string | undefined} text
 */
const known = (text) => (text && text !== "Unknown" ? text : undefined);

/**
 * Streams by the name of their device and what it shows. Where these are alike they are
 * numbered, the one that started first being the first.
 * @param {{deviceName?: string, channel?: string}[]} streams Oldest first.
 * @returns {{device: string, film: string}[]} In the same order.
 */
export function named(streams) {
  const labels = streams.map(({ deviceName, channel }) => ({
    device: known(deviceName) ?? NAMELESS,
    film: known(channel) ?? "",
  }));
  const alike = (one) => (other) => one.device === other.device && one.film === other.film;
  return labels.map((label, at) => {
    if (labels.filter(alike(label)).length === 1) return label;
    const number = labels.slice(0, at + 1).filter(alike(label)).length;
    return { ...label, device: `${label.device} (${number})` };
  });
}

/**
 * How full the account is.
 * @param {number | undefined} active How many streams play, where that is known.
 * @param {number} [limit] How many may, where that is known.
 */
export function howMany(active, limit) {
  if (active === undefined) return "Nobody knows who plays just now";
  if (limit !== undefined) return `${active} of ${limit} screens`;
  if (active === 0) return "No screen plays";
  return active === 1 ? "1 screen plays" : `${active} screens play`;
}

/** Says of a mode what it is. */
export const MODES = {
  asks: "The app asks the edge for a place before it plays, so the viewer can choose what to stop.",
  plays: "An unmodified player opens the film’s address. Nobody asks, and the edge counts it all the same.",
};

/** What the page says while the edge does not answer. */
export const GONE =
  "The edge does not answer. What has been loaded plays on, and the rest follows when it is back.";

/** @type {Record<string, (detail: object) => Words>} */
const STATES = {
  idle: () => ({ badge: "Off", head: "", text: "", play: "Play" }),
  starting: () => ({ badge: "Starting", head: "", text: "" }),
  waiting: () => ({
    badge: "Waiting",
    head: "The edge asks for a moment",
    text: "It starts by itself when the edge takes calls again.",
  }),
  playing: () => ({ badge: "Playing", head: "", text: "" }),
  buffering: () => ({ badge: "Loading", head: "", text: "" }),
  stopped: ({ untold }) => ({
    badge: "Off",
    head: "Stopped",
    text: untold ? "Nobody told the edge: it frees the place when the player has been silent for a while." : "",
    play: "Play",
  }),
  refused: ({ message, threshold, conflicts, mayChoose }) => ({
    badge: "Not allowed",
    head: message || "This account plays as much as it may",
    text: whatToDo(threshold, conflicts.length, mayChoose),
    play: mayChoose ? "Ask again" : "Try again",
  }),
  terminated: ({ terminator, sameDevice }) => ({
    badge: sameDevice ? "Replaced" : "Stopped elsewhere",
    head: sameDevice ? "This device has started again" : `Stopped by ${by(terminator)}`,
    text: known(terminator?.channel) ? `${terminator.channel} plays ${sameDevice ? "instead" : "there now"}.` : "",
    play: "Play here again",
  }),
  lost: () => ({
    badge: "No connection",
    head: "The edge does not answer",
    text: "This screen plays on by itself when the edge is back.",
    play: "Try now",
  }),
  broken: ({ detail }) => ({
    badge: "Broken",
    head: "Playback broke",
    text: detail ?? "",
    play: "Play again",
  }),
};

/**
 * What a screen says of its state.
 * @param {string} state
 * @param {object} [detail] What the state is about.
 * @returns {Words}
 */
export function words(state, detail = {}) {
  return STATES[state](detail);
}

function whatToDo(threshold, others, mayChoose) {
  const most = threshold === undefined ? "" : `At most ${threshold} at once. `;
  if (others === 0) return most.trimEnd();
  return most + (mayChoose
    ? "Which one should make room?"
    : "This player cannot choose. Stop one of these, and its place is free once it has been silent for a while:");
}

function by(terminator) {
  return known(terminator?.deviceName) ?? known(terminator?.applicationName) ?? "another device";
}
