import Hls from "../node_modules/hls.js/dist/hls.mjs";

/** Seconds of video it loads ahead: it keeps asking, also while it plays a short film. */
const AHEAD_SECONDS = 8;

/** Plays with hls.js, and goes to another rendition every `switchSeconds`. `ownBuffer`: it loads ahead as
 * far as it does where nobody says how far. */
export function play(video, { url, headers, cmcd, switchSeconds, ownBuffer, refused, failed }) {
  const hls = new Hls({
    ...(!ownBuffer && { maxBufferLength: AHEAD_SECONDS, maxMaxBufferLength: AHEAD_SECONDS }),
    xhrSetup(xhr) {
      for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    },
    cmcd: cmcd && { sessionId: cmcd.sid, contentId: "film", useHeaders: cmcd.mode === "headers" },
  });
  hls.on(Hls.Events.ERROR, (_, { type, details, fatal, networkDetails }) => {
    // `networkDetails` is the XMLHttpRequest; what came may be text or bytes.
    const status = networkDetails?.status ?? 0;
    if (status >= 400) refused(status, networkDetails.response);
    else if (fatal) failed(`hls.js: ${type} ${details}`);
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  video.play();
  if (switchSeconds) {
    setInterval(() => {
      hls.nextLevel = hls.loadLevel === 0 ? 1 : 0;
    }, switchSeconds * 1000);
  }
}
