/**
 * Drives a headless Chromium for a test: a JSON command on each line of standard input,
 * one answer for each on standard output. The end of the input is the end of the browser.
 *
 *   {"do": "open", "page": "http://…"}   {"tab": 1}
 *   {"do": "look", "tab": 1}             {"played": 3.2, "reason": null, "message": "", "errors": ""}
 *   {"do": "evaluate", "tab": 1, "script": "document.title"}   {"value": "…"}
 *   {"do": "press", "tab": 1, "key": "Tab"}                    {}
 *   {"do": "names", "tab": 1, "role": "button"}                {"names": ["Stop Kitchen", …]}
 *   {"do": "picture", "tab": 1, "file": "page.png"}            {}
 *   {"do": "appear", "tab": 1, "width": 320, "scheme": "dark"} {}
 *   {"do": "reload", "tab": 1}           {}
 *   {"do": "close", "tab": 1}            {}
 *
 * A command that fails is answered with {"error": "…"}.
 *
 * It is told where Chromium is, and a directory for its profile.
 */

import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const [executablePath, userDataDir] = process.argv.slice(2);

const browser = await puppeteer.launch({
  executablePath,
  userDataDir,
  // It ends when this process ends, however that happens.
  pipe: true,
  args: [
    // Chromium has no sandbox for root, and plays nothing but the tests' own files.
    "--no-sandbox",
    "--disable-gpu",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
  ],
});

const tabs = new Map();

const commands = {
  async open({ page: url }) {
    // In a window of its own: Chromium pauses a video in a tab that nobody sees.
    const page = await browser.newPage({ type: "window" });
    const tab = tabs.size + 1;
    tabs.set(tab, page);
    await page.goto(url);
    return { tab };
  },
  async look({ tab }) {
    return tabs.get(tab).evaluate(() => {
      const text = (id) => document.getElementById(id).textContent;
      return {
        played: document.getElementById("video").currentTime,
        reason: document.getElementById("refusal").dataset.reason ?? null,
        message: text("refusal"),
        errors: text("errors"),
      };
    });
  },
  async evaluate({ tab, script }) {
    return { value: (await tabs.get(tab).evaluate(script)) ?? null };
  },
  async press({ tab, key }) {
    await tabs.get(tab).keyboard.press(key);
    return {};
  },
  // As a screen reader hears them.
  async names({ tab, role }) {
    const found = [];
    const walk = (node) => {
      if (node.role === role) found.push(node.name ?? "");
      for (const child of node.children ?? []) walk(child);
    };
    walk(await tabs.get(tab).accessibility.snapshot());
    return { names: found };
  },
  async picture({ tab, file }) {
    await tabs.get(tab).screenshot({ path: file, fullPage: true });
    return {};
  },
  async appear({ tab, width, scheme }) {
    const page = tabs.get(tab);
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    return {};
  },
  async reload({ tab }) {
    await tabs.get(tab).reload();
    return {};
  },
  // The page is told nothing, as when the machine is switched off.
  async close({ tab }) {
    await tabs.get(tab).close({ runBeforeUnload: false });
    return {};
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  const answer = await commands[command.do](command).catch((error) => ({ error: String(error) }));
  console.log(JSON.stringify(answer));
}
await browser.close();
