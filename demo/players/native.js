/**
 * Plays with the HLS that the browser has of its own. It sends no headers and tells no
 * reasons, and it may stand still without a word: the page asks in its place.
 */
export class Native {
  #video;
  #tell;
  /** Counts loads: what an earlier one comes to means nothing any more. */
  #turn = 0;
  #isAsking = false;

  constructor(video, tell) {
    this.#video = video;
    this.#tell = tell;
    video.addEventListener("error", () => this.#failed());
  }

  /** See `Player.load`. */
  async load(url, headers, at) {
    this.unload();
    const found = await this.#ask(url, headers);
    if (found) this.#play(found, at);
  }

  /** The picture has stood for a while. */
  async stands() {
    const { currentSrc, currentTime } = this.#video;
    if (this.#isAsking || !this.#hasSource()) return;
    if (await this.#ask(currentSrc, {})) this.#play(currentSrc, currentTime);
  }

  halt() {
    this.#turn += 1;
    // It asks for no more while it stands.
    this.#video.pause();
  }

  unload() {
    this.#turn += 1;
    if (!this.#hasSource()) return;
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  #play(url, at) {
    this.#video.src = url;
    if (at > 0) this.#video.currentTime = at;
  }

  async #failed() {
    const { error, currentSrc } = this.#video;
    if (!error || !this.#hasSource()) return;
    if (await this.#ask(currentSrc, {})) this.#tell.broken(error.message || "The browser’s player gave up.");
  }

  #hasSource() {
    return this.#video.hasAttribute("src");
  }

  /** Where a manifest is; nothing, if there is none, or nobody wants to know any more. */
  async #ask(url, headers) {
    const turn = this.#turn;
    this.#isAsking = true;
    try {
      const answer = await fetch(url, { headers, cache: "no-store" });
      const text = await answer.text();
      if (turn !== this.#turn) return undefined;
      if (answer.ok) return answer.url;
      this.#tell.refused(answer.status, text);
    } catch {
      if (turn === this.#turn) this.#tell.lost();
    } finally {
      this.#isAsking = false;
    }
    return undefined;
  }
}
