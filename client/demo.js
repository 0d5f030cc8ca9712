/** The page's part: what the viewer does goes to the session, what it says is shown. */

import { Session } from "./streamgate.js";

const EDGE = "http://127.0.0.1:10000";
const MANIFEST = "/vod/sample/master.m3u8";
const HLS = "application/vnd.apple.mpegurl";

const [player, stop, status, choice, conflicts, video] = [
  "player", "stop", "status", "choice", "conflicts", "video",
].map((id) => document.getElementById(id));

/** @type {Session | undefined} */
let session;

player.addEventListener("submit", async (event) => {
  event.preventDefault();
  await session?.stop();
  const { subject, deviceName } = Object.fromEntries(new FormData(player));
  session = new Session({
    edge: EDGE,
    application: "demo-web",
    idp: "demo",
    subject,
    attributes: () => ({ deviceName, channel: "Sample" }),
  });
  listen(session);
  session.start();
});

stop.addEventListener("click", () => session?.stop());

choice.addEventListener("submit", (event) => {
  event.preventDefault();
  session.startInsteadOf(new FormData(choice).getAll("code"));
});

/** Shows what a session says. */
function listen(session) {
  const on = (event, show) => session.addEventListener(event, ({ detail }) => show(detail));
  on("starting", () => show("starting"));
  on("waiting", ({ waitMs }) => show(`the service asks to wait ${Math.ceil(waitMs / 1000)} s`));
  on("playing", () => play(session.playbackUrl(MANIFEST)));
  on("stopped", () => end("stopped"));
  on("failed", ({ detail }) => end(`failed: ${detail}`));
  on("terminated", ({ message, terminator }) =>
    end(`${message}: ${terminator?.deviceName}, ${terminator?.applicationName}`));
  on("refused", ({ message, threshold, conflicts }) => {
    end(`${message} (at most ${threshold})`);
    offer(conflicts);
  });
}

function show(text) {
  status.value = text;
  choice.hidden = true;
}

function play(url) {
  show(`may play ${url}`);
  if (!video.canPlayType(HLS)) return;
  video.hidden = false;
  video.src = url;
  // A browser may want a click first; the viewer has the controls for it.
  video.play().catch(() => {});
}

function end(text) {
  show(text);
  video.hidden = true;
  video.removeAttribute("src");
  video.load();
}

/** Lets the viewer choose among the streams in the way. */
function offer(streams) {
  choice.hidden = streams.length === 0;
  conflicts.replaceChildren(
    ...streams.map(({ terminationCode, deviceName, channel, startedAt, applicationName }) => {
      const box = Object.assign(document.createElement("input"), {
        type: "checkbox",
        name: "code",
        value: terminationCode,
      });
      const since = new Date(startedAt).toLocaleTimeString();
      const label = document.createElement("label");
      label.append(box, ` ${deviceName}: ${channel} since ${since} (${applicationName})`);
      return label;
    }),
  );
}
