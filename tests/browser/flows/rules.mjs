import assert from "node:assert/strict";
import { accessible, close, fitsSideways, logIn, open, shot } from "../browser.mjs";

const TEXT = "Vilken kålrotsskalle du är";
const OWN = `[[words]]
id = "egen.kalrot"
category = "insult"
legal = "Husregler"
severity = "medium"
why = "Texten innehåller ett eget ord."
lexemes = ["kålrotsskalle n2"]
examples = ["En kålrotsskalle", "Din kålrotsskalle", "Kålrotsskallar"]
counterexamples = ["En kålrot", "En skalle", "Kål och rot"]
`;

/** Rules tried and changed, by keyboard alone. */
export async function rulesByKeyboard(given) {
  const page = await open(given, { bypassCSP: true });
  // All examples are tried in a process of its own.
  page.setDefaultTimeout(90_000);
  await logIn(page, { ...given, user: "admin", password: given.logins.admin });
  await page.goto(`${given.url}/regler`);
  await page.focus("#prov-text");
  await page.keyboard.type(TEXT);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#utfall");
  assert.doesNotMatch(await page.textContent("#utfall"), /egen\.kalrot/);
  await page.focus("main a[href='/regler/andra']");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#regler-text");
  // A fault is told with its line, and nothing is lost.
  await page.focus("#regler-text");
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText(OWN.replace("insult", "insolt"));
  await page.focus("button[value=granska]");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#fel-lista");
  assert.match(await page.textContent("#fel-lista"), /Rad 3: okänd kategori `insolt`/);
  assert.equal(await page.getAttribute("#regler-text", "aria-invalid"), "true");
  assert.match(await page.inputValue("#regler-text"), /kålrotsskalle/);
  await accessible(page);
  await shot(page, given, "regler-fel");
  await page.fill("#regler-text", OWN);
  await page.focus("button[value=granska]");
  await page.keyboard.press("Enter");
  await page.waitForSelector("button[value=publicera]");
  const told = await page.textContent("#foljder ~ ul, section[aria-labelledby=foljder]");
  assert.match(told, /exempel och motexempel är provade, och alla stämmer/);
  assert.match(told, /lagrade? text/);
  await accessible(page);
  await shot(page, given, "regler-granskade");
  // Without a reason nothing is published.
  await page.focus("button[value=publicera]");
  await page.keyboard.press("Enter");
  await page.waitForSelector("main > .notis.problem");
  await page.focus("#regler-varfor");
  await page.keyboard.type("KS 2026/12, ett prov");
  await page.focus("button[value=publicera]");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#egna");
  assert.match(await page.textContent("section[aria-labelledby=egna]"), /Version \d+ gäller, ovanpå de inbyggda reglerna/);
  // The running program reads by them.
  await page.fill("#prov-text", TEXT);
  await page.focus("#prova ~ form button");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#utfall");
  assert.match(await page.textContent("#utfall"), /egen\.kalrot/);
  await accessible(page);
  await shot(page, given, "regler-provad");
  await close(page);
  for (const colorScheme of ["light", "dark"]) {
    const narrow = await open(given, { colorScheme, viewport: { width: 390, height: 844 }, bypassCSP: true });
    await logIn(narrow, { ...given, user: "admin", password: given.logins.admin });
    for (const [name, path] of Object.entries({ regler: "/regler", regel: "/regler/regel/egen.kalrot", andra: "/regler/andra" })) {
      await narrow.goto(given.url + path);
      await fitsSideways(narrow);
      await accessible(narrow);
      await shot(narrow, given, `${name}-390-${colorScheme}`);
    }
    await close(narrow);
  }
}

/** The same page without JavaScript: seen by an editor, and put back by an administrator. */
export async function rulesWithoutScript(given) {
  const page = await open(given, { javaScriptEnabled: false });
  await logIn(page, given);
  await page.goto(`${given.url}/regler`);
  assert.equal(await page.locator("a[href='/regler/andra']").count(), 0);
  await page.fill("#prov-text", "Jag ska döda dig");
  await page.click("#prova ~ form button");
  assert.match(await page.textContent("#utfall"), /hot\./);
  await page.goto(`${given.url}/regler/andra`);
  assert.match(await page.textContent("main"), /Din roll får inte ändra regler/);
  // What a rule found is called wrong in the case, and taken back.
  await page.goto(`${given.url}/`);
  await page.locator(".rad[data-arende] .rad-text a").last().click();
  const wrong = page.locator(".varfor form button").first();
  await wrong.click();
  assert.match(await page.textContent(".varfor"), /Avfärdad som fel träff/);
  await page.locator(".varfor form button", { hasText: "Ta tillbaka" }).first().click();
  assert.doesNotMatch(await page.textContent(".varfor"), /Avfärdad som fel träff/);
  await close(page);
  const admin = await open(given, { javaScriptEnabled: false });
  admin.setDefaultTimeout(90_000);
  await logIn(admin, { ...given, user: "admin", password: given.logins.admin });
  await admin.goto(`${given.url}/regler/andra`);
  await admin.fill("#regler-text", "");
  await admin.fill("#regler-varfor", "Tillbaka till de inbyggda");
  await admin.click("button[value=granska]");
  if (await admin.locator("button[value=publicera]").count() > 0) await admin.click("button[value=publicera]");
  await admin.goto(`${given.url}/regler`);
  await admin.fill("#prov-text", TEXT);
  await admin.click("#prova ~ form button");
  assert.doesNotMatch(await admin.textContent("#utfall"), /egen\.kalrot/);
  await close(admin);
}
