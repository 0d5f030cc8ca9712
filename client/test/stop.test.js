import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";

import { Fake, conflict, created, kept, over, stopped, throttled, unreachable } from "./fake.js";

/** An answer that comes when it is told to. */
function held(answer) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  return { answer: () => released.then(answer), release };
}

test("a stop frees the place, and nothing is sent afterwards", async () => {
  const fake = new Fake(created(), stopped);
  const session = await fake.playing();
  await session.stop();
  assert.equal(session.state, "stopped");
  const { method, path, keepalive } = fake.calls[1];
  assert.deepEqual([method, path, keepalive], ["DELETE", "/v2/sessions/demo/alice/s1", true]);
  session.addAttributes({ quality: "hd" });
  await session.stop();
  await fake.pass(600_000);
  assert.equal(fake.calls.length, 2);
});

for (const [name, answer] of Object.entries({ over, unreachable })) {
  test(`a stop takes no for an answer: ${name}`, async () => {
    const fake = new Fake(created(), answer);
    const session = await fake.playing();
    await session.stop();
    await fake.pass(600_000);
    assert.equal(fake.calls.length, 2);
    assert.equal(session.state, "stopped");
  });
}

test("a throttled stop is repeated when a call counts again", async () => {
  const fake = new Fake(created(), throttled(10_000), stopped);
  const session = await fake.playing();
  await session.stop();
  await fake.pass(600_000);
  assert.deepEqual(fake.log, ["POST 0", "DELETE 0", "DELETE 10000"]);
});

test("a page that goes away stops its stream before anything else can happen", async () => {
  const fake = new Fake(created(), stopped);
  const session = await fake.playing();
  fake.page.dispatchEvent(new Event("pagehide"));
  assert.deepEqual(fake.log, ["POST 0", "DELETE 0"]);
  assert.equal(fake.calls[1].keepalive, true);
  assert.equal(session.state, "stopped");
  assert.deepEqual(getEventListeners(fake.page, "pagehide"), []);
  await fake.pass(600_000);
  assert.equal(fake.calls.length, 2);
});

test("a page that goes away during a heartbeat does not wait for its answer", async () => {
  const slow = held(over);
  const fake = new Fake(created(), slow.answer, stopped);
  await fake.playing();
  await fake.pass(45_000);
  fake.page.dispatchEvent(new Event("pagehide"));
  assert.deepEqual(fake.log, ["POST 0", "POST 45000", "DELETE 45000"]);
  slow.release();
  await fake.pass(600_000);
  assert.equal(fake.calls.length, 3, "no restart");
});

test("what comes after a stop is not told", async () => {
  const slow = held(throttled(10_000));
  const fake = new Fake(created(), slow.answer, stopped);
  let asked;
  const attributes = () => new Promise((resolve, reject) => (asked = { resolve, reject }));
  const session = fake.session({ attributes });
  session.start();
  await fake.pass(0);
  asked.resolve({});
  await fake.pass(45_000);
  await session.stop();
  slow.release();
  const started = session.start();
  await fake.pass(0);
  await session.stop();
  asked.reject(new Error("no storage"));
  assert.equal(await started, "stopped");
  assert.deepEqual(
    fake.events.map(([event]) => event),
    ["starting", "playing", "stopped", "starting", "stopped"],
  );
});

test("a page that goes away with nothing to stop stops nothing", async () => {
  const fake = new Fake(conflict());
  await fake.session().start();
  fake.page.dispatchEvent(new Event("pagehide"));
  assert.equal(fake.calls.length, 1);
});

test("a stop while the stream is being created frees what was created", async () => {
  const slow = held(created("s1"));
  const fake = new Fake(slow.answer, stopped);
  const session = fake.session();
  const started = session.start();
  await fake.pass(0);
  const ended = session.stop();
  slow.release();
  await ended;
  assert.equal(await started, "stopped");
  assert.deepEqual(fake.log, ["POST 0", "DELETE 0"]);
  await fake.pass(600_000);
  assert.deepEqual(
    fake.events.map(([event]) => event),
    ["starting", "stopped"],
  );
});

test("a stop while a lapsed stream is being replaced frees the replacement", async () => {
  const slow = held(created("s2"));
  const fake = new Fake(created("s1"), over, slow.answer, stopped);
  const session = await fake.playing();
  await fake.pass(45_000);
  const ended = session.stop();
  slow.release();
  await ended;
  assert.equal(fake.calls[3].path, "/v2/sessions/demo/alice/s2");
  assert.equal(session.state, "stopped");
});

test("a stop ends a wait", async () => {
  const fake = new Fake(throttled(30_000));
  const session = fake.session();
  const started = session.start();
  await fake.pass(1_000);
  await session.stop();
  assert.equal(await started, "stopped");
  await fake.pass(600_000);
  assert.equal(fake.calls.length, 1);
});

test("a stop during a heartbeat or between retries is the end", async () => {
  const slow = held(kept());
  const fake = new Fake(created(), slow.answer, stopped);
  const session = await fake.playing();
  await fake.pass(45_000);
  await session.stop();
  slow.release();
  await fake.pass(600_000);
  assert.equal(fake.calls.length, 3);

  fake.answers(created(), unreachable, stopped);
  await session.start();
  await fake.pass(45_500);
  await session.stop();
  await fake.pass(600_000);
  assert.equal(fake.calls.length, 6);
});

test("a new start waits until the old place is free", async () => {
  const slow = held(stopped);
  const fake = new Fake(created("s1"), slow.answer, created("s2"));
  const session = await fake.playing();
  const started = session.start();
  await fake.pass(1_000);
  assert.deepEqual(fake.log, ["POST 0", "DELETE 0"]);
  slow.release();
  assert.equal(await started, "playing");
  assert.equal(session.playbackUrl("/a"), "http://edge.test/~s2/a");
});

test("an impatient viewer gets one stream", async () => {
  const slow = held(stopped);
  const fake = new Fake(created("s1"), slow.answer, created("s2"));
  const session = await fake.playing();
  const starts = [session.start(), session.start(), session.start()];
  await fake.pass(0);
  assert.deepEqual(fake.log, ["POST 0", "DELETE 0"]);
  slow.release();
  await Promise.all(starts);
  await fake.pass(0);
  assert.deepEqual(fake.log, ["POST 0", "DELETE 0", "POST 0"]);
  assert.equal(session.state, "playing");
});
