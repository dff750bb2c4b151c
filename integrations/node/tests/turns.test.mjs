// Whose turn it is to move the time that workers share.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

import { place } from "./support.mjs";

const { Turns } = createRequire(import.meta.url)(place("dist/turns.js"));

/** Asks, and notes when it is granted. */
function asking(turns) {
  const said = [];
  const ask = (who, moves) => turns.ask(who, moves).then(() => said.push(`${who.name} ${moves ? "moves" : "still"}`));
  return { said, ask };
}

const settled = () => new Promise((next) => setImmediate(next));
const [a, b, c] = ["a", "b", "c"].map((name) => ({ name }));

test("nobody moves time while another has a code, and requests are served in order", async () => {
  const turns = new Turns(60_000);
  const { said, ask } = asking(turns);
  void ask(a, false);
  void ask(b, true);
  void ask(c, false);
  await settled();
  assert.deepEqual(said, ["a still"]);
  turns.keep(a);
  turns.free(a);
  await settled();
  assert.deepEqual(said, ["a still", "b moves"]);
  turns.keep(b);
  await settled();
  assert.deepEqual(said, ["a still", "b moves", "c still"]);
  for (const who of [a, b, c]) turns.free(who);
});

test("two who both have a code and want to move time don't wait for each other", async () => {
  const turns = new Turns(60_000);
  const { said, ask } = asking(turns);
  void ask(a, false);
  void ask(b, false);
  void ask(a, true);
  void ask(b, true);
  await settled();
  assert.deepEqual(said, ["a still", "b still", "a moves"]);
  turns.free(a);
  await settled();
  assert.equal(said.at(-1), "b moves");
  turns.free(b);
});

test("who takes a code and never asks again stops nobody for long, nor does one that ends while it waits", async () => {
  const turns = new Turns(10);
  const { said, ask } = asking(turns);
  void ask(a, false);
  void ask(c, true);
  turns.free(c);
  await ask(b, true);
  assert.deepEqual(said, ["a still", "b moves"]);
  turns.free(b);
});
