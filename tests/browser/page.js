/**
 * A page that plays one manifest with one player, as a viewer's own page would: it is
 * served from elsewhere than the video, and a refusal is shown in the edge's words.
 *
 * `#` holds the settings as JSON, so that a reload is a new playback of the same:
 * `{player, url, account?, cmcd?: {sid, mode: "query" | "headers"}, switchSeconds?, ownBuffer?}`.
 */

const settings = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const video = document.querySelector("#video");
const refusal = document.querySelector("#refusal");
const errors = document.querySelector("#errors");

/** Headers that each of a player's requests carries. */
const headers = settings.account ? { "x-account-id": settings.account } : {};

/**
 * Takes note of an answer that is no success.
 * @param {number} status HTTP status
 * @param {string | ArrayBuffer | ArrayBufferView | null | undefined} body
 */
function refused(status, body) {
  const text = typeof body === "string" ? body : new TextDecoder().decode(body ?? undefined);
  let reason, advice, detail;
  try {
    ({ reason, associatedAdvice: [advice] = [], detail } = JSON.parse(text));
  } catch {
    return failed(`HTTP status ${status}: ${text}`);
  }
  // The first one is why; what a player still had under way says no more.
  if (!refusal.hidden) return;
  refusal.hidden = false;
  refusal.dataset.reason = reason;
  refusal.textContent = advice?.message ?? detail;
}

/** Takes note of what went wrong otherwise. */
function failed(what) {
  errors.append(`${what}\n`);
}

window.addEventListener("error", (event) => failed(event.message));
window.addEventListener("unhandledrejection", (event) => failed(String(event.reason)));
video.addEventListener("error", () => failed(`video: ${video.error?.message}`));

const { play } = await import(`./players/${settings.player}.js`);
await play(video, { ...settings, headers, refused, failed });
