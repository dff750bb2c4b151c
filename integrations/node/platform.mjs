// Makes the package of one platform's program, and gives the main package its final package.json:
//
//   node platform.mjs binary PLATFORM PROGRAM FOLDER
//   node platform.mjs main FOLDER

import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const { version, license, engines, ...main } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const platforms = {
  "darwin-arm64": {},
  "darwin-x64": {},
  "linux-arm64": { libc: ["glibc"] },
  "linux-x64": { libc: ["glibc"] },
  "win32-x64": {},
};

const [what, ...given] = process.argv.slice(2);
if (what === "binary") binary(...given);
else if (what === "main") whole(...given);
else throw new Error("binary PLATFORM PROGRAM FOLDER, or main FOLDER");

function binary(platform, program, folder) {
  if (!(platform in platforms)) throw new Error(`${platform} is none of ${Object.keys(platforms).join(", ")}`);
  const [os, cpu] = platform.split("-");
  const name = os === "win32" ? "vmfa.exe" : "vmfa";
  const description = `The program of the package vmfa, for ${platform}`;
  mkdirSync(join(folder, "bin"), { recursive: true });
  copyFileSync(program, join(folder, "bin", name));
  chmodSync(join(folder, "bin", name), 0o755);
  licences(folder);
  const about = { name: `@vmfa/${platform}`, version, description, license, os: [os], cpu: [cpu], ...platforms[platform], preferUnplugged: true };
  write(folder, { ...about, files: ["bin", "LICENSE-*"] });
  writeFileSync(join(folder, "README.md"), `${description}. Install the package vmfa, which brings it along.\n`);
}

function whole(folder) {
  const { devDependencies, scripts, ...kept } = main;
  // They aren't in the checkout's package.json: they are published with it, and `npm ci` would look for them before.
  const optionalDependencies = Object.fromEntries(Object.keys(platforms).map((platform) => [`@vmfa/${platform}`, version]));
  mkdirSync(folder, { recursive: true });
  for (const name of ["dist", "README.md"]) cpSync(new URL(name, import.meta.url), join(folder, name), { recursive: true });
  licences(folder);
  const { name, description, ...rest } = kept;
  rest.files.push("LICENSE-*");
  write(folder, { name, version, description, license, engines, ...rest, optionalDependencies });
}

function licences(folder) {
  for (const name of ["LICENSE-APACHE", "LICENSE-MIT"]) copyFileSync(new URL(`../../${name}`, import.meta.url), join(folder, name));
}

function write(folder, value) {
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(value, null, 2)}\n`);
}
