// Drives the editors' pages as a person would.
//
//   UPPSIKT_URL=http://127.0.0.1:8080 UPPSIKT_USER=… UPPSIKT_PASSWORD=… node run.mjs [flow…]
//
// Without names every flow runs, in the order of `flows/index.mjs`. Screenshots go to the folder
// in UPPSIKT_SHOTS, if set. Exit code 1 if any flow failed; the last line counts them.
import { lastSeen, launch } from "./browser.mjs";
import { flows } from "./flows/index.mjs";

const settings = {
  url: need("UPPSIKT_URL").replace(/\/$/, ""),
  user: need("UPPSIKT_USER"),
  password: need("UPPSIKT_PASSWORD"),
  shots: process.env.UPPSIKT_SHOTS,
  // Passwords of the other roles by name, for flows in which somebody else does something.
  logins: JSON.parse(process.env.UPPSIKT_LOGINS ?? "{}"),
};

function need(name) {
  const value = process.env[name];
  if (value) return value;
  console.error(`${name} is not set; see the head of run.mjs`);
  process.exit(2);
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !flows.some((flow) => flow.name === name));
if (unknown.length > 0) {
  console.error(`no such flow: ${unknown.join(", ")}; there are ${flows.map((flow) => flow.name).join(", ")}`);
  process.exit(2);
}

const browser = await launch();
let passed = 0;
let failed = 0;
for (const flow of flows.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const started = Date.now();
  try {
    await flow.run({ browser, ...settings });
    passed += 1;
    console.log(`ok      ${flow.name} (${Date.now() - started} ms): ${flow.proves}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${flow.name}: ${flow.proves}\n${error.stack ?? error}\n${await lastSeen(settings, flow.name)}`);
  }
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
