import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { accessible, close, fitsSideways, logIn, open, shot } from "../browser.mjs";

/** An authenticator (RFC 6238), `ahead` steps of time from now. */
function code(key, ahead = 0) {
  const bits = [...key].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const secret = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const tag = createHmac("sha1", secret).update(step).digest();
  return String((tag.readUInt32BE(tag[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

async function look(page, given, name) {
  await fitsSideways(page);
  await accessible(page);
  await shot(page, given, name);
}

/** Name and password, up to the second step. */
async function firstStep(page, { url }, user, password) {
  await page.goto(`${url}/logga-in?sedan=/hjalp`);
  await page.focus("#namn");
  await page.keyboard.type(user);
  await page.keyboard.press("Tab");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#kod");
}

async function giveCode(page, typed) {
  await page.focus("#kod");
  await page.keyboard.type(typed);
  await page.keyboard.press("Enter");
}

/** The auditor, whom no other flow needs, from a password alone to two steps and back. */
export async function secondFactor(given) {
  const [user, password] = ["granskare", given.logins.granskare];
  const page = await open(given, { viewport: { width: 390, height: 844 }, bypassCSP: true });
  await logIn(page, { ...given, user, password });
  await page.goto(`${given.url}/mig`);
  await look(page, given, "mig-utan-tvasteg");
  await page.focus("a[href='/mig/tvasteg']");
  await page.keyboard.press("Enter");
  await page.waitForSelector("svg.qr");
  await look(page, given, "tvasteg-satt-upp");
  const key = (await page.textContent("main code")).replaceAll(" ", "");
  await page.focus("#losenord");
  await page.keyboard.type(password);
  await page.keyboard.press("Tab");
  await page.keyboard.type(code(key));
  await page.keyboard.press("Enter");
  await page.waitForSelector(".koder");
  const recovery = await page.locator(".koder code").allTextContents();
  assert.equal(recovery.length, 10);
  await look(page, given, "aterstallningskoder");
  await page.click("main a.knapp");
  assert.match(await page.textContent("main"), /10 återställningskoder kvar/);
  await look(page, given, "mig-med-tvasteg");
  await page.click("form.inloggad button");

  await firstStep(page, given, user, password);
  await look(page, given, "ange-kod");
  // The code that it was set up with is spent.
  await giveCode(page, "000000");
  await page.waitForSelector(".notis.problem");
  await look(page, given, "ange-kod-fel");
  await giveCode(page, code(key, 1));
  await page.waitForSelector("form.inloggad");
  assert.equal(new URL(page.url()).pathname, "/hjalp");
  await close(page);

  // The telephone is gone, and there is no script.
  const bare = await open(given, { javaScriptEnabled: false, viewport: { width: 320, height: 640 } });
  await firstStep(bare, given, user, password);
  await giveCode(bare, recovery[4]);
  await bare.waitForSelector("form.inloggad");
  await bare.goto(`${given.url}/mig`);
  await bare.click("details:has(#losenord-av) summary");
  await bare.fill("#losenord-av", password);
  await bare.fill("#kod-av", recovery[4]);
  await bare.click("details:has(#losenord-av) button");
  await bare.waitForSelector(".notis.problem");
  await bare.click("details:has(#losenord-av) summary");
  await bare.fill("#losenord-av", password);
  await bare.fill("#kod-av", recovery[5]);
  await bare.click("details:has(#losenord-av) button");
  await bare.waitForSelector(".notis.klart");
  assert.match(await bare.textContent("main"), /Du loggar in med bara lösenord/);
  await close(bare);

  // Everybody's, for whoever administers.
  const admin = await open(given, { bypassCSP: true });
  await logIn(admin, { ...given, user: "admin", password: given.logins.admin });
  await admin.goto(`${given.url}/anvandare`);
  await look(admin, given, "anvandare");
  await close(admin);
}

/** By the authority's own provider: a real one. */
export async function atTheProvider(given) {
  const page = await open(given);
  await page.goto(`${given.url}/hjalp`);
  assert.equal(new URL(page.url()).pathname, "/logga-in");
  await shot(page, given, "logga-in-med-konto");
  await page.click("text=Logga in med kommunens konto");
  await page.waitForSelector("input[name=login]");
  assert.notEqual(new URL(page.url()).origin, given.url);
  await page.fill("input[name=login]", "redaktor");
  await page.fill("input[name=password]", "x");
  await page.keyboard.press("Enter");
  // A client on this machine is asked for once more.
  await page.click("text=Continue");
  await page.waitForSelector("form.inloggad");
  assert.equal(page.url(), `${given.url}/hjalp`);
  assert.match(await page.textContent("form.inloggad"), /Rut Redaktör, redaktör/);
  await page.click("form.inloggad a");
  await page.waitForURL(`${given.url}/mig`);
  assert.match(await page.textContent("main"), /organisationens inloggning/);
  await close(page);
}
