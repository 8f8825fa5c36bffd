// A Symposia of its own for a test: started on a free port in a data folder of its own, ended with the test.
// Knows no browsers.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const ROOT = resolve(import.meta.dirname, "../../..");

/** The program to test: `SYMPOSIA`, or what `make build` made, or a debug build. */
export function program() {
  const made = ["target/release/symposia", "target/debug/symposia"].map((path) => join(ROOT, path));
  const found = process.env.SYMPOSIA ?? made.find(existsSync);
  if (!found) throw new Error("no server to test: run `make build`, or set SYMPOSIA to its path");
  return found;
}

/**
 * Starts a server. `settings`: text of a settings file; `dev`: with `--dev`; `env`: more environment.
 * The returned `stdout` holds what it has printed; `ended` resolves with its exit status.
 */
export async function startServer({ dev = true, listen = "127.0.0.1:0", settings = "", env = {} } = {}) {
  const data = mkdtempSync(join(tmpdir(), "symposia-test-"));
  const file = join(data, "test.toml");
  writeFileSync(file, settings);
  const flags = ["serve", "--listen", listen, "--data", join(data, "data"), "--config", file, ...(dev ? ["--dev"] : [])];
  const child = spawn(program(), flags, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  const server = { child, data, stdout: [], log: [], url: "", ended: null };
  server.ended = new Promise((done) => child.on("exit", (code, signal) => done({ code, signal })));
  createInterface({ input: child.stderr }).on("line", (line) => server.log.push(line));
  const ready = new Promise((done, failed) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      server.stdout.push(line);
      const url = line.match(/^Symposia is ready: (\S+)/)?.[1];
      if (url) done(url);
    });
    void server.ended.then(() => failed(new Error(`the server ended at once:\n${server.log.join("\n")}`)));
  });
  server.url = await ready;
  server.stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGINT");
    const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
    const status = await server.ended;
    clearTimeout(late);
    rmSync(data, { recursive: true, force: true });
    return status;
  };
  return server;
}

/** One HTTP request with every header under our control; certificates are not judged. */
export function call(url, { method = "GET", headers = {}, body = undefined, agent = undefined } = {}) {
  const to = new URL(url);
  const send = to.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((done, failed) => {
    const request = send(to, { method, headers, agent, rejectUnauthorized: false }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", failed);
      response.on("end", () => {
        const text = Buffer.concat(parts).toString();
        const json = () => JSON.parse(text);
        done({ status: response.statusCode, headers: response.headers, text, json });
      });
    });
    request.on("error", failed);
    request.end(body);
  });
}

/** A REST call with the token of `--dev`; the answer's JSON, or an error that shows it. */
export async function api(server, method, path, body = undefined, token = "dev") {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const text = body === undefined ? undefined : JSON.stringify(body);
  const answer = await call(server.url + path, { method, headers, body: text });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.text ? answer.json() : null;
}

/** Asks until `probe` gives something truthy; says what was there last when it never comes. */
export async function eventually(what, probe, within = 15_000) {
  const end = Date.now() + within;
  let last;
  for (;;) {
    last = await probe();
    if (last) return last;
    if (Date.now() > end) throw new Error(`not within ${within} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}
