import assert from "node:assert/strict";
import { close, logIn, open } from "../browser.mjs";

/** The budget for the queue's first load, everything on the page counted as it is sent. */
const MOST_BYTES = 150_000;

export async function refusedLogIn(given) {
  const page = await open(given);
  await page.goto(`${given.url}/`);
  assert.match(page.url(), /logga-in/, "nothing is shown without a log-in");
  for (const password of ["", "fel-losenord-fel"]) {
    await page.fill("#namn", given.user);
    await page.fill("#losenord", password);
    // The browser's own check of required fields is passed by: the server has to hold.
    await Promise.all([page.waitForResponse((r) => r.request().method() === "POST"), page.$eval("form[method=post]", (form) => form.submit())]);
    await page.waitForSelector("[role=alert]");
    assert.ok((await page.textContent("[role=alert]")).trim().length > 10, "says what was wrong");
    assert.equal(await page.inputValue("#namn"), given.user, "the name is kept");
    assert.equal(await page.inputValue("#losenord"), "", "the password is not");
  }
  await close(page);
}

export async function lightFirstLoad(given) {
  const page = await open(given);
  await logIn(page, given);
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  let bytes = 0;
  const foreign = [];
  session.on("Network.loadingFinished", (event) => { bytes += event.encodedDataLength; });
  page.on("request", (request) => { if (!request.url().startsWith(given.url)) foreign.push(request.url()); });
  await page.goto(`${given.url}/`, { waitUntil: "load" });
  await page.waitForSelector(".rad[data-arende]");
  await page.waitForTimeout(500); // the last resources' sizes are told a moment after the page stands
  assert.ok(bytes > 1000 && bytes < MOST_BYTES, `${bytes} bytes`);
  assert.deepEqual(foreign, [], "everything comes from the program itself");
  console.log(`        the queue's first load: ${(bytes / 1000).toFixed(1)} kB`);
  await close(page);
}
