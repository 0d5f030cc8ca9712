import { Session } from "../../client/streamgate.js";

/** Asks the edge before it plays, by the session API: the viewer may choose what to stop. */
export class AsksFirst {
  mayChoose = true;
  #session;
  #film;
  #device;
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
    this.#device = device;
    this.#tell = tell;
    this.#session = new Session({
      edge,
      application: "demo-web",
      idp: "demo",
      subject: account,
      attributes: () => this.#attributes(),
    });
    const pass = (event, detail = () => ({})) =>
      this.#session.addEventListener(event, (said) => tell(event, { ...said.detail, ...detail() }));
    pass("starting");
    pass("waiting");
    pass("playing", () => this.#source());
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
    this.#device = device;
    this.#session.addAttributes({ deviceName: device });
  }

  /** Plays on after its connection was lost. */
  again() {
    if (this.#session.state !== "playing") return this.start();
    this.#tell("playing", this.#source());
    // An edge that was started anew knows no names.
    return this.#session.addAttributes(this.#attributes());
  }

  /** The player was told that its stream is over: the next heartbeat starts another. */
  over() {
    this.#session.addAttributes({});
  }

  #attributes() {
    return { deviceName: this.#device, channel: this.#film.title };
  }

  #source() {
    return { url: this.#session.playbackUrl(this.#film.path), headers: {} };
  }
}
