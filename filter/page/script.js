"use strict";
const $ = id => document.getElementById(id);
const make = (name, text, kind) => { const e = document.createElement(name); if (text !== undefined) e.textContent = text; if (kind) e.className = kind; return e; };
const base = location.pathname.replace(/\/?$/, "/") + "v1/";
let key = "", last = null, shown = [], paused = false, current = null, turn = 0;

async function call(path, method = "GET", body) {
  const headers = { authorization: "Bearer " + key };
  if (body) headers["content-type"] = "application/json";
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" }).catch(() => { throw new Error("No answer of the edge"); });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) { const error = new Error(said.detail || "answered " + answer.status); error.status = answer.status; throw error; }
  return said;
}
function say(text, kind) { if ($("state").textContent !== text) { $("state").textContent = text; $("state").className = kind || "soft"; } }
const time = at => new Date(at).toLocaleTimeString();
const long = at => new Date(at).toLocaleString();
function table(heads, rows) {
  const t = make("table"), h = t.createTHead().insertRow();
  for (const head of heads) { if (!head) { h.insertCell(); continue; } const th = make("th", head); th.scope = "col"; h.append(th); }
  const b = t.createTBody();
  for (const row of rows) { const r = b.insertRow(); for (const cell of row) { const d = r.insertCell(); d.append(cell instanceof Node ? cell : String(cell ?? "")); } }
  return t;
}
function facts(list, pairs) {
  list.replaceChildren(...pairs.map(([name, value, kind]) => { const d = make("div"); d.append(make("dt", name), make("dd", String(value), kind)); return d; }));
}
const KIND = { refusal: "bad", start: "good", operator: "warn", end: "soft" };
const ENDS = {
  "lapsed": () => "its player stopped asking", "paused": () => "its player paused", "replaced": () => "its own device started again",
  "evicted": d => `it lost its place under ${d.policy} / ${d.rule}`,
  "stopped-from-another-device": () => "a viewer stopped it from another device", "stopped-by-operator": () => "an operator stopped it",
};
const lasted = ms => ms < 6e4 ? Math.round(ms / 1e3) + " s" : Math.round(ms / 6e4) + " min";
const WHY = {
  "limit-reached": d => `refused: ${d.policy} / ${d.rule} allows ${d.limit}, and ${d.count} stream(s) were in the way`,
  "evicted": d => `refused: a newer stream took its place under ${d.policy} / ${d.rule}`,
  "remote-termination": () => "refused: somebody stopped this stream from another device, or an operator did",
  "stream-over": () => "refused: this stream is over; the player has to start anew",
  "blocked": () => "refused: an operator has blocked the account",
  "monitored": d => `started, though ${d.policy} / ${d.rule} (only monitored) allows ${d.limit}`,
  "made-room": d => `started, and ${d.count} stream(s) were ended for it`,
  "stop": d => `an operator stopped ${d.count || 0} stream(s)`, "stop-all": d => `an operator stopped all ${d.count || 0} stream(s)`,
  "exception": d => "an operator set an exception" + (d.limit === undefined ? "" : `: ${d.limit} streams`), "exception-lifted": () => "an operator took the exception back",
};
function words(d) {
  let text = d.event === "end" ? `ended after ${lasted(d.lastedMs)}: ${(ENDS[d.reason] || (() => d.reason))(d)}` : WHY[d.reason] ? WHY[d.reason](d) : d.event === "start" ? "started" : d.event === "stop" ? "stopped by its app" : `${d.event}: ${d.reason || ""}`;
  if (d.codes) text += ` (${d.codes.join(", ")})`;
  if (d.store === "out") text += "; the store was out";
  if (d.repeated) text += `; ${d.repeated} more like it`;
  return text;
}
function decisionRows(list, at = time) {
  return [...list].reverse().map(d => {
    const row = [at(d.at), make("span", words(d), KIND[d.event]), make("code", d.stream || ""), d.device || "", d.application || ""];
    if (d.account) { const b = make("button", d.account.slice(0, 8)); b.type = "button"; b.setAttribute("aria-label", "Show account " + b.textContent); b.onclick = () => open("hashes/" + d.account, true); row.push(b); }
    return row;
  });
}
async function summary() {
  const s = await call("summary");
  const a = s.accounts, store = s.store;
  facts($("edge"), [
    ["Live streams", `${s.streams.live.toLocaleString()} of ${s.streams.max.toLocaleString()}`, s.streams.live > s.streams.max * .9 ? "bad" : ""],
    ["Accounts that play", a ? a.count.toLocaleString() : "being counted"],
    ["Starts in the last minute", s.lastMinute.starts.toLocaleString()],
    ["Refusals in the last minute", s.lastMinute.refusals.toLocaleString()],
    ["Store", !store ? "none: this edge alone" : store.down ? `${store.down} of ${store.shards} shards out` : `${store.shards} shard(s) up`, store && store.down ? "bad" : ""],
    ["Workers", s.workers], ["Remembers since", long(s.since)], ["Version", s.version], ["Configuration", s.configuration.slice(0, 12)]]);
  $("store").replaceChildren(...(store && store.down ? [make("p", "Out: shards " + store.each.filter(x => !x.up).map(x => x.shard).join(", ") + ". Streams that are known play on.", "bad")] : []));
  const kinds = s.lastMinute.kinds.sort((x, y) => y.count - x.count);
  $("kinds").replaceChildren(kinds.length ? table(["Count", "What", "Reason", "Policy", "Rule"], kinds.map(k => [k.count, make("span", k.event, KIND[k.event]), k.reason, k.policy, k.rule])) : make("p", "Nothing was decided.", "soft"),
    ...(s.lastMinute.complete ? [] : [make("p", "Not all of the minute is counted yet.", "soft")]));
}
let page = 1;
async function levels(asked) {
  const l = await call("levels?page=" + page);
  if (l.pages && page > l.pages) { page = 1; return levels(asked); }
  const charts = l.policies.map(p => {
    const top = p.attempted.findLastIndex(n => n) + 1, most = Math.max(...p.attempted);
    const rows = p.attempted.slice(0, top).map((n, i) => {
      const bar = make("div", undefined, "bar"); bar.ariaHidden = true;
      for (const part of [p.admitted[i], n - p.admitted[i]]) { const x = make("i"); x.style.width = 100 * part / most + "%"; bar.append(x); }
      return [i < 15 ? i + 1 : "16 or more", bar, p.admitted[i], n - p.admitted[i], p.attempted[i + 1] || 0];
    });
    const name = p.policy + (p.mode === "monitor" ? " (only monitored)" : "");
    const all = make("div"); all.append(make("h3", name), top ? scroll("Levels of " + p.policy, table(["At once", "", "Accounts", "Refused", "Would meet this limit"], rows)) : make("p", "Nothing has started yet.", "soft"));
    return all;
  });
  if (l.pages > 1) { const b = make("button", `More policies (${page} of ${l.pages})`); b.type = "button"; b.onclick = () => { page = page % l.pages + 1; levels(true).then(() => $("levels").querySelector("button").focus(), error => say(error.message, "bad")); }; charts.push(b); }
  if (asked || !$("levels").contains(document.activeElement)) $("levels").replaceChildren(...charts);
}
async function decisions() {
  const d = await call("decisions" + (last === null ? "" : "?after=" + last));
  if (last !== null && d.latest < last) { last = null; return; }
  // Where more was decided than one answer holds, the next one shows the latest.
  const behind = last !== null && d.decisions.length > 99;
  shown = (last === null ? [] : shown).concat(d.decisions).slice(-100);
  last = behind ? null : d.latest;
  if (d.decisions.length) { $("live").replaceChildren(table(["Time", "What", "Stream", "Device", "Application", "Account"], decisionRows(shown))); }
  else if (!shown.length) $("live").replaceChildren(make("p", "Nothing yet.", "soft"));
}
async function open(path, jump) {
  current = path;
  const box = $("account");
  try {
    const a = await call(path);
    if (current !== path) return;
    const name = path.startsWith("accounts/") ? path.split("/").slice(1).map(decodeURIComponent).join(" / ") + ", " : "";
    const children = [make("h3", `Account ${name}${a.account}`)];
    children[0].tabIndex = -1;
    const refused = [...a.decisions].reverse().find(d => d.event === "refusal");
    children.push(make("p", refused ? `Last ${words(refused)}, at ${long(refused.at)}.` : "No refusal is remembered.", refused ? "bad" : "soft"));
    if (a.store === "out") children.push(make("p", "The store is out: this is what this edge knows.", "warn"));
    if (a.exception) { const x = a.exception; children.push(make("p", `Exception: ${x.blocked ? "blocked" : x.unlimited ? "no limit" : x.max + " streams"} until ${long(x.until)}: ${x.reason}`, "warn"), act("Take the exception back", "Take the exception of this account back?", path + "/exception", "DELETE")); }
    children.push(make("h3", `Plays now: ${a.streams.length + a.otherStreams}`));
    if (a.streams.length) {
      const rows = a.streams.map(s => [make("code", s.code), s.attributes.deviceName || "", s.attributes.channel || "", s.applicationName, long(s.startedAt), act("Stop", `Stop ${s.attributes.deviceName || "stream"} (${s.code})? Its viewer is told that the service stopped it.`, `${path}/streams/${s.code}`, "DELETE", `Stop ${s.attributes.deviceName || "stream"}, ${s.code}`)]);
      children.push(scroll("Streams of the account", table(["Stream", "Device", "Channel", "Application", "Since", ""], rows)), act("Stop all", "Stop all streams of this account?", path, "DELETE"));
    }
    children.push(make("h3", "Limits that hold now"), scroll("Limits", table(["Policy", "Rule", "Taken", "Allowed", "Mode"], a.limits.map(l => [l.policy, l.rule, l.count, l.limit ?? "no limit", l.mode]))));
    if (a.ended.length) children.push(make("h3", "Ended lately"), scroll("Ended streams", table(["Stream", "When", "Why"], a.ended.map(e => [make("code", e.code), time(e.at), [e.why.replaceAll("-", " "), e.policy && `by ${e.policy} / ${e.rule}`, e.device].filter(Boolean).join(" ")]))));
    children.push(make("h3", "Decisions"), scroll("Decisions about the account", table(["Time", "What", "Stream", "Device", "Application"], decisionRows(a.decisions, long))));
    children.push(exceptionForm(path));
    box.replaceChildren(...children);
    if (jump) children[0].focus();
  } catch (error) { if (current === path) box.replaceChildren(wrong(error.message)); }
}
function scroll(name, inner) { const d = make("div", undefined, "scroll"); d.tabIndex = 0; d.role = "region"; d.ariaLabel = name; d.append(inner); return d; }
function wrong(text) { const p = make("p", text, "bad"); p.role = "alert"; return p; }
function act(label, question, path, method, name) {
  const b = make("button", label, "bad"); b.type = "button";
  if (name) b.ariaLabel = name;
  b.onclick = () => change(question, path, method);
  return b;
}
function change(question, path, method, body) {
  const of = current;
  $("what").textContent = question; $("sure").returnValue = "no"; $("sure").showModal();
  $("sure").onclose = async () => {
    if ($("sure").returnValue !== "yes") return;
    try { const done = await call(path, method, body); say(done.store === "out" ? "Done here; the store is out and hears of it later" : "Done", "good"); }
    catch (error) { say(error.message, "bad"); }
    open(of, true);
  };
}
function exceptionForm(path) {
  const f = make("form", undefined, "row");
  const field = (name, input) => { const d = make("div"), l = make("label", name); input.id = "x-" + name.toLowerCase(); l.htmlFor = input.id; d.append(l, input); f.append(d); return input; };
  const what = field("Exception", make("select"));
  for (const [v, t] of [["max", "another limit"], ["unlimited", "no limit"], ["blocked", "block"]]) { const o = make("option", t); o.value = v; what.append(o); }
  const max = field("Streams", make("input")); max.type = "number"; max.min = 0; max.max = 1000; max.value = 5; max.required = true;
  const lasts = field("For", make("select"));
  for (const t of ["1h", "1d", "7d", "30d"]) lasts.append(make("option", t));
  const reason = field("Reason", make("input")); reason.required = true; reason.maxLength = 100;
  what.onchange = () => { max.parentElement.hidden = max.disabled = what.value !== "max"; };
  f.append(make("button", "Set"));
  f.onsubmit = event => {
    event.preventDefault();
    const body = { reason: reason.value, for: lasts.value, [what.value]: what.value === "max" ? Number(max.value) : true };
    change(`${{ max: `A limit of ${max.value} streams`, unlimited: "No limit", blocked: "Stop all streams of this account, and block it," }[what.value]} for ${lasts.value}?`, path + "/exception", "PUT", body);
  };
  return f;
}
$("find").onsubmit = event => {
  event.preventDefault();
  const subject = $("subject").value.trim(), idp = $("idp").value.trim();
  if (!idp && !/^[0-9a-f]{32}$/i.test(subject)) { current = null; return $("account").replaceChildren(wrong("Say the identity provider, too, or a hash of 32 digits.")); }
  open(idp ? `accounts/${encodeURIComponent(idp)}/${encodeURIComponent(subject)}` : "hashes/" + subject.toLowerCase(), true);
};
$("pause").onclick = () => { paused = !paused; $("pause").setAttribute("aria-pressed", paused); $("pause").textContent = paused ? "Go on" : "Pause"; };
$("top").onclick = async () => {
  try {
    const t = await call("accounts?order=streams");
    const rows = t.rows.map(r => { const b = make("button", r.account.slice(0, 8)); b.type = "button"; b.setAttribute("aria-label", "Show account " + b.textContent); b.onclick = () => open("hashes/" + r.account, true); return [r.streams, b]; });
    $("tops").replaceChildren(make("p", t.complete ? `${t.accounts} accounts with ${t.streams} streams, counted ${time(t.at)}.` : "Being counted; ask again in a while.", "soft"), table(["Streams", "Account"], rows));
    $("top").textContent = "Count again";
  } catch (error) { say(error.message, "bad"); }
};
// One small call a second, and the summary in the place of every fifth, the levels in that of every twentieth; none while nobody looks.
async function tick() {
  if (!key) return;
  if (!paused && !document.hidden) {
    try { const n = turn++; await (n % 20 === 1 ? levels() : n % 5 ? decisions() : summary()); if ($("state").className === "bad" || !$("state").textContent) say("Live", "soft"); }
    catch (error) { say(error.status === 401 ? "That is not a key of this door" : error.message, "bad"); if (error.status === 401) { key = ""; $("inside").hidden = true; $("login").hidden = false; $("key").focus(); return; } }
  }
  setTimeout(tick, 1000);
}
$("login").onsubmit = async event => {
  event.preventDefault();
  key = $("key").value; $("key").value = ""; last = null; shown = []; turn = 0;
  say("", "soft");
  try { await summary(); turn = 1; } catch (error) { key = ""; return say(error.status === 401 ? "That is not a key of this door" : error.message, "bad"); }
  $("login").hidden = true; $("inside").hidden = false; $("subject").focus();
  say("Live"); tick();
};
$("key").focus();
