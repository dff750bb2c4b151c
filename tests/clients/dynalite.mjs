// dynalite with the transactions that it lacks (version 4 has no TransactWriteItems): while one is made, no other request is
// let in, and what it did is undone if one of its conditions isn't met. Ended in the middle of one, it may leave a part.
//
//   node dynalite.mjs PORT DIRECTORY
import http from "node:http";
import dynalite from "dynalite";

const [port, path] = process.argv.slice(2);
const engine = dynalite({ path, createTableMs: 0 });
await new Promise((done) => engine.listen(0, "127.0.0.1", done));
const inner = engine.address().port;
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

const pass = (headers, body) =>
  new Promise((done, failed) => {
    const options = { host: "127.0.0.1", port: inner, method: "POST", path: "/", headers, agent };
    const request = http.request(options, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => done({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) }));
    });
    request.on("error", failed);
    request.end(body);
  });

// Requests that are let in together, until one wants to be alone.
let running = 0;
let alone = Promise.resolve();
let idle = () => {};
const together = async (work) => {
  await alone;
  running += 1;
  try {
    return await work();
  } finally {
    running -= 1;
    if (running === 0) idle();
  }
};
const byItself = (work) => {
  const before = alone;
  const result = before.then(async () => {
    if (running > 0) await new Promise((done) => (idle = done));
    return work();
  });
  alone = result.catch(() => {});
  return result;
};

const made = new Set();
const transact = async (headers, { TransactItems, ClientRequestToken }) => {
  if (ClientRequestToken && made.has(ClientRequestToken)) return { status: 200, answer: {} };
  const call = async (operation, request) => {
    const body = Buffer.from(JSON.stringify(request));
    const own = { ...headers, "x-amz-target": `DynamoDB_20120810.${operation}`, "content-length": body.length };
    const { status, body: answer } = await pass(own, body);
    return { status, answer: JSON.parse(answer) };
  };
  const undo = [];
  const codes = TransactItems.map(() => "None");
  for (const [index, action] of TransactItems.entries()) {
    const [[name, request]] = Object.entries(action);
    const { status, answer } = await call(`${name}Item`, { ...request, ReturnValues: "ALL_OLD" });
    if (status === 200) {
      const { TableName, Item, Key } = request;
      const key = Key ?? { pk: Item.pk, sk: Item.sk };
      undo.push(() =>
        answer.Attributes
          ? call("PutItem", { TableName, Item: answer.Attributes })
          : call("DeleteItem", { TableName, Key: key }),
      );
    } else if (answer.__type.endsWith("ConditionalCheckFailedException")) {
      codes[index] = "ConditionalCheckFailed";
    } else {
      for (const back of undo.reverse()) await back();
      return { status, answer };
    }
  }
  if (codes.every((code) => code === "None")) {
    if (ClientRequestToken) made.add(ClientRequestToken);
    return { status: 200, answer: {} };
  }
  for (const back of undo.reverse()) await back();
  const __type = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
  const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes.join(", ")}]`;
  return { status: 400, answer: { __type, message, CancellationReasons: codes.map((Code) => ({ Code })) } };
};

http
  .createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", async () => {
      const body = Buffer.concat(parts);
      const { connection, ...headers } = request.headers;
      const isTransaction = headers["x-amz-target"]?.endsWith(".TransactWriteItems");
      try {
        const { status, answer, ...rest } = isTransaction
          ? await byItself(() => transact(headers, JSON.parse(body)))
          : await together(() => pass(headers, body));
        const text = rest.body ?? Buffer.from(JSON.stringify(answer));
        response.writeHead(status, { "content-type": "application/x-amz-json-1.0", "content-length": text.length });
        response.end(text);
      } catch (error) {
        response.writeHead(500);
        response.end(String(error));
      }
    });
  })
  .listen(Number(port), "127.0.0.1");
