// acceptance: L8
// How long a comment is on its way to everybody who watches, and whether likes are counted exactly, while a thousand
// viewers write and like at once. The viewers are Bots: their own WebSocket over a plain socket, in a process of their own.
//
//   node tests/load/audience.mjs [SECONDS] [VIEWERS] [COMMENTS/S] [LIKES/S]     after `make build`
//
// Server and viewers share this machine; a busy one gives larger figures.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { loadavg } from "node:os";
import { api, startServer } from "../encoders/lib/server.mjs";

const [SECONDS = 20, VIEWERS = 1_000, COMMENTS = 200, LIKES = 5_000] = process.argv.slice(2).map(Number);
/** Likes travel together, as the page sends them. */
const TOGETHER = 5;
/** Longer delays stand in the last place. */
const LONGEST_MS = 5_000;
const BOUND_MS = 300;
const TOKEN = "a-token-of-the-api-for-load";

/** Milliseconds that a comment took to each viewer: how often each happened. */
const delays = new Uint32Array(LONGEST_MS + 1);
const counts = { got: 0, taken: 0, refused: 0, liked: 0, afresh: 0 };

/** A viewer; `hear` is given each message of the server, parsed. */
class Viewer {
  likes = 0;
  comments = 0;
  last = 0;
  #rest = Buffer.alloc(0);
  #socket;

  async join(address, path, number) {
    this.#socket = connect(Number(address.port), address.hostname);
    this.#socket.setNoDelay(true);
    const head = [
      `GET ${path} HTTP/1.1`, `Host: ${address.host}`, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`, "Sec-WebSocket-Protocol: symposia.audience.v1",
      `Cookie: symposia_browser=${number.toString(16).padStart(32, "0")}`, "", "",
    ];
    this.#socket.write(head.join("\r\n"));
    await new Promise((done, failed) => {
      this.#socket.on("error", failed);
      this.#socket.on("close", () => failed(new Error(`viewer ${number} was cut off`)));
      let answered = false;
      this.#socket.on("data", (bytes) => {
        let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
        if (!answered) {
          const end = data.indexOf("\r\n\r\n");
          if (end < 0) return void (this.#rest = data);
          const status = data.subarray(0, data.indexOf("\r\n")).toString();
          if (!status.includes(" 101 ")) return failed(new Error(status));
          answered = true;
          data = data.subarray(end + 4);
          done();
        }
        this.#rest = this.#frames(data);
      });
    });
  }

  #frames(data) {
    let at = 0;
    for (;;) {
      if (data.length - at < 2) break;
      let length = data[at + 1] & 127;
      let head = 2;
      if (length === 126) {
        if (data.length - at < 4) break;
        length = data.readUInt16BE(at + 2);
        head = 4;
      } else if (length === 127) {
        if (data.length - at < 10) break;
        length = Number(data.readBigUInt64BE(at + 2));
        head = 10;
      }
      if (data.length - at < head + length) break;
      const payload = data.subarray(at + head, at + head + length);
      const kind = data[at] & 15;
      if (kind === 1) this.#hear(JSON.parse(payload.toString()));
      else if (kind === 9) this.#write(10, payload);
      at += head + length;
    }
    return at === data.length ? Buffer.alloc(0) : Buffer.from(data.subarray(at));
  }

  #hear(message) {
    const now = performance.now();
    if (message.likes !== undefined) this.likes = message.likes;
    if (message.type === "welcome") {
      if (this.last > 0) counts.afresh += 1;
      this.last = Math.max(this.last, message.comments.at(-1)?.id ?? 0);
    }
    if (message.type === "taken") counts.taken += 1;
    if (message.type === "refused") counts.refused += 1;
    for (const { id, text } of message.type === "news" ? (message.comments ?? []) : []) {
      if (id !== this.last + 1) throw new Error(`comment ${id} came after ${this.last}`);
      this.last = id;
      this.comments += 1;
      counts.got += 1;
      delays[Math.min(LONGEST_MS, Math.max(0, Math.round(now - Number(text.split(" ")[0]))))] += 1;
    }
  }

  /** Masked, as clients must; with zeros, which changes nothing. */
  #write(kind, payload) {
    const head = payload.length < 126 ? Buffer.from([128 | kind, 128 | payload.length, 0, 0, 0, 0]) : Buffer.from([128 | kind, 128 | 126, payload.length >> 8, payload.length & 255, 0, 0, 0, 0]);
    this.#socket.write(Buffer.concat([head, payload]));
  }

  say(message) {
    this.#write(1, Buffer.from(JSON.stringify(message)));
  }

  leave() {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }
}

function percentile(part) {
  const all = delays.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  return delays.findIndex((count) => (seen += count) >= all * part);
}

/** Seconds of processor time that a process has used. */
function cpu(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /u, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Not with --dev: there everybody on this machine is a moderator, whom nothing slows down.
const server = await startServer({ dev: false, settings: `[api]\ntokens = ["${TOKEN}"]\n[limits]\ncomments_per_minute_per_address = 1000000\n` });
try {
  const { id } = await api(server, "POST", "/api/v1/broadcasts", {}, TOKEN);
  const address = new URL(server.url);
  const path = `/api/v1/broadcasts/${id}/audience`;
  const viewers = Array.from({ length: VIEWERS }, () => new Viewer());
  for (let from = 0; from < VIEWERS; from += 50) {
    await Promise.all(viewers.slice(from, from + 50).map((viewer, at) => viewer.join(address, path, from + at)));
  }
  const [used, mine] = [cpu(server.child.pid), process.cpuUsage()];
  const begun = performance.now();
  let wrote = 0;
  let liked = 0;
  while (performance.now() - begun < SECONDS * 1_000) {
    const passed = (performance.now() - begun) / 1_000;
    for (; wrote < passed * COMMENTS; wrote += 1) {
      // The name is as long as names are, and the text as comments are.
      viewers[wrote % VIEWERS].say({ type: "comment", id: wrote, name: `Viewer ${wrote % VIEWERS}`, text: `${performance.now().toFixed(3)} what a goal, did you all see that?` });
    }
    for (; liked < passed * LIKES; liked += TOGETHER) viewers[(liked / TOGETHER) % VIEWERS].say({ type: "like", count: TOGETHER });
    await pause(5);
  }
  const took = (performance.now() - begun) / 1_000;
  const [serverCore, ours] = [(cpu(server.child.pid) - used) / took, process.cpuUsage(mine)];
  const end = performance.now() + 20_000;
  const whole = () => viewers.every((viewer) => viewer.last === wrote && viewer.likes === liked);
  while (!whole() && performance.now() < end) await pause(50);
  const exact = viewers.every((viewer) => viewer.likes === liked);
  const p95 = percentile(0.95);
  console.log(`| L8, ${VIEWERS} viewers, ${COMMENTS} comments/s, ${LIKES} likes/s, ${took.toFixed(0)} s | p50 | p95 | p99 | likes sent / counted | comments sent / taken | deliveries | told afresh | server's core | load's core |`);
  console.log("|---|---|---|---|---|---|---|---|---|---|");
  console.log(
    `| bound: p95 < ${BOUND_MS} ms, counts exact | ${percentile(0.5)} ms | **${p95} ms** | ${percentile(0.99)} ms | ${liked} / ${viewers[0].likes}${exact ? "" : ", not all the same"} | ${wrote} / ${counts.taken} | ${counts.got} of ${wrote * VIEWERS} | ${counts.afresh} | ${(serverCore * 100).toFixed(0)} % | ${((ours.user + ours.system) / took / 1e4).toFixed(0)} % |`,
  );
  console.log(`\nLoad average: ${loadavg().map((load) => load.toFixed(1)).join(", ")}.`);
  for (const viewer of viewers) viewer.leave();
  if (!exact || p95 >= BOUND_MS || counts.refused > 0) process.exitCode = 1;
} finally {
  await server.stop();
}
