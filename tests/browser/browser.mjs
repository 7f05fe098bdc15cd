// Chromium, and what every flow does with it.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      // Tests often run as root, where Chromium's own sandbox refuses to start.
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
}

/** A page that fails its flow on any script error or anything the security policy refused. */
export async function open({ browser }, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 }, locale: "sv-SE", timezoneId: "Europe/Stockholm", ...options,
  });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  opened.add(page);
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(error.message));
  // Nothing of ours asks by dialog: one that opens was opened by somebody's comment.
  page.on("dialog", (dialog) => { page.faults.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("console", (message) => {
    if (/Content Security Policy|Trusted ?Type/i.test(message.text())) page.faults.push(message.text());
  });
  return page;
}

export async function close(page) {
  assert.deepEqual(page.faults, [], "faults on the page");
  opened.delete(page);
  await page.context().close();
}

/** The pages of the flow that is running. */
const opened = new Set();

/** After a flow that failed: where each of its pages stands and what it says first, with a picture. */
export async function lastSeen({ shots }, flow) {
  const told = [];
  for (const page of opened) {
    const says = await page.locator("main").first().innerText({ timeout: 1_000 }).catch(() => "no main part");
    told.push(`at ${page.url()}: ${says.replace(/\s+/g, " ").slice(0, 300)}`);
    await shot(page, { shots }, `failed-${flow}-${told.length}`).catch((error) => told.push(`no picture: ${error.message}`));
    await page.context().close().catch(() => {});
  }
  opened.clear();
  return told.join("\n");
}

/** Logs in by keyboard. */
export async function logIn(page, { url, user, password }) {
  await page.goto(`${url}/`);
  await page.focus("#namn");
  await page.keyboard.type(user);
  await page.keyboard.press("Tab");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
  await page.waitForSelector("form.inloggad");
}

/** The number of the case in the row that has focus. */
export const focusedCase = (page) =>
  page.evaluate(() => document.activeElement?.closest(".rad[data-arende]")?.dataset.arende ?? null);

/** Ticks one choice of the decision form and no other. */
export async function tickAlone(page, choice) {
  // By keyboard; `clickAlone` is the same with a mouse.
  const others = page.locator(`#beslut input[name=val]:checked:enabled:not(#val-${choice})`);
  while (await others.count() > 0) await others.first().press("Space");
  const wanted = page.locator(`#val-${choice}:enabled`);
  await wanted.waitFor();
  if (!(await wanted.isChecked())) await wanted.press("Space");
}

/** The same by mouse: nothing that stays on the page lies over a choice for good. */
export async function clickAlone(page, choice) {
  const all = page.locator("#beslut input[name=val]:enabled");
  const wanted = page.locator(`#val-${choice}:enabled`);
  await wanted.waitFor();
  // Each of them once, so that none is out of reach.
  for (const box of await all.all()) {
    const [before, id] = [await box.isChecked(), await box.getAttribute("id")];
    await box.click();
    assert.notEqual(await box.isChecked(), before, `a click on ${id} hits it`);
  }
  const others = page.locator(`#beslut input[name=val]:checked:enabled:not(#val-${choice})`);
  while (await others.count() > 0) await others.first().click();
  if (!(await wanted.isChecked())) await wanted.click();
}

/** Whether the page can be read without scrolling sideways. */
export async function fitsSideways(page) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(over <= 0, `${page.url()} is ${over} px too wide`);
}

export async function accessible(page) {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await new AxeBuilder({ page }).withTags(tags).analyze();
  const told = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
  assert.deepEqual(told, [], `accessibility of ${page.url()}`);
}

export async function shot(page, { shots }, name) {
  if (!shots) return;
  await mkdir(shots, { recursive: true });
  await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
}
