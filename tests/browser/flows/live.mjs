import assert from "node:assert/strict";
import { appendFile } from "node:fs/promises";
import { close, logIn, open } from "../browser.mjs";

/** How long a new comment may take to come: a quiet site is asked seldom. */
const PATIENCE_MS = 60_000;

/** What is written while the page stands open: severe, and like nothing else in the demo. */
const WRITTEN = "Håll dig borta från biblioteket, annars slår jag sönder ansiktet på dig din fega råtta.";

/** Whoever starts the flow gives, in UPPSIKT_EDITED_FILE, the file that a site of the demo writes to. */
export async function newCaseAnnouncesItself(given) {
  const file = process.env.UPPSIKT_EDITED_FILE;
  assert.ok(file, "UPPSIKT_EDITED_FILE is not set");
  const page = await open(given);
  await logIn(page, given);
  const place = () => page.$$eval(".rad[data-arende]", (rows) =>
    rows.map((row) => `${row.dataset.arende}@${Math.round(row.getBoundingClientRect().top)}`).join(" "));
  const before = await place();
  const item = { id: `nyss-${Date.now()}`, created_at: new Date().toISOString(), author: { name: "Kim Exempel" }, text: WRITTEN, hidden: false };
  await appendFile(file, `${JSON.stringify(item)}\n`);
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
