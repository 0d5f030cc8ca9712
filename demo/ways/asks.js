import { Session } from "../../client/streamgate.js";

/** Asks the edge before it plays, by the session API: the viewer may choose what to stop. */
export class AsksFirst {
  mayChoose = true;
  #session;
  #film;
  #tell;

  /**
   * @param {object} start
   * @param {string} start.edge    Origin of the edge.
   * @param {string} start.account
   * @param {string} start.device  Name of the screen.
   * @param {import("../films.js").Film} start.film
   * @param {(event: string, detail?: object) => void} tell Told of what comes of it, in the
   *   session's events; `playing` says where to play from.
   */
  constructor({ edge, account, device, film }, tell) {
    this.#film = film;
    this.#tell = tell;
    this.#session = new Session({
      edge,
      application: "demo-web",
      idp: "demo",
      subject: account,
      attributes: () => ({ deviceName: device, channel: film.title }),
    });
    const pass = (event, detail = () => ({})) =>
      this.#session.addEventListener(event, (said) => tell(event, { ...said.detail, ...detail() }));
    pass("starting");
    pass("waiting");
    pass("playing", () => ({ url: this.#session.playbackUrl(film.path), headers: {} }));
    pass("refused");
    pass("terminated");
    pass("stopped");
    this.#session.addEventListener("failed", ({ detail: { status, detail } }) =>
      status === 0 ? tell("lost") : tell("broken", { detail }));
  }

  start() {
    return this.#session.start();
  }

  /** @param {string[]} codes Termination codes of what the viewer chose to stop. */
  startInsteadOf(codes) {
    return this.#session.startInsteadOf(codes);
  }

  stop() {
    return this.#session.stop();
  }

  /** @param {string} device */
  rename(device) {
    this.#session.addAttributes({ deviceName: device });
  }

  /** Where to play from again, after its connection was lost. */
  again() {
    if (this.#session.state !== "playing") return this.start();
    return this.#tell("playing", { url: this.#session.playbackUrl(this.#film.path), headers: {} });
  }

  /** The player was told that its stream is over: the next heartbeat starts another. */
  over() {
    this.#session.addAttributes({});
  }
}
