/** Seconds of video it loads ahead: it keeps asking, also while it plays a short film, so the
 * edge sees that it plays. */
const AHEAD_SECONDS = 8;

/** Two tries: the page does the rest when the edge is back. */
const PATIENCE = {
  default: {
    maxTimeToFirstByteMs: 5000,
    maxLoadTimeMs: 20_000,
    timeoutRetry: { maxNumRetry: 1, retryDelayMs: 0, maxRetryDelayMs: 0 },
    errorRetry: { maxNumRetry: 1, retryDelayMs: 500, maxRetryDelayMs: 500 },
  },
};

/** Plays with hls.js. */
export class HlsJs {
  #Hls;
  #video;
  #tell;
  #hls;

  constructor(Hls, video, tell) {
    this.#Hls = Hls;
    this.#video = video;
    this.#tell = tell;
  }

  /** See `Player.load`. */
  load(url, headers, at) {
    this.unload();
    const hls = new this.#Hls({
      maxBufferLength: AHEAD_SECONDS,
      maxMaxBufferLength: AHEAD_SECONDS,
      // A film that begins anew is asked for anew.
      backBufferLength: 0,
      startPosition: at,
      manifestLoadPolicy: PATIENCE,
      playlistLoadPolicy: PATIENCE,
      fragLoadPolicy: PATIENCE,
      xhrSetup(request) {
        for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      },
    });
    this.#hls = hls;
    hls.on(this.#Hls.Events.ERROR, (_, error) => this.#failed(error));
    hls.loadSource(url);
    hls.attachMedia(this.#video);
  }

  /** hls.js says what is wrong by itself. */
  stands() {}

  halt() {
    this.#hls?.stopLoad();
  }

  unload() {
    this.#hls?.destroy();
    this.#hls = undefined;
  }

  #failed({ type, details, fatal, networkDetails }) {
    // An XMLHttpRequest; what came may be text or bytes.
    const { status = 0, response } = networkDetails ?? {};
    if (status >= 400 && status < 500) return this.#tell.refused(status, text(response));
    if (!fatal) return;
    if (type !== this.#Hls.ErrorTypes.NETWORK_ERROR) return this.#tell.broken(`The player gave up: ${details}.`);
    if (status === 0) return this.#tell.cutOff();
    // The edge's own words, where it has some.
    this.#tell.refused(status, text(response));
  }
}

function text(body) {
  return typeof body === "string" ? body : new TextDecoder().decode(body ?? undefined);
}
