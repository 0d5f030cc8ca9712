import "../node_modules/shaka-player/dist/shaka-player.compiled.js";

/** Seconds of video it loads ahead: it keeps asking, also while it plays a short film. */
const AHEAD_SECONDS = 8;

const { shaka } = window;

/** Plays with Shaka Player. */
export async function play(video, { url, headers, cmcd, refused, failed }) {
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  await player.attach(video);
  player.configure({
    streaming: { bufferingGoal: AHEAD_SECONDS, rebufferingGoal: 2, bufferBehind: 10 },
    cmcd: {
      enabled: Boolean(cmcd),
      sessionId: cmcd?.sid ?? "",
      contentId: "film",
      useHeaders: cmcd?.mode === "headers",
    },
  });
  player.getNetworkingEngine().registerRequestFilter((_, request) => {
    Object.assign(request.headers, headers);
  });
  const take = (error) => {
    if (error.code !== shaka.util.Error.Code.BAD_HTTP_STATUS) return failed(`Shaka: ${error}`);
    const [, status, body] = error.data;
    refused(status, body);
  };
  player.addEventListener("error", (event) => take(event.detail));
  try {
    await player.load(url);
    await video.play();
  } catch (error) {
    take(error);
  }
}
