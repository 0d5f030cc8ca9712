/**
 * Takes a picture of the operator's page: an account of the demo whose fourth screen was refused, down to how many
 * streams accounts came to at once.
 *
 *     node operator-picture.mjs http://127.0.0.1:10001 demo-only-operator-key page.png
 */

import puppeteer from "puppeteer-core";

const [address, key, picture] = process.argv.slice(2);
const browser = await puppeteer.launch({
  executablePath: "/usr/bin/chromium",
  pipe: true,
  // Chromium has no sandbox for root, and sees nothing but the page.
  args: ["--no-sandbox", "--disable-gpu"],
});
const page = await browser.newPage();
await page.setViewport({ width: 1200, height: 900 });
await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
await page.goto(`${address}/streamgate/`);
await page.type("#key", key);
await page.click("#login button");
// The account that was refused last.
await page.waitForSelector("#live .bad");
await page.evaluate(() =>
  [...document.querySelectorAll("#live tr")]
    .find((row) => row.querySelector(".bad"))
    .querySelector("button")
    .click(),
);
await page.waitForFunction(() => document.querySelector("#account").innerText.includes("Last refused"));
await page.waitForSelector("#levels .bar");
await page.mouse.move(0, 0);
await page.evaluate(() => scrollTo(0, 0));
const height = await page.evaluate(() => Math.ceil(document.querySelector("#levels").getBoundingClientRect().bottom) + 24);
await page.screenshot({ path: picture, captureBeyondViewport: true, clip: { x: 0, y: 0, width: 1200, height } });
await browser.close();
