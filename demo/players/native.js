/** Plays with the HLS that the browser has of its own. */
export class Native {
  #video;
  #tell;
  /** Counts loads: what an earlier one comes to means nothing any more. */
  #turn = 0;

  constructor(video, tell) {
    this.#video = video;
    this.#tell = tell;
    video.addEventListener("error", () => this.#failed());
  }

  /** See `Player.load`. */
  async load(url, headers, at) {
    this.unload();
    // The browser's player sends no headers and tells no reasons: the page asks first, and
    // plays from where it was led to.
    const found = await this.#ask(url, headers);
    if (!found) return;
    this.#video.src = found;
    if (at > 0) this.#video.currentTime = at;
  }

  halt() {
    // It asks for no more while it stands.
    this.#video.pause();
  }

  unload() {
    this.#turn += 1;
    if (!this.#video.hasAttribute("src")) return;
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  async #failed() {
    const { error, currentSrc } = this.#video;
    if (!error || !this.#video.hasAttribute("src")) return;
    if (await this.#ask(currentSrc, {})) this.#tell.broken(error.message || "The browser's player gave up.");
  }

  /** Where a manifest is; nothing, if there is none or it has been told why not. */
  async #ask(url, headers) {
    const turn = this.#turn;
    try {
      const answer = await fetch(url, { headers });
      const text = await answer.text();
      if (turn !== this.#turn) return undefined;
      if (answer.ok) return answer.url;
      this.#tell.refused(answer.status, text);
    } catch {
      if (turn === this.#turn) this.#tell.lost();
    }
    return undefined;
  }
}
