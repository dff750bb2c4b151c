// A picture of the stand-in's console where a device is registered. docs/cast/make runs it: VMFA_BIN=vmfa node console.mjs FILE

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const load = createRequire(new URL("../../tests/clients/package.json", import.meta.url));
const puppeteer = (await import(load.resolve("puppeteer-core"))).default;

const scenario = `
[[user]]
name = "mfauser"
password = "a-Stand-in-password-1"
policies = ["IAMFullAccess"]
`;
const scratch = mkdtempSync(join(tmpdir(), "vmfa-cast-"));
writeFileSync(join(scratch, "scenario.toml"), scenario);
const options = ["serve", "--json", "--time", "virtual", "--scenario", "scenario.toml"];
const server = spawn(process.env.VMFA_BIN ?? "vmfa", options, { cwd: scratch, stdio: ["ignore", "pipe", "inherit"] });
let browser;
try {
  const first = await new Promise((tell) => createInterface({ input: server.stdout }).once("line", tell));
  const { endpoint } = JSON.parse(first);
  browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--force-color-profile=srgb"],
    defaultViewport: { width: 1020, height: 700 },
  });
  const page = await browser.newPage();
  const at = (name) => page.waitForSelector(`[data-testid="${name}"]`);
  const type = async (name, text) => (await at(name)).type(text);
  const press = async (name) => Promise.all([page.waitForNavigation(), (await at(name)).click()]);
  await page.goto(`${endpoint}/console`);
  if (!page.url().includes("sign-in")) await press("sign-in-link");
  await type("username-input", "mfauser");
  await type("password-input", "a-Stand-in-password-1");
  await press("sign-in-submit");
  await press("nav-security");
  await press("assign-mfa-device");
  await type("device-name-input", "mfauser");
  await press("assign-next");
  // The QR code of vectors/, as everywhere in the documentation: the stand-in draws a new secret each time.
  const picture = readFileSync(new URL("../../vectors/qr/aws-mfauser.png", import.meta.url)).toString("base64");
  await (await at("qr-code")).evaluate(async (image, source) => {
    image.src = source;
    await image.decode();
  }, `data:image/png;base64,${picture}`);
  await page.screenshot({ path: process.argv[2], fullPage: true });
} finally {
  await browser?.close();
  server.kill();
  rmSync(scratch, { recursive: true });
}
