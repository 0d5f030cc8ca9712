/**
 * What an evaluation result (the JSON body of 400, 409 and 410) tells the viewer and
 * asks of the application, flattened for display.
 */

/**
 * A stream in the way.
 * @typedef {object} Conflict
 * @property {string} terminationCode What to hand to `startInsteadOf` to have it stopped.
 * @property {string} deviceName      `"Unknown"` where nobody said; so are the next two.
 * @property {string} channel
 * @property {string} applicationName
 * @property {string} startedAt       RFC 3339.
 * @property {Record<string, string>} metadata Its attributes.
 */

/**
 * Why the stream may not play.
 * @typedef {object} Refusal
 * @property {string} message       For the viewer.
 * @property {number} [threshold]   The most that is allowed.
 * @property {{label: string, url: string}} [action] A way out that the operator offers.
 * @property {Conflict[]} conflicts The streams in the way, each once, oldest first.
 * @property {object[]} advice      All advice as it came: more than one rule may be broken.
 * @property {Obligation[]} obligations
 */

/**
 * Who stopped the stream, on purpose.
 * @typedef {object} Termination
 * @property {string} message For the viewer.
 * @property {{deviceName: string, channel: string, applicationName: string,
 *   startedAt: string}} [terminator] The stream that took its place.
 * @property {boolean} sameDevice Its own device has started again, and replaced it.
 * @property {Obligation[]} obligations
 */

/**
 * What the application must do.
 * @typedef {object} Obligation
 * @property {string} namespace
 * @property {string} action
 * @property {string[]} [arguments]
 */

/**
 * Reads the body of a 409.
 * @param {object | null} body
 * @returns {Refusal}
 */
export function refusal(body) {
  const violations = adviceOf(body, "rule-violation");
  const byCode = new Map();
  for (const { conflicts } of violations) {
    // By attribute value or stream id; which one does not matter to a viewer.
    for (const conflict of Object.values(conflicts ?? {}).flat()) {
      byCode.set(conflict.terminationCode, conflict);
    }
  }
  const action = violations.find((advice) => advice.action)?.action;
  return {
    message: violations[0]?.message ?? "",
    threshold: violations[0]?.threshold,
    ...(action && { action }),
    conflicts: [...byCode.values()].sort(
      (one, other) => Date.parse(one.startedAt) - Date.parse(other.startedAt),
    ),
    advice: body?.associatedAdvice ?? [],
    obligations: obligationsOf(body),
  };
}

/**
 * Reads the body of a 410.
 * @param {object} body
 * @returns {Termination}
 */
export function termination(body) {
  const [advice] = adviceOf(body, "remote-termination");
  return {
    message: advice?.message ?? "",
    terminator: advice?.terminator,
    sameDevice: advice?.sameDevice === true,
    obligations: obligationsOf(body),
  };
}

/**
 * Whether an answer obliges the application to say more about the stream.
 * @param {import("./api.js").Answer} answer
 * @returns {boolean}
 */
export function asksForAttributes({ status, body }) {
  const refreshes = ({ action, arguments: what }) =>
    action === "refresh" && what?.includes("metadata");
  return status === 400 && obligationsOf(body).some(refreshes);
}

/**
 * @param {object | null} body
 * @returns {Obligation[]}
 */
export function obligationsOf(body) {
  return body?.obligations ?? [];
}

function adviceOf(body, type) {
  return (body?.associatedAdvice ?? []).filter((advice) => advice.type === type);
}
