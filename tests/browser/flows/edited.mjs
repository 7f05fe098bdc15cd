import assert from "node:assert/strict";
import { appendFile } from "node:fs/promises";
import { close, logIn, open, tickAlone } from "../browser.mjs";

/** What the author writes, and after it the words that tell one text from another: no rule marks them. */
const THREAT = "Jag ska döda dig, din jävla idiot.";
const [SECOND, THIRD, FOURTH, FIFTH] = ["Lydelse två.", "Lydelse tre.", "Lydelse fyra.", "Lydelse fem."];
const PATIENCE_MS = 60_000;

/**
 * The author edits while nothing is heard from the server. Whoever starts the flow gives the case's
 * number in UPPSIKT_EDITED_CASE and, in UPPSIKT_EDITED_FILE, the file its site writes to.
 */
export async function editedWhileAway(given) {
  const number = process.env.UPPSIKT_EDITED_CASE;
  const file = process.env.UPPSIKT_EDITED_FILE;
  assert.ok(number && file, "UPPSIKT_EDITED_CASE or UPPSIKT_EDITED_FILE is not set");
  const page = await open(given);
  // A stream whose events come when the flow says so.
  await page.addInitScript(() => {
    window.EventSource = class extends EventTarget {
      constructor() { super(); window.stream = this; this.readyState = 1; }
      close() {}
      tell(name, data) { this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) })); }
    };
  });
  await logIn(page, given);
  const text = () => page.textContent("#arende .del-text .text");
  const edition = () => page.inputValue("#beslutsform [name=utgava]");
  const sealed = () => page.evaluate((arende) => window.stream.tell("bevis", { arende }), Number(number));

  for (const [address, next] of [[`/arende/${number}`, SECOND], [`/?arende=${number}`, THIRD]]) {
    await page.goto(given.url + address);
    await page.waitForSelector("#beslutsform");
    const old = await edition();
    await edit(file, next);
    await shown(page, given, number, next);
    await sealed();
    await page.waitForFunction((old) => document.querySelector("#beslutsform [name=utgava]").value !== old, old);
    assert.ok((await text()).includes(next), "the form that decides on the new text stands beside it");
  }

  // Somebody who has begun to write keeps what they see, and is told.
  await tickAlone(page, "police");
  const [before, old] = [await text(), await edition()];
  await edit(file, FOURTH);
  await shown(page, given, number, FOURTH);
  await sealed();
  await page.waitForSelector("#utrop [data-slag=andrad] button");
  assert.deepEqual([await text(), await edition()], [before, old]);
  await page.click("#utrop [data-slag=andrad] button");
  await page.waitForFunction((words) => document.querySelector("#arende .del-text").textContent.includes(words), FOURTH);
  assert.notEqual(await edition(), old);

  // What happened while the stream was away is found out when it comes back.
  await page.goto(`${given.url}/?arende=${number}`);
  await page.waitForSelector("#beslutsform");
  await edit(file, FIFTH);
  await shown(page, given, number, FIFTH);
  await page.evaluate(() => { window.stream.onopen(); window.stream.onopen(); });
  await page.waitForFunction((words) => document.querySelector("#arende .del-text").textContent.includes(words), FIFTH);
  await close(page);
}

/** The site tells of the edited item. */
async function edit(file, words) {
  const text = `${THREAT} ${words}`;
  const item = { id: "vagrar-2", created_at: new Date().toISOString(), edited_at: new Date().toISOString(), author: { name: "Robin Exempel" }, text, hidden: false };
  await appendFile(file, `${JSON.stringify(item)}\n`);
}

/** Waits until the server shows the words, asked from outside the page. */
async function shown(page, given, number, words) {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const answer = await page.context().request.get(`${given.url}/arende/${number}`);
    if ((await answer.text()).includes(words)) return;
    await page.waitForTimeout(300);
  }
  assert.fail(`the edit was not taken in: ${words}`);
}
