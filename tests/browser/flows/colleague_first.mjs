import assert from "node:assert/strict";
import { close, focusedCase, logIn, open, shot, tickAlone } from "../browser.mjs";

const NOTE = "Ring polisen i morgon.";

/** A decision refused because a colleague was first stays refused on the page, with what was written. */
export async function colleagueFirst(given) {
  const page = await open(given);
  await logIn(page, given);
  await page.keyboard.press("j");
  const number = await focusedCase(page);
  await page.keyboard.press("Enter");
  await page.waitForSelector(`#bredvid #arende[data-arende="${number}"]`);
  await tickAlone(page, "police");
  await page.fill("#anteckning", NOTE);

  const waits = () => page.$eval(".filter a[aria-current] .antal", (count) => Number(count.textContent.replace(/\D/g, "")));
  const before = await waits();
  const colleague = await open(given);
  await logIn(colleague, given);
  await colleague.goto(`${given.url}/arende/${number}`);
  await tickAlone(colleague, "register");
  await colleague.click("#beslut .skicka button");
  await colleague.waitForSelector("form.angra button");
  // The row stays where it is and says so.
  await page.waitForSelector(`.rad[data-arende="${number}"][data-borta] .beslutat`);

  // And the counts follow by themselves.
  await page.waitForFunction((before) => Number(document.querySelector(".filter a[aria-current] .antal").textContent.replace(/\D/g, "")) < before, before);

  await page.click("#beslut .skicka button");
  await page.waitForSelector("#beslut-fel");
  const refused = async () => {
    const words = await page.textContent("#beslut-fel");
    assert.match(words, /Ditt beslut sparades inte/);
    assert.match(words, new RegExp(NOTE));
  };
  await refused();
  await shot(page, given, "ko-med-nekat-beslut");
  // News of the case must not put anything else in its place.
  await colleague.click("form.angra button");
  await page.waitForSelector("#utrop [data-slag=andrad] button");
  await refused();
  assert.equal(await page.locator(`.rad[data-arende="${number}"][data-borta]`).count(), 0, "it is undone");
  await page.click("#utrop [data-slag=andrad] button");
  await page.waitForSelector("#beslutsform");
  assert.equal(await page.locator("#beslut-fel").count(), 0, "read anew when asked to");
  assert.equal(await page.inputValue("#anteckning"), NOTE, "what was written comes back with the form");
  await page.fill("#anteckning", "");

  // The address of a refused form leads somewhere.
  await page.goto(`${given.url}/arende/${number}/beslut`);
  assert.equal(new URL(page.url()).pathname, `/arende/${number}`);
  await close(colleague);
  await close(page);
}
