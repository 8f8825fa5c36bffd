// Another machine, as far as the network is concerned: a network namespace joined to this one by a veth pair.

import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ip = (...words) => execFileSync("ip", words, { stdio: ["ignore", "pipe", "pipe"] }).toString();

/** Why there can be no other machine here; null where there can. */
export function hindrance() {
  if (process.getuid() !== 0) return "network namespaces need root";
  try {
    ip("netns", "list");
    const probe = `symposia-probe-${process.pid}`;
    ip("netns", "add", probe);
    ip("netns", "del", probe);
    return null;
  } catch (error) {
    return `no network namespaces here: ${String(error.stderr ?? error.message).trim()}`;
  }
}

/**
 * Devices that come into a namespace from now on have no IPv6. It takes its addresses a second or two after a device
 * is up: a browser there sees that as a change of networks, and gives up what it was loading (ERR_NETWORK_CHANGED).
 */
export function withoutIPv6(space) {
  const off = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
  ip("netns", "exec", space, "sh", "-c", `[ ! -e ${off} ] || echo 1 >${off}`);
}

/**
 * Makes the other machine. `here` and `there` are the two ends' addresses; it knows no other network, so what
 * reaches it came over the pair. `run(program)` gives a program that runs there.
 */
export function otherMachine() {
  // Names of interfaces have at most 15 characters; several runs at once must not meet.
  const tag = (process.pid % 0xffff).toString(16);
  const [space, ours, theirs] = [`symposia-${tag}`, `sym${tag}a`, `sym${tag}b`];
  const subnet = `10.213.${process.pid % 250}`;
  const machine = { here: `${subnet}.1`, there: `${subnet}.2`, folder: mkdtempSync(join(tmpdir(), "symposia-netlab-")) };
  machine.stop = () => {
    for (const words of [["link", "del", ours], ["netns", "del", space]]) {
      try {
        ip(...words);
      } catch {
        // The pair goes with the namespace.
      }
    }
    rmSync(machine.folder, { recursive: true, force: true });
  };
  try {
    ip("netns", "add", space);
    withoutIPv6(space);
    ip("link", "add", ours, "type", "veth", "peer", "name", theirs);
    ip("link", "set", theirs, "netns", space);
    ip("addr", "add", `${machine.here}/24`, "dev", ours);
    ip("link", "set", ours, "up");
    ip("-n", space, "addr", "add", `${machine.there}/24`, "dev", theirs);
    ip("-n", space, "link", "set", theirs, "up");
    ip("-n", space, "link", "set", "lo", "up");
  } catch (error) {
    machine.stop();
    throw error;
  }
  machine.run = (program) => {
    const script = join(machine.folder, "run");
    writeFileSync(script, `#!/bin/sh\nexec ip netns exec ${space} ${program} "$@"\n`);
    chmodSync(script, 0o755);
    return script;
  };
  /** Bytes that have passed the pair, in both directions. */
  machine.bytes = () => {
    const [{ stats64 }] = JSON.parse(ip("-j", "-s", "link", "show", ours));
    return stats64.rx.bytes + stats64.tx.bytes;
  };
  /** Gives this machine one more address that only the other one's routes lead to, as a NAT has outside. */
  machine.outside = (address) => {
    ip("addr", "add", `${address}/32`, "dev", ours);
    ip("-n", space, "route", "add", `${address}/32`, "via", machine.here);
  };
  return machine;
}
