/** What an answer to a player means, when it is not the video. */

import { refusal, termination } from "../client/advice.js";

/**
 * @typedef {object} Outcome
 * @property {"refused" | "terminated" | "over" | "broken"} state `over`: its stream lapsed,
 *   and nobody wanted that.
 * @property {object} detail What `words` needs to tell it.
 */

/**
 * Reads the body of an answer.
 * @param {number} status HTTP status
 * @param {string} text
 * @returns {Outcome}
 */
export function outcome(status, text) {
  const body = json(text);
  const advised = (type) => body?.associatedAdvice?.some((advice) => advice.type === type);
  if (advised("remote-termination")) return { state: "terminated", detail: termination(body) };
  if (advised("rule-violation")) return { state: "refused", detail: refusal(body) };
  if (body?.reason === "stream-over") return { state: "over", detail: {} };
  return { state: "broken", detail: { detail: body?.detail ?? `The edge answered with HTTP status ${status}.` } };
}

function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
