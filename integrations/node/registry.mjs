// A registry on this machine with the packages of target/npm, as they will be found once they are published:
//
//   node registry.mjs FOLDER
//
// Prints its address, and serves until stdin ends. FOLDER has the packages' files. A platform whose file isn't there is
// listed too, since npm asks for all of them and fetches the one that fits. Any other package is for npm's own registry.

import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const elsewhere = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim().replace(/\/$/, "");
const [folder] = process.argv.slice(2);
const files = new Map(readdirSync(folder).filter((name) => name.endsWith(".tgz")).map((name) => [name, readFileSync(join(folder, name))]));
const packages = new Map();

for (const [file, bytes] of files) {
  const about = JSON.parse(execFileSync("tar", ["-xzOf", join(folder, file), "package/package.json"], { encoding: "utf8" }));
  packages.set(about.name, { about, file, integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}` });
}
for (const [name, version] of Object.entries(packages.get("vmfa").about.optionalDependencies)) {
  const [os, cpu] = name.split("/")[1].split("-");
  if (!packages.has(name)) packages.set(name, { about: { name, version, os: [os], cpu: [cpu] }, file: "missing.tgz" });
}

const server = createServer((request, response) => {
  const path = decodeURIComponent(request.url);
  const one = packages.get(path.slice(1));
  if (one) {
    const { about, file, integrity } = one;
    const dist = { tarball: `${address()}/-/${file}`, integrity };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ name: about.name, "dist-tags": { latest: about.version }, versions: { [about.version]: { ...about, dist } } }));
  } else if (path.startsWith("/-/") && files.has(path.slice(3))) {
    response.setHeader("content-type", "application/octet-stream");
    response.end(files.get(path.slice(3)));
  } else {
    response.writeHead(302, { location: elsewhere + request.url }).end();
  }
});
const address = () => `http://127.0.0.1:${server.address().port}`;
server.listen(0, "127.0.0.1", () => console.log(address()));
process.stdin.on("end", () => process.exit()).resume();
