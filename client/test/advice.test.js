import assert from "node:assert/strict";
import { test } from "node:test";

import { asksForAttributes, refusal, termination } from "../advice.js";

const stream = (terminationCode, startedAt) => ({ terminationCode, startedAt });

test("streams in the way are listed once each, oldest first", () => {
  const [first, second, third] = [
    stream("aaaaaaaa", "2030-01-01T11:00:00.000Z"),
    stream("bbbbbbbb", "2030-01-01T11:20:00.000Z"),
    stream("cccccccc", "2030-01-01T11:40:00.000Z"),
  ];
  const advice = [
    // Counted by device: two streams of one device, one of another.
    { type: "rule-violation", message: "Two devices", threshold: 2, conflicts: { tv: [third, first], phone: [second] } },
    { type: "rule-violation", message: "Three streams", threshold: 3, conflicts: { s1: [first] } },
    { type: "of-the-future", message: "?" },
  ];
  assert.deepEqual(refusal({ associatedAdvice: advice, obligations: [] }), {
    message: "Two devices",
    threshold: 2,
    conflicts: [first, second, third],
    advice,
    obligations: [],
  });
});

test("a body that says nothing is a refusal that says nothing", () => {
  const silent = { message: "", threshold: undefined, conflicts: [], advice: [], obligations: [] };
  assert.deepEqual(refusal(null), silent);
  assert.deepEqual(refusal({}), silent);
  const nothing = { message: "", terminator: undefined, sameDevice: false, obligations: [] };
  assert.deepEqual(termination({}), nothing);
  const replaced = (sameDevice) => ({ associatedAdvice: [{ type: "remote-termination", message: "", sameDevice }] });
  assert.deepEqual(termination(replaced(true)), { ...nothing, sameDevice: true });
  assert.deepEqual(termination(replaced("yes")), nothing);
});

test("only the obligation to refresh metadata asks for attributes", () => {
  const asks = (obligation, status = 400) =>
    asksForAttributes({ status, body: { obligations: [obligation] } });
  const namespace = "adobe.primetime.cm";
  assert.equal(asks({ namespace, action: "refresh", arguments: ["metadata"] }), true);
  assert.equal(asks({ namespace, action: "refresh", arguments: ["metadata"] }, 409), false);
  assert.equal(asks({ namespace, action: "refresh", arguments: ["token"] }), false);
  assert.equal(asks({ namespace: "adobe.primetime.authentication", action: "logout" }), false);
  assert.equal(asksForAttributes({ status: 400, body: null }), false);
});
