import { MediaPlayer } from "../node_modules/dashjs/dist/modern/esm/dash.all.min.js";

/** Seconds of video it loads ahead: it keeps asking, also while it plays a short film. */
const AHEAD_SECONDS = 8;

/** Plays with dash.js. */
export function play(video, { url, headers, cmcd, refused, failed }) {
  const player = MediaPlayer().create();
  player.updateSettings({
    streaming: {
      buffer: {
        bufferTimeDefault: AHEAD_SECONDS,
        bufferTimeAtTopQuality: AHEAD_SECONDS,
        bufferTimeAtTopQualityLongForm: AHEAD_SECONDS,
      },
      // Its type says `header`; it reads that as `query`.
      cmcd: { enabled: Boolean(cmcd), sid: cmcd?.sid, cid: "film", mode: cmcd?.mode ?? "query" },
    },
  });
  player.addRequestInterceptor(async (request) => {
    request.headers = { ...request.headers, ...headers };
    return request;
  });
  player.on(MediaPlayer.events.ERROR, ({ error }) => {
    const { status, data } = error.data?.response ?? {};
    if (status >= 400) refused(status, data);
    else failed(`dash.js: ${error.code} ${error.message}`);
  });
  player.initialize(video, url, true);
}
