import assert from "node:assert/strict";
import { test } from "node:test";

import { howMany, named, words } from "../words.js";

const stream = (deviceName, channel) => ({ deviceName, channel });

test("streams are told apart by device and film", () => {
  const streams = [stream("Kitchen", "Aurora"), stream("Kitchen", "Tides"), stream("Tablet", "Tides")];
  assert.deepEqual(
    named(streams).map(({ device, film }) => `${device}: ${film}`),
    ["Kitchen: Aurora", "Kitchen: Tides", "Tablet: Tides"],
  );
});

test("those that are alike are numbered, the first to start being the first", () => {
  const streams = [stream("Kitchen", "Aurora"), stream("Tablet", "Aurora"), stream("Kitchen", "Aurora")];
  assert.deepEqual(
    named(streams).map(({ device }) => device),
    ["Kitchen (1)", "Tablet", "Kitchen (2)"],
  );
});

test("what nobody named has words of its own", () => {
  assert.deepEqual(named([stream("Unknown", "Unknown"), stream(undefined, "Aurora")]), [
    { device: "A device without a name", film: "" },
    { device: "A device without a name", film: "Aurora" },
  ]);
  assert.equal(words("terminated", { terminator: undefined }).head, "Stopped by another device");
  const terminator = { deviceName: "Unknown", channel: "Unknown", applicationName: "TV app" };
  assert.deepEqual(words("terminated", { terminator }), {
    badge: "Stopped elsewhere",
    head: "Stopped by TV app",
    text: "",
    play: "Play here again",
  });
});

test("a screen whose own device has started again is not said to be stopped by another", () => {
  assert.deepEqual(words("terminated", { terminator: stream("Kitchen", "Aurora"), sameDevice: true }), {
    badge: "Replaced",
    head: "This device has started again",
    text: "Aurora plays instead.",
    play: "Play here again",
  });
});

test("a name in another spelling is a name, whatever it says", () => {
  const name = "<img src=x onerror=alert(1)> 📺 שלום";
  assert.equal(named([stream(name, "Aurora")])[0].device, name);
  assert.equal(words("terminated", { terminator: stream(name, "") }).head, `Stopped by ${name}`);
});

test("how many play is told with the limit where that is known", () => {
  assert.equal(howMany(2, 3), "2 of 3 screens");
  assert.equal(howMany(4, 3), "4 of 3 screens");
  assert.equal(howMany(0), "No screen plays");
  assert.equal(howMany(1), "1 screen plays");
  assert.equal(howMany(2), "2 screens play");
  assert.equal(howMany(undefined, 3), "Nobody knows who plays just now");
});

test("a refusal says why, how many may, and what the viewer can do", () => {
  const refused = (detail) => words("refused", { message: "Too many", conflicts: [{}], ...detail });
  assert.deepEqual(refused({ threshold: 3, mayChoose: true }), {
    badge: "Not allowed",
    head: "Too many",
    text: "At most 3 at once. Which one should make room?",
    play: "Ask again",
  });
  assert.match(refused({ threshold: 3, mayChoose: false }).text, /^At most 3 at once\. This player cannot choose\./);
  assert.equal(refused({ threshold: 0, conflicts: [] }).text, "At most 0 at once.");
  assert.equal(refused({ message: "", conflicts: [] }).head, "This account plays as much as it may");
  assert.equal(refused({ conflicts: [] }).text, "");
});

test("every state says what can be done, unless it plays or is about to", () => {
  const detail = { conflicts: [] };
  for (const state of ["idle", "stopped", "refused", "terminated", "lost", "broken"]) {
    assert.ok(words(state, detail).play, state);
  }
  for (const state of ["starting", "waiting", "playing", "buffering"]) {
    assert.equal(words(state, detail).play, undefined, state);
  }
  assert.equal(words("broken").text, "");
});
