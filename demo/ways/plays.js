/** Plays a film's address as any player does: nobody asks, and nobody says stop. */
export class JustPlays {
  mayChoose = false;
  #source;
  #tell;

  /**
   * @param {object} start As for `AsksFirst`.
   * @param {(event: string, detail?: object) => void} tell Told of what comes of it.
   */
  constructor({ edge, account, device, film }, tell) {
    const address = new URL(film.path, edge);
    // Names for people; the demo's edge takes them from the address (envoy/edge.yaml).
    address.search = `device=${encodeURIComponent(device)}&title=${encodeURIComponent(film.title)}`;
    // The demo's edge believes whoever names an account.
    this.#source = { url: address.href, headers: { "x-account-id": account } };
    this.#tell = tell;
  }

  start() {
    this.#tell("starting");
    this.#tell("playing", this.#source);
  }

  stop() {
    this.#tell("stopped", { untold: true });
  }

  /** A player has no way to tell: the name is known at its next start. */
  rename() {}

  again() {
    this.start();
  }

  over() {
    this.start();
  }
}
