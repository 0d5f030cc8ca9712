/** How one screen looks. */

import { named, words } from "./words.js";

/**
 * What a viewer does.
 * @typedef {object} Acts
 * @property {() => void} play
 * @property {() => void} stop
 * @property {(code: string) => void} choose
 * @property {(name: string) => void} rename
 */

export class View {
  #element = document.getElementById("screen").content.firstElementChild.cloneNode(true);
  #find = (selector) => this.#element.querySelector(selector);
  #acts;
  #state = "";

  /**
   * @param {{device: string, icon: string, title: string}} screen
   * @param {Acts} acts
   */
  constructor({ device, icon, title }, acts) {
    this.#acts = acts;
    this.#element.classList.add(icon);
    this.#find("header use").setAttribute("href", `icon.svg#${icon}`);
    this.#find(".film").textContent = title;
    const name = this.#find("input");
    name.value = device;
    name.addEventListener("change", () => {
      if (name.value.trim() === "") name.value = device;
      this.#label();
      acts.rename(this.device);
    });
    this.#find(".play").addEventListener("click", acts.play);
    this.#find(".stop").addEventListener("click", acts.stop);
    this.#label();
  }

  get element() {
    return this.#element;
  }

  /** @returns {HTMLVideoElement} */
  get video() {
    return this.#find("video");
  }

  /** What its viewer calls it. */
  get device() {
    return this.#find("input").value.trim();
  }

  get state() {
    return this.#state;
  }

  /**
   * @param {string} state One of `words`.
   * @param {object} [detail]
   */
  show(state, detail) {
    if (state === this.#state && !detail) return;
    const hadFocus = this.#element.contains(document.activeElement) && document.activeElement.localName !== "input";
    this.#state = state;
    this.#element.dataset.state = state;
    const { badge, head, text, play } = words(state, detail);
    this.#say(".badge", badge);
    this.#say("h2", head);
    this.#say(".said p", text);
    this.#say(".play", play);
    this.#find(".stop").hidden = play !== undefined && state !== "lost";
    this.#offer(state === "refused" ? detail : undefined);
    // The button that was pressed may be gone: the keyboard stays at this screen.
    if (hadFocus && !isShown(document.activeElement)) {
      this.#find(".choices button, .play:not([hidden]), .stop:not([hidden])")?.focus({ preventScroll: true });
    }
  }

  #label() {
    const title = this.#find(".film").textContent;
    this.#element.setAttribute("aria-label", this.device);
    this.video.setAttribute("aria-label", `${title} on ${this.device}`);
    this.#find(".play").dataset.of = this.device;
  }

  #say(selector, text = "") {
    const element = this.#find(selector);
    element.textContent = text;
    element.hidden = text === "";
  }

  /** Lets the viewer choose among the streams in the way, and shows the operator's way out. */
  #offer({ conflicts = [], mayChoose, action } = {}) {
    const labels = named(conflicts);
    this.#find(".choices").replaceChildren(
      ...conflicts.map(({ terminationCode }, at) => this.#choice(labels[at], terminationCode, mayChoose)),
    );
    this.#find(".choices").hidden = conflicts.length === 0;
    const offer = this.#find(".offer");
    offer.hidden = !/^https?:/.test(action?.url);
    offer.textContent = action?.label ?? "";
    if (offer.hidden) offer.removeAttribute("href");
    else offer.href = action.url;
  }

  #choice({ device, film }, code, mayChoose) {
    const item = document.createElement("li");
    const row = document.createElement(mayChoose ? "button" : "div");
    row.append(text("strong", device), " ", text("span", film), " ");
    if (mayChoose) {
      row.type = "button";
      row.append(text("em", "Stop"), Object.assign(text("span", " and play here"), { className: "unseen" }));
      row.addEventListener("click", () => this.#acts.choose(code));
    }
    item.append(row);
    return item;
  }
}

function text(name, content) {
  return Object.assign(document.createElement(name), { textContent: content });
}

function isShown(element) {
  return element !== document.body && element.checkVisibility();
}
