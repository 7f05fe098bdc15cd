import { accessible, close, fitsSideways, logIn, open, shot } from "../browser.mjs";

const PLACES = { ko: "/", diarium: "/diarium", konton: "/konton", bemanning: "/konton/bemanning", konto: "/konton/facebook", arkiv: "/arkiv", krislage: "/krislage", rapport: "/rapport", uppsikt: "/uppsikt", sok: "/sok?q=skolan&konto=&fran=2020-01-01", hjalp: "/hjalp", nytt: "/nytt", uppgifter: "/uppgifter", svar: "/svar", filter: "/filter", filtrerat: "/?visa=oppna&kategori=threat&frist=dygn", omnamnanden: "/omnamnanden", statistik: "/statistik", granskning: "/granskning", publicister: "/konton/facebook/publicister", mig: "/mig", tvasteg: "/mig/tvasteg", saknas: "/finns-inte", program: "/hjalp/api", krisblad: "/krislage/blad", riktlinjer: "/riktlinjer", riktlinje: "/riktlinjer/myndigheten", riktlinjefardig: "/riktlinjer/fardig/kungalv", regler: "/regler", regel: "/regler/regel/hot.jag-skadar" };

// What administrators alone are shown, in the two combinations that differ most.
const OF_ADMINISTRATORS = { "granskning-admin": "/granskning", nycklar: "/nycklar", webbhookar: "/webbhookar", "riktlinjer-admin": "/riktlinjer", "riktlinje-andra": "/riktlinjer/myndigheten/andra", "regler-admin": "/regler", "regler-andra": "/regler/andra" };

export async function everyPageIsAccessible(given) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1440, 390]) {
      // axe is put into the page from outside, which the page's own policy would refuse.
      const page = await open(given, { colorScheme, viewport: { width, height: width > 1000 ? 900 : 844 }, bypassCSP: true });
      await page.goto(`${given.url}/logga-in`);
      await look(page, given, `logga-in-${width}-${colorScheme}`);
      await logIn(page, given);
      for (const [name, path] of Object.entries(PLACES)) {
        await page.goto(given.url + path);
        await look(page, given, `${name}-${width}-${colorScheme}`);
      }
      await page.goto(`${given.url}/`);
      const first = await page.getAttribute(".rad[data-arende]", "data-arende");
      await page.goto(`${given.url}/arende/${first}`);
      await look(page, given, `arende-${width}-${colorScheme}`);
      const evidence = await page.$("#bevis a[href^='/bevis/']");
      if (evidence) {
        await page.goto(given.url + await evidence.getAttribute("href"));
        await look(page, given, `bevis-${width}-${colorScheme}`);
      }
      await page.goto(`${given.url}/?arende=${first}`);
      await look(page, given, `ko-med-arende-${width}-${colorScheme}`);
      await close(page);
    }
  }
  for (const [colorScheme, width, height] of [["light", 1440, 900], ["dark", 390, 844]]) {
    const page = await open(given, { colorScheme, viewport: { width, height }, bypassCSP: true });
    await logIn(page, { ...given, user: "admin", password: given.logins.admin });
    for (const [name, path] of Object.entries(OF_ADMINISTRATORS)) {
      await page.goto(given.url + path);
      await look(page, given, `${name}-${width}-${colorScheme}`);
    }
    await close(page);
  }
  // What a case offers differs, and with it what stands side by side on a telephone.
  const page = await open(given, { viewport: { width: 390, height: 844 } });
  await logIn(page, given);
  for (let number = 1; number <= 20; number += 1) {
    await page.goto(`${given.url}/arende/${number}`);
    await fitsSideways(page);
  }
  await close(page);
  // 320 px is 1280 px at 400 %; 720 px is 1440 px at 200 %.
  for (const width of [320, 720]) {
    const page = await open(given, { viewport: { width, height: 640 } });
    await logIn(page, given);
    for (const path of Object.values(PLACES)) {
      await page.goto(given.url + path);
      await fitsSideways(page);
    }
    await close(page);
  }
}

async function look(page, given, name) {
  await fitsSideways(page);
  await accessible(page);
  await shot(page, given, name);
}
