/** The page: four screens, whose account it is, and how they start. */

import { Account } from "./account.js";
import { SCREENS } from "./films.js";
import { Screen } from "./screen.js";
import { AsksFirst } from "./ways/asks.js";
import { JustPlays } from "./ways/plays.js";
import { GONE, howMany, MODES, named } from "./words.js";

/** The page is served by the edge it shows. */
const EDGE = location.origin;

const WAYS = { asks: AsksFirst, plays: JustPlays };

const platform = {
  fetch: (...call) => fetch(...call),
  setTimeout: (...call) => setTimeout(...call),
  clearTimeout: (timer) => clearTimeout(timer),
};

const settings = document.getElementById("settings");
const [all, gone, seats, count, streams, hint, modeText, main] = [
  "all", "gone", "seats", "count", "streams", "hint", "mode-text", "screens",
].map((id) => document.getElementById(id));

/** The address holds the settings, so that a reload keeps them. */
const asked = new URLSearchParams(location.search);
if (asked.get("account")) settings.account.value = asked.get("account");
if (asked.get("mode") in WAYS) settings.mode.value = asked.get("mode");

let account = watch();
const screens = SCREENS.map(
  (screen) =>
    new Screen(
      screen,
      (start, tell) => {
        const { account, mode } = settings;
        return new WAYS[mode.value]({ edge: EDGE, account: account.value.trim(), ...start }, tell);
      },
      account,
    ),
);
main.append(...screens.map(({ element }) => element));
modeText.textContent = MODES[settings.mode.value];

settings.addEventListener("submit", (event) => event.preventDefault());
settings.addEventListener("change", () => {
  if (settings.account.value.trim() === "") settings.account.value = "alice";
  const { account: subject, mode } = settings;
  asked.set("account", subject.value.trim());
  asked.set("mode", mode.value);
  history.replaceState(null, "", `?${asked}`);
  modeText.textContent = MODES[mode.value];
  account.close();
  account = watch();
  for (const screen of screens) screen.reset(account);
});

all.addEventListener("click", async () => {
  // One after the other, as people would: the last one is the one too many.
  const whose = account;
  for (const screen of screens) {
    if (whose !== account) return;
    if (["playing", "buffering", "starting"].includes(screen.state)) continue;
    await screen.play();
    await settled(screen);
  }
});

function watch() {
  const watched = new Account(EDGE, settings.account.value.trim(), platform);
  watched.addEventListener("change", () => show(watched));
  watched.addEventListener("gone", () => connected(false));
  watched.addEventListener("back", () => {
    connected(true);
    for (const screen of screens) screen.back();
  });
  connected(true);
  show(watched);
  watched.watch();
  return watched;
}

function connected(isConnected) {
  gone.hidden = isConnected;
  gone.textContent = isConnected ? "" : GONE;
}

function show({ streams: running, active, limit }) {
  const text = howMany(active, limit);
  if (count.textContent !== text) count.textContent = text;
  hint.hidden = active !== 0;
  seats.replaceChildren(
    ...Array.from({ length: limit ?? 0 }, (_, seat) =>
      Object.assign(document.createElement("i"), { className: seat < active ? "taken" : "" }),
    ),
  );
  streams.replaceChildren(
    ...named(running).map(({ device, film }) => {
      const item = document.createElement("li");
      item.textContent = film ? `${device} · ${film}` : device;
      return item;
    }),
  );
}

/** Fulfilled when a screen plays, or says why not. */
function settled(screen) {
  return new Promise((resolve) => {
    const look = () => {
      if (screen.state === "starting") return false;
      watcher.disconnect();
      resolve();
      return true;
    };
    const watcher = new MutationObserver(look);
    watcher.observe(screen.element, { attributes: true, attributeFilter: ["data-state"] });
    look();
  });
}
