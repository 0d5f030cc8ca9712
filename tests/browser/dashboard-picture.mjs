/**
 * Draws the panels of the Grafana dashboard from what a Prometheus that scrapes the demo's edge answers to their
 * queries, after some minutes of viewers. It is no picture of Grafana, which none of the registries has that
 * this project builds from: panels, queries, units and places are the dashboard's, the drawing is ours.
 *
 *     node dashboard-picture.mjs http://127.0.0.1:10000 http://127.0.0.1:9090 dashboard.json picture.png
 */

import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import puppeteer from "puppeteer-core";

const [edge, prometheus, dashboard, picture] = process.argv.slice(2);
const SECONDS = 150;
const COLUMN = 46;
const ROW = 30;
/** The rows about a store and the workers are left out: the demo has no store. */
const ROWS = 39;
const COLOURS = ["#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#f2495c", "#b877d9", "#8ab8ff"];

/** The same numbers at each run. */
let seed = 7;
const random = (below) => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  // Its low bits repeat soon.
  return Math.floor(seed / 65536) % below;
};

/** A player that nobody modified: it follows its redirect, asks for a segment now and then, and is switched off. */
async function player(account, until) {
  const path = "/vod/sample/master.m3u8";
  const manifest = await fetch(edge + path, { headers: { "x-account-id": account }, redirect: "manual" });
  const location = manifest.headers.get("location");
  await manifest.arrayBuffer();
  while (location && Date.now() < until) {
    const segment = await fetch(edge + location.replace("master.m3u8", "segment-0-001.m4s"));
    await segment.arrayBuffer();
    if (!segment.ok) return;
    await sleep(3000);
  }
}

/** An app that says when it begins and, mostly, when it ends. */
async function app(application, account, until) {
  const headers = { authorization: `Basic ${btoa(`${application}:`)}` };
  const created = await fetch(`${edge}/v2/sessions/demo/${account}`, { method: "POST", headers });
  const { session } = await created.json();
  while (session?.url && Date.now() < until) {
    await sleep(4000);
    const beat = await fetch(edge + session.url, { method: "POST", headers });
    await beat.arrayBuffer();
    if (!beat.ok) return;
  }
  if (session?.url && random(4)) await fetch(edge + session.url, { method: "DELETE", headers });
}

async function viewers() {
  const end = Date.now() + SECONDS * 1000;
  const all = [];
  while (Date.now() < end) {
    const until = Math.min(end, Date.now() + 8000 + random(40) * 1000);
    const n = random(40);
    if (n < 20) all.push(player(`household-${n}`, until));
    else if (n < 30) all.push(app("demo-tv", `household-${n}`, until));
    else all.push(app("demo-mobile", `phone-${n % 4}`, until));
    await sleep(150 + random(500));
  }
  await Promise.allSettled(all);
}

async function series(target, end) {
  const query = target.expr.replaceAll("$__rate_interval", "20s").replaceAll("$instance", ".*");
  const asked = new URLSearchParams({ query, start: end - SECONDS + 20, end, step: 2 });
  const answer = await (await fetch(`${prometheus}/api/v1/query_range?${asked}`)).json();
  if (answer.status !== "success") throw new Error(`${query}: ${answer.error}`);
  const name = (labels) =>
    (target.legendFormat ?? "").replace(/\{\{(\w+)\}\}/g, (_, label) => labels[label] ?? "");
  return answer.data.result.map(({ metric, values }) => ({
    name: name(metric),
    points: values.map(([at, value]) => [at, Number(value)]).filter(([, value]) => Number.isFinite(value)),
  }));
}

function shown(value, unit) {
  if (value === undefined) return "No data";
  const digits = (number) => String(Number(number.toPrecision(3)));
  if (unit === "percentunit") return `${digits(value * 100)} %`;
  if (unit === "bytes") return `${digits(value / 2 ** 20)} MiB`;
  return digits(value) + ({ s: " s", ops: " /s" }[unit] ?? "");
}

const text = (words) => words.replace(/[&<>]/g, (letter) => `&#${letter.charCodeAt(0)};`);

function chart(all, unit, width, height, end) {
  const most = Math.max(...all.flatMap(({ points }) => points.map(([, value]) => value)), 0);
  if (!all.some(({ points }) => points.length)) return `<p class="none">No data</p>`;
  const [left, foot] = [58, 20];
  const x = (at) => left + ((at - end + SECONDS) / SECONDS) * (width - left - 8);
  const y = (value) => (height - foot) * (1 - (most ? value / (most * 1.1) : 0));
  const lines = [0, 0.5, 1].map((part) => {
    const at = y(most * part);
    return `<path d="M${left} ${at}H${width}" class="grid"/><text x="${left - 6}" y="${at + 4}" text-anchor="end">${shown(most * part, unit)}</text>`;
  });
  const times = [0.2, 0.5, 0.8].map((part) => {
    const at = end - SECONDS * (1 - part);
    return `<text x="${x(at)}" y="${height - 3}" text-anchor="middle">${new Date(at * 1000).toISOString().slice(11, 19)}</text>`;
  });
  const drawn = all.map(({ points }, index) => {
    const path = points.map(([at, value], n) => `${n ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`);
    return `<path d="${path.join("")}" stroke="${COLOURS[index % COLOURS.length]}" class="line"/>`;
  });
  return `<svg width="${width}" height="${height}">${lines.join("")}${times.join("")}${drawn.join("")}</svg>`;
}

async function panel({ type, title, gridPos, targets = [], fieldConfig }, end) {
  const unit = fieldConfig?.defaults?.unit;
  const [width, height] = [gridPos.w * COLUMN - 8, gridPos.h * ROW - 8];
  const place = `left:${gridPos.x * COLUMN}px;top:${gridPos.y * ROW}px;width:${width}px;height:${height}px`;
  if (type === "row") return `<h2 style="${place}">${text(title)}</h2>`;
  const all = (await Promise.all(targets.map((target) => series(target, end)))).flat();
  if (type === "stat") {
    const last = all[0]?.points.at(-1)?.[1];
    return `<section style="${place}"><h3>${text(title)}</h3><p class="stat">${shown(last, unit)}</p></section>`;
  }
  const legend = all.map(({ name }, n) => `<i style="background:${COLOURS[n % COLOURS.length]}"></i>${text(name)}`);
  const drawn = chart(all, unit, width - 20, height - 64, end);
  return `<section style="${place}"><h3>${text(title)}</h3>${drawn}<p class="legend">${legend.join(" ")}</p></section>`;
}

await viewers();
const end = Math.floor(Date.now() / 1000);
const { title, panels } = JSON.parse(await readFile(dashboard, "utf8"));
const parts = await Promise.all(panels.filter(({ gridPos }) => gridPos.y < ROWS).map((it) => panel(it, end)));
const page = `<!doctype html><style>
  body { margin: 0; background: #111217; color: #ccccdc; font: 13px system-ui, sans-serif; }
  header { padding: 12px 16px; font-size: 17px; } main { position: relative; margin: 0 8px; height: ${ROWS * ROW}px; }
  section, h2 { position: absolute; box-sizing: border-box; padding: 8px 10px; } h2 { font-size: 15px; margin: 0; padding: 6px 2px; }
  section { background: #181b1f; border: 1px solid #2c2f36; border-radius: 3px; } h3 { margin: 0 0 8px; font-size: 13px; font-weight: 500; }
  .stat { margin: 12px 0; font-size: 30px; text-align: center; color: #73bf69; } .none { text-align: center; padding-top: 50px; opacity: 0.6; }
  .legend { margin: 4px 0 0; white-space: nowrap; overflow: hidden; } i { display: inline-block; width: 14px; height: 3px; margin: 0 5px 3px 8px; }
  .grid { stroke: #2c2f36; } .line { fill: none; stroke-width: 1.6; } text { fill: #9fa7b3; font-size: 11px; }
</style><header>${text(title)}: the panels of observe/grafana/streamgate.json, drawn without Grafana</header><main>${parts.join("")}</main>`;
const browser = await puppeteer.launch({
  executablePath: "/usr/bin/chromium",
  pipe: true,
  // Chromium has no sandbox for root, and sees nothing but the page.
  args: ["--no-sandbox", "--disable-gpu"],
});
const tab = await browser.newPage();
await tab.setViewport({ width: 24 * COLUMN + 16, height: ROWS * ROW + 56 });
await tab.setContent(page);
await tab.screenshot({ path: picture });
await browser.close();
