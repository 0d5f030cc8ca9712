import assert from "node:assert/strict";
import { test } from "node:test";

import { Fake, answer, conflict, created, hanging, incomplete, kept, throttled, unreachable } from "./fake.js";

const KITCHEN = {
  terminationCode: "51fd351f",
  deviceName: "Kitchen",
  channel: "News 1",
  applicationName: "TV app",
  startedAt: "2030-01-01T11:40:00.000Z",
  metadata: { package: "premium" },
};

test("a start creates a stream with its attributes", async () => {
  const fake = new Fake(created("s1"));
  const session = fake.session({
    application: "démo",
    subject: "a/lice",
    attributes: () => ({ channel: "News 1", deviceName: "Küche", zipcode: undefined }),
  });
  assert.equal(await session.start(), "playing");
  const [call] = fake.calls;
  assert.equal(call.method, "POST");
  assert.equal(call.path, "/v2/sessions/demo/a%2Flice");
  assert.deepEqual(call.form, { channel: "News 1", deviceName: "Küche" });
  const credentials = Buffer.from("démo:").toString("base64");
  assert.deepEqual(call.headers, { authorization: `Basic ${credentials}` });
  assert.deepEqual(fake.events, [["starting", null], ["playing", { restarted: false }]]);
});

test("it plays under the prefix it was given, and only while it may", async () => {
  const fake = new Fake(created("s1"), answer(202));
  const session = fake.session();
  assert.throws(() => session.playbackUrl("/vod/film.m3u8"), /stopped/);
  await session.start();
  assert.equal(session.playbackUrl("/vod/film.m3u8"), "http://edge.test/~s1/vod/film.m3u8");
  await session.stop();
  assert.throws(() => session.playbackUrl("/vod/film.m3u8"), /stopped/);
});

test("a refusal says why and what could be stopped, and nothing more is sent", async () => {
  const fake = new Fake(conflict(KITCHEN));
  const session = fake.session();
  assert.equal(await session.start(), "refused");
  const { message, threshold, conflicts } = fake.told("refused");
  assert.equal(message, "Too many streams on this account");
  assert.equal(threshold, 3);
  assert.deepEqual(conflicts, [KITCHEN]);
  await fake.pass(600_000);
  assert.equal(fake.calls.length, 1);
});

test("a refused one starts in the place of others, with the attributes it had", async () => {
  let asked = 0;
  const attributes = () => ({ channel: "News 1", asked: String(++asked) });
  const fake = new Fake(conflict(KITCHEN), conflict(KITCHEN), created());
  const session = fake.session({ attributes });
  await session.start();
  assert.equal(await session.startInsteadOf(["51fd351f"]), "refused");
  assert.equal(await session.startInsteadOf(["51fd351f", "0badcafe"]), "playing");
  assert.deepEqual(
    fake.calls.map(({ headers }) => headers["x-terminate"]),
    [undefined, "51fd351f", "51fd351f,0badcafe"],
  );
  for (const { form } of fake.calls) {
    assert.deepEqual(form, { channel: "News 1", asked: "1" });
  }
});

test("missing attributes are asked for, by name, and sent once more", async () => {
  const asked = [];
  const attributes = (needed) => {
    asked.push(needed);
    return { channel: "News 1", ...(needed.includes("deviceId") && { deviceId: "tv-1" }) };
  };
  const fake = new Fake(incomplete, answer(200, ["deviceId", "channel"]), created());
  assert.equal(await fake.session({ attributes }).start(), "playing");
  assert.deepEqual(asked, [[], ["deviceId", "channel"]]);
  assert.deepEqual(
    fake.calls.map(({ method, path, form }) => [method, path, form]),
    [
      ["POST", "/v2/sessions/demo/alice", { channel: "News 1" }],
      ["GET", "/v2/metadata", {}],
      ["POST", "/v2/sessions/demo/alice", { channel: "News 1", deviceId: "tv-1" }],
    ],
  );
});

test("they are asked for once only", async () => {
  const fake = new Fake(incomplete, answer(404), incomplete);
  assert.equal(await fake.session().start(), "failed");
  const { status, obligations } = fake.told("failed");
  assert.equal(status, 400);
  assert.equal(obligations[0].action, "refresh");
});

test("an application that cannot give its attributes has failed", async () => {
  const fake = new Fake();
  const attributes = async () => {
    throw new Error("no storage");
  };
  assert.equal(await fake.session({ attributes }).start(), "failed");
  assert.match(fake.told("failed").detail, /no storage/);
});

for (const status of [400, 401, 403, 404, 413, 500]) {
  test(`${status} is a failure`, async () => {
    const fake = new Fake(answer(status, { status, detail: "because" }));
    assert.equal(await fake.session().start(), "failed");
    assert.deepEqual(fake.told("failed"), { status, detail: "because", obligations: [] });
    await fake.pass(600_000);
    assert.equal(fake.calls.length, 1);
  });
}

test("202 without a session is no success", async () => {
  const fake = new Fake(answer(202));
  assert.equal(await fake.session().start(), "failed");
});

test("without a network a start fails at once", async () => {
  const fake = new Fake(unreachable);
  assert.equal(await fake.session().start(), "failed");
  assert.deepEqual(fake.told("failed"), { status: 0, detail: "no answer", obligations: [] });
});

test("a start that hangs fails after ten seconds", async () => {
  const fake = new Fake(hanging);
  const session = fake.session();
  const started = session.start();
  await fake.pass(9_999);
  assert.equal(session.state, "starting");
  await fake.pass(1);
  assert.equal(await started, "failed");
});

test("a throttled start waits until a call counts again", async () => {
  const fake = new Fake(throttled(30_000), created(), kept());
  const session = fake.session();
  const started = session.start();
  await fake.pass(29_999);
  assert.deepEqual(fake.told("waiting"), { waitMs: 30_000 });
  assert.equal(session.state, "starting");
  await fake.pass(1);
  assert.equal(await started, "playing");
  assert.deepEqual(fake.log, ["POST 0", "POST 30000"]);
});

test("a service in trouble is given the time it asks for", async () => {
  const fake = new Fake(answer(503, undefined, { "retry-after": "2" }), created());
  const started = fake.session().start();
  await fake.pass(2_000);
  assert.equal(await started, "playing");
  assert.deepEqual(fake.log, ["POST 0", "POST 2000"]);
});

test("an edge that is no URL is the developer's mistake", () => {
  assert.throws(() => new Fake().session({ edge: "edge.test" }), /URL/);
});

test("what proves the account goes with every call, and takes nobody's place", async () => {
  const fake = new Fake(created("s1"), answer(202));
  let jwt = "first";
  const session = fake.session({
    headers: () => ({ "x-account-token": jwt, authorization: "Bearer lost" }),
  });
  assert.equal(await session.start(), "playing");
  jwt = "second";
  await session.stop();
  const sent = fake.calls.map(({ headers }) => headers["x-account-token"]);
  assert.deepEqual(sent, ["first", "second"]);
  assert.ok(fake.calls.every(({ headers }) => headers.authorization.startsWith("Basic ")));
});
