import assert from "node:assert/strict";
import { test } from "node:test";

import { outcome } from "../outcome.js";

const body = (reason, type, more) =>
  JSON.stringify({ reason, detail: "because", associatedAdvice: type ? [{ type, message: "why", ...more }] : [], obligations: [] });

test("a limit is a refusal with its streams", () => {
  const conflicts = { s1: [{ terminationCode: "aaaaaaaa", deviceName: "Kitchen", startedAt: "2030-01-01T11:00:00Z" }] };
  const action = { label: "More screens", url: "https://shop.example/" };
  const { state, detail } = outcome(403, body("limit-reached", "rule-violation", { threshold: 3, conflicts, action }));
  assert.equal(state, "refused");
  assert.equal(detail.message, "why");
  assert.equal(detail.threshold, 3);
  assert.deepEqual(detail.action, action);
  assert.deepEqual(detail.conflicts.map(({ deviceName }) => deviceName), ["Kitchen"]);
});

test("a stream that another stopped says which", () => {
  const terminator = { deviceName: "Phone", channel: "Tides" };
  const { state, detail } = outcome(403, body("remote-termination", "remote-termination", { terminator }));
  assert.equal(state, "terminated");
  assert.deepEqual(detail.terminator, terminator);
});

test("a stream that lapsed is over", () => {
  assert.equal(outcome(403, body("stream-over")).state, "over");
});

test("all else is broken, and says what is known", () => {
  assert.deepEqual(outcome(403, body("token-expired")), { state: "broken", detail: { detail: "because" } });
  for (const text of ["", "<html>", "null", "[]", "7", '"text"']) {
    assert.deepEqual(outcome(502, text), {
      state: "broken",
      detail: { detail: "The edge answered with HTTP status 502." },
    });
  }
});
