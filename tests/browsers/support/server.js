/** Starts, kills and restarts the server under test, and talks to its REST interface. Knows no browser. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

const BINARY = process.env.SYMPOSIA;
/** A debug build on a busy machine needs a moment to open its database. */
const READY_WITHIN_MS = 20_000;

async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  listener.close();
  await once(listener, "close");
  return port;
}

export class Server {
  /** @param {{ args?: string[] }} options further arguments of `serve` */
  static async start({ args = ["--dev"] } = {}) {
    if (!BINARY) throw new Error("SYMPOSIA must name the server's binary: run scripts/test-browsers target/debug/symposia");
    const server = new Server();
    server.args = args;
    server.folder = await mkdtemp(path.join(tmpdir(), "symposia-browsers-"));
    server.port = await freePort();
    server.origin = `http://127.0.0.1:${server.port}`;
    await server.run();
    return server;
  }

  async run() {
    this.log = "";
    const data = path.join(this.folder, "data");
    this.process = spawn(BINARY, ["serve", ...this.args, "--listen", `127.0.0.1:${this.port}`, "--data", data]);
    const { process: child } = this;
    process.once("exit", () => child.kill("SIGKILL"));
    for (const output of [this.process.stdout, this.process.stderr]) output.on("data", (bytes) => (this.log += bytes));
    this.ended = once(this.process, "exit");
    const deadline = Date.now() + READY_WITHIN_MS;
    for (;;) {
      if (this.process.exitCode !== null) throw new Error(`the server ended at its start:\n${this.log}`);
      const answer = await fetch(`${this.origin}/healthz`).catch(() => null);
      if (answer?.ok) return;
      if (Date.now() > deadline) throw new Error(`the server is not ready after ${READY_WITHIN_MS} ms:\n${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** As a power cut of the process: nothing is said, nothing is saved. */
  async kill() {
    this.process.kill("SIGKILL");
    await this.ended;
  }

  async stop() {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** What it wrote that somebody should look at: a panic is a failure whatever the page shows. */
  panics() {
    return this.log.split("\n").filter((line) => line.includes("panicked at"));
  }

  async rest(method, address, body) {
    const answer = await fetch(`${this.origin}/api/v1${address}`, {
      method,
      headers: { authorization: "Bearer dev", "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const said = await answer.json().catch(() => null);
    if (!answer.ok) throw new Error(`${method} ${address}: ${answer.status} ${JSON.stringify(said)}`);
    return said;
  }

  /** `{id, number, join_url, host_url}` */
  meeting(wanted = {}) {
    return this.rest("POST", "/meetings", wanted);
  }
}
