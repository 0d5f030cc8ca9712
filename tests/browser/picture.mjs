/**
 * Takes a picture of the demo's page: three screens play, and the fourth says why not.
 *
 *     node picture.mjs http://127.0.0.1:10000 page.png
 */

import puppeteer from "puppeteer-core";

const [address, picture] = process.argv.slice(2);
const browser = await puppeteer.launch({
  executablePath: "/usr/bin/chromium",
  pipe: true,
  // Chromium has no sandbox for root, and sees nothing but the page.
  args: ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"],
});
const page = await browser.newPage();
await page.setViewport({ width: 1200, height: 900 });
await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
await page.goto(`${address}/demo/`);
await page.click("#all");
await page.waitForFunction(
  () =>
    document.querySelector("#count").textContent === "3 of 3 screens" &&
    document.querySelector("[data-state=refused]") &&
    [...document.querySelectorAll("video")].filter(({ currentTime }) => currentTime > 5).length === 3,
);
await page.mouse.move(0, 0);
await page.screenshot({ path: picture, fullPage: true });
await browser.close();
