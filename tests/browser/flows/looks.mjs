import assert from "node:assert/strict";
import { close, logIn, open, shot } from "../browser.mjs";

const style = (page, selector, name, pseudo) =>
  page.$eval(selector, (element, [name, pseudo]) => getComputedStyle(element, pseudo)[name], [name, pseudo]);

/** The system's own colours, paper, a narrow window, and news that covers nothing. */
export async function everyWayOfShowing(given) {
  const forced = await open(given, { forcedColors: "active" });
  await logIn(forced, given);
  await forced.waitForSelector(".rad.allvar-hog");
  const first = await forced.getAttribute(".rad.allvar-hog", "data-arende");
  await forced.goto(`${given.url}/?arende=${first}`);
  assert.notEqual(await style(forced, ".meny a[aria-current]", "borderBottomColor"), await style(forced, ".meny a:not([aria-current])", "borderBottomColor"), "the menu tells where we are");
  assert.equal(await style(forced, ".rad[data-oppen]", "outlineStyle"), "solid", "the opened row is told apart");
  const ticked = "#beslut .ett-val:has(input:checked)";
  if (await forced.locator(ticked).count() > 0) assert.equal(await style(forced, ticked, "outlineStyle"), "solid", "what is chosen is told apart");
  await shot(forced, given, "ko-tvingade-farger");
  await close(forced);

  const paper = await open(given);
  await logIn(paper, given);
  await paper.goto(`${given.url}/arende/${first}`);
  await paper.emulateMedia({ media: "print" });
  for (const gone of [".meny", ".inloggad", ".utrop", "#beslut", "#arende-pagar", ".till-beslut", ".tillbaka"]) {
    if (await paper.locator(gone).count() > 0) assert.equal(await paper.locator(gone).first().isVisible(), false, `${gone} is not printed`);
  }
  for (const there of [".simulerat", ".namn", ".del-text", ".del-varfor", "#bevis", ".del-historik"]) assert.ok(await paper.locator(there).isVisible(), `${there} is printed`);
  const folded = paper.locator("details:not([open]) > :not(summary)").first();
  if (await folded.count() > 0) assert.ok(await folded.isVisible(), "what is folded on a screen is not on paper");
  await shot(paper, given, "arende-papper");
  await close(paper);

  const narrow = await open(given, { viewport: { width: 320, height: 640 } });
  await logIn(narrow, given);
  await narrow.goto(`${given.url}/`);
  if (given.shots) await narrow.screenshot({ path: `${given.shots}/ko-320.png` });
  const places = await narrow.$$eval(".meny a", (links) => links.map((a) => a.getBoundingClientRect()).filter((place) => place.width > 0).map((place) => place.top));
  assert.equal(new Set(places).size, 1, "the menu is one line at 320 px");
  assert.ok(await narrow.$eval("header", (head) => head.getBoundingClientRect().height) <= 180, "the head leaves room for the page");
  await close(narrow);

  // News stands at the foot, and the list ends above it.
  const page = await open(given);
  await logIn(page, given);
  // A place where nothing can be done any more: its account is not in the settings.
  await page.goto(`${given.url}/?konto=borta`);
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#bredvid #arende");
  const refused = page.locator('.val-lista input:disabled[aria-describedby^="om-"]').first();
  const [key, about] = [await refused.getAttribute("data-tangent"), await refused.getAttribute("aria-describedby")];
  await page.keyboard.press(key);
  await page.waitForSelector("#utrop [data-slag=kort]");
  const [news, main] = await page.evaluate(() => ["#utrop", "main"].map((part) => document.querySelector(part).getBoundingClientRect().toJSON()));
  assert.ok(main.bottom <= news.top + 1, `news at ${news.top} lies over the page that ends at ${main.bottom}`);
  const told = await page.textContent("#utrop [data-slag=kort]");
  const written = await page.textContent(`#${about}`);
  assert.equal(told.trim(), written.trim(), "one explanation, wherever it is asked for");
  await shot(page, given, "ko-med-besked");
  await close(page);
}
