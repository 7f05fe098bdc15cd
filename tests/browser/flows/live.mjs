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
  await page.waitForFunction((was) => [...document.querySelectorAll(".rad[data-arende]")].map((row) => row.dataset.arende).join() !== was,
    before.split(" ").map((row) => row.split("@")[0]).join());
  await close(page);
}
