import assert from "node:assert/strict";
import { test } from "node:test";

import { Fake, answer, conflict, created, kept, throttled, unreachable } from "./fake.js";

/** A success with more in its session. */
const with202 = (more) => async () => {
  const response = await created("s1")();
  const body = await response.json();
  Object.assign(body.session, more);
  return new Response(JSON.stringify(body), { status: response.status, headers: response.headers });
};

test("it says once that the service is gone, and once that it is back", async () => {
  const fake = new Fake(created(), unreachable, unreachable, answer(503), kept(), kept());
  const session = await fake.playing();
  await fake.pass(90_000);
  assert.deepEqual(fake.told("disconnected"), { status: 0 });
  assert.deepEqual(
    fake.events.map(([event]) => event),
    ["starting", "playing", "disconnected", "reconnected"],
  );
  assert.equal(session.state, "playing");
});

test("a service that says how long to wait is there", async () => {
  const fake = new Fake(created(), throttled(5000), kept());
  await fake.playing();
  await fake.pass(60_000);
  assert.deepEqual(
    fake.events.map(([event]) => event),
    ["starting", "playing", "waiting"],
  );
});

test("an end is an answer, too", async () => {
  const fake = new Fake(created(), unreachable, conflict());
  await fake.playing();
  await fake.pass(60_000);
  assert.deepEqual(
    fake.events.map(([event]) => event),
    ["starting", "playing", "disconnected", "reconnected", "refused"],
  );
});

test("a start says how many play of how many, where a rule counts them", async () => {
  const fake = new Fake(with202({ activeStreams: 2, maxStreams: 3 }));
  await fake.session().start();
  assert.deepEqual(fake.told("playing"), { restarted: false, activeStreams: 2, maxStreams: 3 });
});
