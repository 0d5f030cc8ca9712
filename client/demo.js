/** The page's part: what the viewer does goes to the session, what it says is shown. */

import { Session } from "./streamgate.js";

/** The demo's edge serves this page, too. */
const EDGE = location.origin;
const HLS = "application/vnd.apple.mpegurl";

const [player, stop, status, trouble, choice, conflicts, video] = [
  "player", "stop", "status", "trouble", "choice", "conflicts", "video",
].map((id) => document.getElementById(id));

/** @type {Session | undefined} */
let session;

// Pages that are open beside each other are told apart by name.
player.deviceName.value = `Browser ${String.fromCharCode(65 + Math.floor(Math.random() * 26))}`;

player.addEventListener("submit", async (event) => {
  event.preventDefault();
  await session?.stop();
  const { subject, deviceName, channel } = Object.fromEntries(new FormData(player));
  session = new Session({
    edge: EDGE,
    application: "demo-web",
    idp: "demo",
    subject,
    attributes: () => ({ deviceName, channel }),
  });
  listen(session, `/vod/${channel.toLowerCase()}/master.m3u8`);
  session.start();
});

stop.addEventListener("click", () => session?.stop());

choice.addEventListener("submit", (event) => {
  event.preventDefault();
  session.startInsteadOf(new FormData(choice).getAll("code"));
});

video.addEventListener("error", () => {
  if (session?.state === "playing") trouble.value = `Playback broke: ${video.error?.message || "no reason is given"}.`;
});

// Some browsers' own players stand still without a word.
let stood = 0;
setInterval(() => {
  const shouldPlay = session?.state === "playing" && !video.hidden && !video.paused;
  if (shouldPlay && video.currentTime === stood) trouble.value ||= "The picture stands still.";
  stood = video.currentTime;
}, 5000);
video.addEventListener("playing", () => (trouble.value = ""));

/** Shows what a session says. */
function listen(session, manifest) {
  const on = (event, show) => session.addEventListener(event, ({ detail }) => show(detail ?? {}));
  on("starting", () => show("Starting."));
  on("waiting", ({ waitMs }) => show(`The service asks to wait ${Math.ceil(waitMs / 1000)} s.`));
  on("playing", ({ activeStreams, maxStreams }) => {
    show(maxStreams ? `Playing: ${activeStreams} of ${maxStreams} screens.` : "Playing.");
    play(session.playbackUrl(manifest));
  });
  on("disconnected", () => (trouble.value = "The edge does not answer. What has been loaded plays on."));
  on("reconnected", () => (trouble.value = ""));
  on("stopped", () => end("Stopped."));
  on("failed", ({ status, detail }) => end(status === 0 ? "The edge does not answer." : `It cannot play: ${detail}.`));
  on("terminated", ({ sameDevice, terminator }) =>
    end(sameDevice ? "This device has started again." : `Stopped by ${terminator?.deviceName}, which plays ${terminator?.channel}.`));
  on("refused", ({ message, threshold, conflicts, action }) => {
    end(`${message} (at most ${threshold}).`);
    if (/^https?:/.test(action?.url)) {
      const { url: href, label: textContent } = action;
      status.append(" ", Object.assign(document.createElement("a"), { href, textContent }));
    }
    offer(conflicts);
  });
}

function show(text) {
  status.value = text;
  trouble.value = "";
  choice.hidden = true;
}

function play(url) {
  video.hidden = !video.canPlayType(HLS);
  if (video.hidden) return (trouble.value = "This browser plays no HLS by itself; the place is taken all the same.");
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
    ...streams.map(({ terminationCode, deviceName, channel }, at) => {
      const box = Object.assign(document.createElement("input"), {
        type: "checkbox",
        name: "code",
        value: terminationCode,
        checked: at === 0,
      });
      const label = document.createElement("label");
      label.append(box, ` ${deviceName}: ${channel}`);
      return label;
    }),
  );
  // The keyboard goes on where there is something to choose.
  conflicts.querySelector("input")?.focus();
}
