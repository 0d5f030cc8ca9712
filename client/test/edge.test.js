/**
 * The client against a real edge with the applications of envoy/edge.yaml: `make up`, or
 * tests/e2e/web_client.rs. Time passes as it does: what lapses is waited for.
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Session } from "../streamgate.js";

const edge = process.env.STREAMGATE_URL;
const skip = edge ? false : "STREAMGATE_URL names no edge";

const sessions = [];
after(() => Promise.all(sessions.map((session) => session.stop())));

/** An account that nobody had before. */
const account = () => `client-${crypto.randomUUID()}`;

/** A player of an account, whose network can be cut. */
function player(subject, deviceName, application = "demo-web") {
  const network = { isDown: false, calls: 0 };
  const platform = {
    fetch: (...call) => {
      network.calls += 1;
      return network.isDown ? Promise.reject(new TypeError("down")) : fetch(...call);
    },
    setTimeout,
    clearTimeout,
  };
  const attributes = () => ({ deviceName, channel: `${deviceName}'s channel` });
  const session = new Session({ edge, application, idp: "demo", subject, attributes, platform });
  sessions.push(session);
  return Object.assign(session, { network });
}

/** The same, playing. */
async function playing(...who) {
  const session = player(...who);
  assert.equal(await session.start(), "playing");
  return session;
}

/** The next event of that name. */
const next = (session, event) =>
  new Promise((resolve) =>
    session.addEventListener(event, ({ detail }) => resolve(detail), { once: true }),
  );

/** The account's live streams, as the service lists them. */
async function running(subject) {
  const authorization = `Basic ${btoa("demo-web:")}`;
  const url = `${edge}/v2/runningStreams/demo/${subject}`;
  const response = await fetch(url, { headers: { authorization } });
  assert.equal(response.status, 200);
  return (await response.json()).runningStreams;
}

test("heartbeats keep a stream, and it plays under its URL", { skip }, async () => {
  const subject = account();
  const session = await playing(subject, "Kitchen");
  let restarts = 0;
  session.addEventListener("playing", () => (restarts += 1));
  const [{ sessionId }] = await running(subject);
  // Seven heartbeats last longer than a silent stream lives.
  while (session.network.calls < 8) await sleep(100);
  const [stream] = await running(subject);
  assert.equal(stream.sessionId, sessionId);
  assert.equal(restarts, 0);
  const response = await fetch(session.playbackUrl("/vod/sample/master.m3u8"));
  assert.equal(response.status, 200);
  await response.text();
});

test("an attribute is added by a heartbeat", { skip }, async () => {
  const subject = account();
  const session = await playing(subject, "Kitchen");
  session.addAttributes({ quality: "hd" });
  let metadata;
  do [{ metadata }] = await running(subject);
  while (metadata.quality !== "hd");
  assert.equal(metadata.deviceName, "Kitchen");
});

test("the viewer chooses what to stop, and that stays stopped", { skip }, async () => {
  const subject = account();
  const [victim] = [
    await playing(subject, "Kitchen"),
    await playing(subject, "Bedroom"),
    await playing(subject, "Tablet"),
  ];
  const newcomer = player(subject, "Phone");
  const told = next(newcomer, "refused");
  assert.equal(await newcomer.start(), "refused");
  const { message, threshold, conflicts } = await told;
  assert.equal(message, "Too many streams on this account");
  assert.equal(threshold, 3);
  const devices = conflicts.map(({ deviceName }) => deviceName);
  assert.deepEqual(devices.sort(), ["Bedroom", "Kitchen", "Tablet"]);
  assert.throws(() => newcomer.playbackUrl("/vod/sample/master.m3u8"));

  const { terminationCode } = conflicts.find(({ deviceName }) => deviceName === "Kitchen");
  const terminated = next(victim, "terminated");
  assert.equal(await newcomer.startInsteadOf([terminationCode]), "playing");
  const { message: why, terminator } = await terminated;
  assert.notEqual(why, "");
  assert.equal(terminator.deviceName, "Phone");
  assert.equal(terminator.channel, "Phone's channel");
  assert.equal(terminator.applicationName, "Demo web player");

  const { calls } = victim.network;
  await sleep(1500);
  assert.equal(victim.network.calls, calls);
  assert.equal(victim.state, "terminated");
  const left = (await running(subject)).map(({ metadata }) => metadata.deviceName);
  assert.deepEqual(left.sort(), ["Bedroom", "Phone", "Tablet"]);
});

test("where the latest wins, the older one is refused at its heartbeat", { skip }, async () => {
  const subject = account();
  const older = await playing(subject, "Kitchen", "demo-mobile");
  const refused = next(older, "refused");
  const newer = await playing(subject, "Phone", "demo-mobile");
  const { conflicts } = await refused;
  assert.equal(conflicts[0].deviceName, "Phone");
  assert.equal(newer.state, "playing");
});

test("a stream that lapsed starts anew in silence", { skip }, async () => {
  const subject = account();
  const session = await playing(subject, "Kitchen");
  const former = session.playbackUrl("/vod/sample/master.m3u8");
  session.network.isDown = true;
  while ((await running(subject)).length > 0) await sleep(100);
  const restarted = next(session, "playing");
  session.network.isDown = false;
  assert.deepEqual(await restarted, { restarted: true, activeStreams: 1, maxStreams: 3 });
  assert.notEqual(session.playbackUrl("/vod/sample/master.m3u8"), former);
  assert.equal((await running(subject)).length, 1);
});

test("a stop frees the place at once", { skip }, async () => {
  const subject = account();
  const first = await playing(subject, "Kitchen");
  await playing(subject, "Bedroom");
  await playing(subject, "Tablet");
  const next = player(subject, "Phone");
  assert.equal(await next.start(), "refused");
  await first.stop();
  assert.equal(await next.start(), "playing");
});

test("a new start of the same player takes no second place", { skip }, async () => {
  const subject = account();
  const session = await playing(subject, "Kitchen");
  for (let start = 0; start < 4; start += 1) {
    assert.equal(await session.start(), "playing");
  }
  assert.equal((await running(subject)).length, 1);
});

test("an unknown application has failed", { skip }, async () => {
  const session = player(account(), "Kitchen", "nobody");
  const failed = next(session, "failed");
  assert.equal(await session.start(), "failed");
  assert.equal((await failed).status, 401);
});
