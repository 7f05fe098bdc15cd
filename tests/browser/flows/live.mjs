import assert from "node:assert/strict";
import { close, logIn, open } from "../browser.mjs";

/** How long a new comment may take to come: the simulators write one now and then. */
const PATIENCE_MS = 60_000;

export async function newCaseAnnouncesItself(given) {
  const page = await open(given);
  await logIn(page, given);
  const place = () => page.$$eval(".rad[data-arende]", (rows) =>
    rows.map((row) => `${row.dataset.arende}@${Math.round(row.getBoundingClientRect().top)}`).join(" "));
  const before = await place();
  await page.waitForSelector("#utrop [data-slag=nya] button", { timeout: PATIENCE_MS });
  assert.equal(await place(), before, "no row moved");
  assert.equal(await page.getAttribute("#utrop", "aria-live"), "polite");
  await page.click("#utrop [data-slag=nya] button");
  // It is in the list now; where it stands on a later page or behind one like it, that is said, and it is a click away.
  const was = before.split(" ").map((row) => row.split("@")[0]).join();
  const shown = await page.waitForFunction((was) => {
    if ([...document.querySelectorAll(".rad[data-arende]")].map((row) => row.dataset.arende).join() !== was) return "row";
    return [...document.querySelectorAll("#utrop p")].some((line) => line.textContent.includes("syns inte här")) && "elsewhere";
  }, was);
  const button = page.locator("#utrop [data-slag=nya] button");
  if (await shown.jsonValue() === "elsewhere" && await button.count() > 0) {
    const number = (await button.textContent()).match(/\d+/)[0];
    await button.click();
    await page.waitForSelector(`#bredvid #arende[data-arende="${number}"]`);
  }
  await close(page);
}
