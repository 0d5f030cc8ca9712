/** One screen: what its viewer does goes to the way it starts, and what comes of it is shown. */

import { outcome } from "./outcome.js";
import { Player } from "./player.js";
import { View } from "./view.js";

/** States in which there is a playback that can be stopped. */
const LIVE = ["starting", "waiting", "playing", "buffering", "lost"];

export class Screen {
  #view;
  #player;
  #film;
  #open;
  #account;
  /** How the current or last playback was started. */
  #way;

  /**
   * @param {{device: string, icon: string, film: import("./films.js").Film}} screen
   * @param {(start: object, tell: Function) => object} open Opens a way to start.
   * @param {import("./account.js").Account} account
   */
  constructor({ device, icon, film }, open, account) {
    this.#film = film;
    this.#open = open;
    this.#account = account;
    this.#view = new View(
      { device, icon, title: film.title },
      {
        play: () => (this.state === "lost" ? this.#way.again() : this.play()),
        stop: () => this.#way?.stop(),
        choose: (code) => this.#way.startInsteadOf([code]),
        rename: (name) => this.#way?.rename(name),
      },
    );
    this.#player = new Player(this.#view.video, {
      playing: () => this.#show("playing"),
      buffering: () => this.#show("buffering"),
      refused: (status, text) => this.#turnedAway(outcome(status, text)),
      lost: () => this.#show("lost"),
      broken: (detail) => this.#turnedAway({ state: "broken", detail: { detail } }),
    });
    this.#show("idle");
  }

  get element() {
    return this.#view.element;
  }

  /** One of `words`' states. */
  get state() {
    return this.#view.state;
  }

  /** Starts a playback, in the way that is set now. */
  play() {
    this.#leave();
    const tell = (event, detail) => way === this.#way && this.#told(event, detail);
    const way = this.#open({ device: this.#view.device, film: this.#film }, tell);
    this.#way = way;
    return way.start();
  }

  /**
   * Ends what there is, and stands as at the beginning.
   * @param {import("./account.js").Account} account Whose screen it is from now on.
   */
  reset(account) {
    this.#leave();
    this.#account = account;
    this.#player.unload();
    this.#show("idle");
  }

  /** The edge is back: what waited for it goes on. */
  back() {
    if (this.state === "lost") this.#way.again();
  }

  /** Gives its place back, and hears no more of it. */
  #leave() {
    const way = this.#way;
    this.#way = undefined;
    way?.stop();
  }

  #told(event, detail = {}) {
    if (event === "playing") {
      this.#account.mayPlay(detail.maxStreams);
      this.#show("starting");
      this.#player.load(detail.url, detail.headers, this.#player.position);
    } else if (event === "starting") {
      this.#show(event);
    } else if (event === "waiting") {
      // What plays need not wait for what the app has to say.
      if (this.state === "starting") this.#show(event);
    } else if (event !== "stopped" || LIVE.includes(this.state)) {
      this.#end(event, detail);
    }
  }

  /** The player got something else than its video. */
  #turnedAway({ state, detail }) {
    if (state === "over") {
      this.#show("starting");
      this.#way.over();
    } else {
      this.#end(state, detail);
      // Whatever place it still has: it does not play.
      this.#way.stop();
    }
  }

  #end(state, detail) {
    if (state === "stopped") this.#player.unload();
    else this.#player.halt();
    if (state === "refused") this.#account.mayPlay(detail.threshold);
    this.#show(state, { ...detail, mayChoose: this.#way.mayChoose });
  }

  #show(state, detail) {
    this.#view.show(state, detail);
    this.#account.refresh();
  }
}
