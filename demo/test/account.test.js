import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";

import { Account } from "../account.js";

const DOWN = Symbol("no answer");

const running = (...streams) => ({
  runningStreams: streams.map(([deviceName, startTime]) => ({ startTime, metadata: { deviceName, channel: "Aurora" } })),
  otherStreams: 0,
});

/** An account whose edge answers as it is told; `pass` lets it be asked again. */
function account(...answers) {
  const events = [];
  let timers = [];
  const platform = {
    async fetch() {
      const [status, body] = answers.shift() ?? [200, running()];
      if (status === DOWN) throw new TypeError("fetch failed");
      return new Response(JSON.stringify(body), { status });
    },
    setTimeout(act, ms) {
      // The patience of a call, that is: all are answered here.
      if (ms !== 1500) return undefined;
      timers.push(act);
      return act;
    },
    clearTimeout() {},
  };
  const watched = new Account("http://edge.test", "alice", platform);
  for (const event of ["change", "gone", "back"]) watched.addEventListener(event, () => events.push(event));
  const settle = async () => {
    for (let turns = 0; turns < 5; turns += 1) await turn();
  };
  const pass = async () => {
    const due = timers;
    timers = [];
    for (const act of due) act();
    await settle();
  };
  watched.watch();
  return { watched, events, pass, settle };
}

test("it lists who plays, the oldest first", async () => {
  const { watched, settle } = account([200, running(["Phone", 2], ["Kitchen", 1])]);
  await settle();
  assert.deepEqual(watched.streams.map(({ deviceName }) => deviceName), ["Kitchen", "Phone"]);
  assert.equal(watched.active, 2);
});

test("streams that are not listed count", async () => {
  const { watched, settle } = account([200, { ...running(["Phone", 1]), otherStreams: 4 }]);
  await settle();
  assert.equal(watched.active, 5);
});

test("an edge that is gone is gone once, and nobody knows who plays until it is back", async () => {
  const up = [200, running(["Phone", 1])];
  const { watched, events, pass, settle } = account(up, [DOWN], [DOWN], up);
  await settle();
  await pass();
  assert.equal(watched.isGone, true);
  assert.equal(watched.active, undefined);
  await pass();
  await pass();
  assert.equal(watched.active, 1);
  assert.deepEqual(events.filter((event) => event !== "change"), ["gone", "back"]);
});

test("an edge in trouble is there, but knows nothing", async () => {
  const { watched, events, settle } = account([503, null]);
  await settle();
  assert.equal(watched.isGone, false);
  assert.equal(watched.active, undefined);
  assert.deepEqual(events, ["change"]);
});

test("what comes after its end is not told", async () => {
  const { watched, events, pass, settle } = account([200, running(["Phone", 1])]);
  watched.close();
  await settle();
  await pass();
  assert.deepEqual(events, []);
});

test("a limit is known once the edge has told it", () => {
  const { watched, events } = account();
  watched.mayPlay(undefined);
  assert.equal(watched.limit, undefined);
  watched.mayPlay(3);
  assert.equal(watched.limit, 3);
  assert.deepEqual(events, ["change"]);
});
