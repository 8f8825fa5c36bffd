// A machine behind a bad link: a network namespace that knows one TUN device, the emulator, and another TUN device
// here. Takes everything away again, also what an earlier run that was killed has left. Knows no browser.

import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { withoutIPv6 } from "../../encoders/lib/netlab.mjs";

const ROOT = resolve(import.meta.dirname, "../../..");
const PREFIX = "netlab-";

const ip = (...words) => execFileSync("ip", words, { stdio: ["ignore", "pipe", "pipe"] }).toString();
const quietly = (...words) => {
  try {
    ip(...words);
  } catch {
    // It was gone already.
  }
};

/** The emulator: `NETLAB_EMULATOR`, or what `make` built. */
function emulator() {
  const made = ["target/release/netlab-emulator", "target/debug/netlab-emulator"].map((path) => join(ROOT, path));
  return process.env.NETLAB_EMULATOR ?? made.find(existsSync);
}

/** Why there can be no such machine here; null where there can. */
export function hindrance() {
  if (process.getuid() !== 0) return "namespaces and TUN devices need root";
  if (!existsSync("/dev/net/tun")) return "there is no /dev/net/tun";
  if (!emulator()) return "the emulator is not built: cargo build --release -p netlab-emulator";
  try {
    const probe = `${PREFIX}probe-${process.pid}`;
    ip("netns", "add", probe);
    ip("netns", "del", probe);
  } catch (error) {
    return `no network namespaces here: ${said(error)}`;
  }
  try {
    // The file may be there and its use forbidden all the same.
    const probe = `nlp${(process.pid % 0xffff).toString(16)}`;
    ip("tuntap", "add", "dev", probe, "mode", "tun");
    ip("tuntap", "del", "dev", probe, "mode", "tun");
  } catch (error) {
    return `no TUN devices here: ${said(error)}`;
  }
  return null;
}

const said = (error) => String(error.stderr ?? error.message).trim();

/** Namespaces whose maker is no more. Their devices went with the emulator. */
function clean() {
  for (const line of ip("netns", "list").split("\n")) {
    const maker = line.match(new RegExp(`^${PREFIX}(\\d+)\\b`))?.[1];
    if (maker && !existsSync(`/proc/${maker}`)) quietly("netns", "del", `${PREFIX}${maker}`);
  }
}

/** Both directions alike. */
export const both = (settings) => ({ down: settings, up: settings });

export class Lab {
  /** `seed`: of all that is left to chance. */
  static async start({ seed = 1 } = {}) {
    clean();
    const lab = new Lab();
    const tag = (process.pid % 0xffff).toString(16);
    lab.space = `${PREFIX}${process.pid}`;
    lab.folder = mkdtempSync(join(tmpdir(), "symposia-netlab-"));
    const [ours, theirs] = [`nl${tag}a`, `nl${tag}b`];
    const subnet = `10.215.${process.pid % 250}`;
    Object.assign(lab, { ours, theirs, subnet, here: `${subnet}.1`, there: `${subnet}.2`, samples: [], errors: [], relays: [] });
    // Whatever ends this process: the emulator reads the end of its input then, and its devices go with it.
    lab.onExit = () => quietly("netns", "del", lab.space);
    process.once("exit", lab.onExit);
    try {
      // It keeps the time of packets: on a machine full of browsers it must not wait for its turn.
      lab.child = spawn("nice", ["-n", "-15", emulator(), ours, theirs, String(seed)], { stdio: ["pipe", "pipe", "pipe"] });
      let said = "";
      lab.child.stderr.on("data", (bytes) => (said += bytes));
      lab.ended = new Promise((done) => lab.child.once("exit", done));
      await new Promise((done, failed) => {
        createInterface({ input: lab.child.stdout }).on("line", (line) => lab.hear(JSON.parse(line), done));
        void lab.ended.then(() => failed(new Error(`the emulator ended: ${said}`)));
      });
      ip("netns", "add", lab.space);
      withoutIPv6(lab.space);
      ip("link", "set", theirs, "netns", lab.space);
      ip("addr", "add", `${lab.here}/24`, "dev", ours);
      ip("link", "set", ours, "up");
      ip("-n", lab.space, "link", "set", "lo", "up");
      ip("-n", lab.space, "link", "set", theirs, "up");
      lab.address(lab.there);
    } catch (error) {
      await lab.stop();
      throw error;
    }
    return lab;
  }

  /** The other machine has this address now, and no other. */
  address(address) {
    if (this.has) quietly("-n", this.space, "addr", "del", `${this.has}/24`, "dev", this.theirs);
    ip("-n", this.space, "addr", "add", `${address}/24`, "dev", this.theirs);
    ip("-n", this.space, "route", "replace", "default", "via", this.here, "dev", this.theirs);
    this.has = address;
  }

  hear(told, ready) {
    if (told.ready) ready();
    else if (told.error) this.errors.push(told.error);
    else this.samples.push({ ...told, time: Date.now() });
  }

  /** A control line: `{down, up, rules, rebind, udp}`. See the emulator's settings. */
  set(control) {
    this.child.stdin.write(`${JSON.stringify(control)}\n`);
  }

  /** Counters and queues now. */
  get now() {
    return this.samples.at(-1);
  }

  /** A program that runs there as `program` does here. */
  run(program) {
    const script = join(this.folder, `run-${program.replaceAll(/\W/g, "-")}`);
    writeFileSync(script, `#!/bin/sh\nexec ip netns exec ${this.space} ${program} "$@"\n`);
    chmodSync(script, 0o755);
    return script;
  }

  /**
   * What listens there on this port of its loopback is reached here on the same port, past the bad link: by a socket
   * in the file system, which namespaces of networks share.
   */
  async reach(port) {
    const path = join(this.folder, `port-${port}`);
    const relay = `const net = require("node:net");
      const join = (from, to) => { from.pipe(to).pipe(from); for (const one of [from, to]) one.on("error", () => (from.destroy(), to.destroy())); };
      net.createServer((from) => join(from, net.connect(...to))).listen(...at);`;
    const start = (program, words, to, at) => {
      const script = `const [to, at] = ${JSON.stringify([to, at])}; ${relay}`;
      const child = spawn(program, [...words, "-e", script], { stdio: ["ignore", "ignore", "inherit"] });
      this.relays.push(child);
      process.once("exit", () => child.kill());
    };
    start("ip", ["netns", "exec", this.space, process.execPath], [port, "127.0.0.1"], [path]);
    start(process.execPath, [], [path], [port, "127.0.0.1"]);
    while (!existsSync(path)) await new Promise((done) => setTimeout(done, 20));
  }

  async stop() {
    for (const relay of this.relays) relay.kill();
    this.child?.stdin.end();
    const late = setTimeout(() => this.child?.kill("SIGKILL"), 3_000);
    await this.ended;
    clearTimeout(late);
    quietly("netns", "del", this.space);
    rmSync(this.folder, { recursive: true, force: true });
    process.off("exit", this.onExit);
    if (this.errors.length > 0) throw new Error(`the emulator did not understand: ${this.errors.join("; ")}`);
  }
}
