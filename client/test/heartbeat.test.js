import assert from "node:assert/strict";
import { test } from "node:test";

import { Fake, answer, conflict, created, hanging, incomplete, kept, killed, over, throttled, unreachable } from "./fake.js";

test("a heartbeat comes after three quarters of the time that the service's clock gives it", async () => {
  const fake = new Fake(created("s1", 60_000), kept("s1", 20_000), kept("s1", 60_000));
  await fake.playing();
  await fake.pass(75_000);
  assert.deepEqual(fake.log, ["POST 0", "POST 45000", "POST 60000"]);
  assert.equal(fake.calls[1].path, "/v2/sessions/demo/alice/s1");
});

test("where CORS hides the clock, the body says when", async () => {
  const session = { url: "/v2/sessions/demo/alice/s1", heartbeatSeconds: 20 };
  const fake = new Fake(answer(202, { session }), answer(202));
  await fake.playing();
  await fake.pass(29_999);
  assert.deepEqual(fake.log, ["POST 0", "POST 15000"]);
});

test("heartbeats never overlap", async () => {
  let answered;
  const slow = () => new Promise((resolve) => (answered = resolve));
  const fake = new Fake(created("s1", 60_000), slow, kept());
  const session = await fake.playing();
  await fake.pass(45_000);
  session.addAttributes({ quality: "hd" });
  await fake.pass(9_000);
  assert.equal(fake.calls.length, 2);
  answered(await kept()());
  await fake.pass(0);
  // What came meanwhile goes with the next one, which does not wait.
  assert.deepEqual(fake.log, ["POST 0", "POST 45000", "POST 54000"]);
  assert.deepEqual(fake.calls[2].form, { quality: "hd" });
});

test("a call without an answer is repeated several times before the stream expires", async () => {
  const fake = new Fake(created("s1", 60_000), unreachable, unreachable, answer(502), kept());
  await fake.playing();
  await fake.pass(60_000);
  assert.deepEqual(fake.log, ["POST 0", "POST 45000", "POST 46000", "POST 48000", "POST 52000"]);
  assert.equal(fake.told("disconnected").status, 0);
  assert.equal(fake.events.length, 4);
});

test("a heartbeat that hangs leaves time for another", async () => {
  const fake = new Fake(created("s1", 20_000), hanging, kept("s1", 20_000));
  await fake.playing();
  // Five seconds of patience, and one until the retry: the stream expires at 20000,
  // and the service holds it for some time longer.
  await fake.pass(21_000);
  assert.deepEqual(fake.log, ["POST 0", "POST 15000", "POST 21000"]);
});

test("a network that comes back late finds the stream lapsed, and it starts anew", async () => {
  const outage = Array.from({ length: 8 }, () => unreachable);
  const fake = new Fake(created("s1", 20_000), ...outage, over, created("s2", 20_000));
  const session = await fake.playing({ attributes: () => ({ channel: "News 1" }) });
  await fake.pass(50_000);
  // Retries settle at a quarter of the heartbeat.
  assert.deepEqual(fake.log.slice(1, 7), [15, 16, 18, 22, 27, 32].map((s) => `POST ${s}000`));
  assert.equal(session.state, "playing");
  assert.deepEqual(fake.told("playing"), { restarted: true });
  assert.equal(session.playbackUrl("/a"), "http://edge.test/~s2/a");
});

test("a stream that is over is replaced in silence, with all its attributes", async () => {
  const fake = new Fake(created("s1"), kept(), over, created("s2"), kept("s2"));
  const session = await fake.playing({ attributes: () => ({ channel: "News 1" }) });
  session.addAttributes({ quality: "hd" });
  await fake.pass(45_000);
  assert.deepEqual(fake.calls[3].form, { channel: "News 1", quality: "hd" });
  assert.equal(fake.calls[3].path, "/v2/sessions/demo/alice");
  assert.deepEqual(
    fake.events.map(([event]) => event),
    ["starting", "playing", "playing"],
  );
  assert.equal(session.playbackUrl("/a"), "http://edge.test/~s2/a");
  await fake.pass(45_000);
  assert.equal(fake.calls[4].path, "/v2/sessions/demo/alice/s2");
});

test("the replacement stops nobody a second time", async () => {
  const fake = new Fake(created("s1"), over, created("s2"));
  const session = fake.session();
  await session.startInsteadOf(["51fd351f"]);
  await fake.pass(45_000);
  assert.equal(fake.calls[0].headers["x-terminate"], "51fd351f");
  assert.equal(fake.calls[2].headers["x-terminate"], undefined);
});

test("a replacement without a network is tried again", async () => {
  const fake = new Fake(created("s1"), over, unreachable, created("s2"));
  await fake.playing();
  await fake.pass(46_000);
  assert.deepEqual(fake.log, ["POST 0", "POST 45000", "POST 45000", "POST 46000"]);
  assert.deepEqual(fake.told("playing"), { restarted: true });
});

test("a replacement may be refused", async () => {
  const fake = new Fake(created("s1"), over, conflict());
  const session = await fake.playing();
  await fake.pass(45_000);
  assert.equal(session.state, "refused");
});

test("one that a viewer stopped stays stopped, and says by whom", async () => {
  const fake = new Fake(created(), killed);
  const session = await fake.playing();
  await fake.pass(600_000);
  assert.equal(session.state, "terminated");
  assert.equal(fake.calls.length, 2);
  const { message, terminator, sameDevice } = fake.told("terminated");
  assert.equal(message, "Playback was stopped from another device");
  assert.equal(sameDevice, false);
  assert.equal(terminator.deviceName, "Bedroom");
  assert.equal(terminator.channel, "Sports");
});

test("one that lost its place is refused, with advice", async () => {
  const fake = new Fake(created(), conflict({ terminationCode: "51fd351f" }), created("s2"));
  const session = await fake.playing();
  await fake.pass(600_000);
  assert.equal(session.state, "refused");
  assert.equal(fake.calls.length, 2);
  assert.equal(fake.told("refused").conflicts[0].terminationCode, "51fd351f");
  assert.equal(await session.startInsteadOf(["51fd351f"]), "playing");
});

for (const status of [401, 403, 404]) {
  test(`${status} ends it as a failure`, async () => {
    const fake = new Fake(created(), answer(status));
    const session = await fake.playing();
    await fake.pass(600_000);
    assert.equal(session.state, "failed");
    assert.equal(fake.told("failed").status, status);
    assert.equal(fake.calls.length, 2);
  });
}

test("a throttled heartbeat waits until a call counts again, whatever else there is to say", async () => {
  const fake = new Fake(created(), throttled(10_000), kept());
  const session = await fake.playing();
  await fake.pass(45_000);
  session.addAttributes({ quality: "hd" });
  await fake.pass(10_000);
  assert.deepEqual(fake.log, ["POST 0", "POST 45000", "POST 55000"]);
  assert.deepEqual(fake.told("waiting"), { waitMs: 10_000 });
});

test("added attributes go at once, and only once", async () => {
  const fake = new Fake(created(), kept(), kept());
  const session = await fake.playing({ attributes: () => ({ channel: "News 1" }) });
  await fake.pass(10_000);
  session.addAttributes({ quality: "hd" });
  await fake.pass(45_000);
  assert.deepEqual(fake.log, ["POST 0", "POST 10000", "POST 55000"]);
  assert.deepEqual(fake.calls[1].form, { quality: "hd" });
  assert.deepEqual(fake.calls[2].form, {});
});

test("added attributes that did not arrive are sent again", async () => {
  const fake = new Fake(created(), unreachable, kept());
  const session = await fake.playing();
  session.addAttributes({ quality: "hd" });
  await fake.pass(1_000);
  assert.deepEqual(fake.calls[2].form, { quality: "hd" });
});

test("added attributes that are refused are dropped, and it plays on", async () => {
  const detail = "channel cannot change";
  const fake = new Fake(created(), answer(400, { status: 400, detail }), kept(), over, created());
  const session = await fake.playing({ attributes: () => ({ channel: "News 1" }) });
  session.addAttributes({ channel: "Sports" });
  await fake.pass(45_000);
  const attributes = { channel: "Sports" };
  assert.deepEqual(fake.told("attributesrefused"), { attributes, detail });
  assert.equal(session.state, "playing");
  // The refused heartbeat kept nothing alive: the next one does not wait.
  assert.deepEqual(fake.log.slice(0, 3), ["POST 0", "POST 0", "POST 0"]);
  assert.deepEqual(fake.calls[2].form, {});
  assert.deepEqual(fake.calls[4].form, { channel: "News 1" });
});

test("a heartbeat that is refused for nothing it said is a failure", async () => {
  const fake = new Fake(created(), answer(400));
  const session = await fake.playing();
  await fake.pass(45_000);
  assert.equal(session.state, "failed");
});

test("attributes that a policy comes to need are asked for", async () => {
  const attributes = (needed) => (needed.includes("deviceId") ? { deviceId: "tv-1" } : {});
  const fake = new Fake(created(), incomplete, answer(200, ["deviceId"]), kept());
  const session = await fake.playing({ attributes });
  await fake.pass(45_000);
  assert.equal(session.state, "playing");
  assert.deepEqual(fake.calls[3].form, { deviceId: "tv-1" });
});

test("a heartbeat asks for missing attributes once only", async () => {
  const fake = new Fake(created(), incomplete, answer(200, ["deviceId"]), incomplete);
  const session = await fake.playing({ attributes: () => ({ channel: "News 1" }) });
  await fake.pass(600_000);
  assert.equal(session.state, "failed");
  assert.equal(fake.calls.length, 4);
});
