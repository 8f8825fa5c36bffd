/** Somebody without a page: speaks the meeting's protocol over a WebSocket, and asks for what no page offers. */
import WebSocket from "ws";
import { eventually } from "./people.js";

export class Client {
  /** Says hello. `join` and `name` as in signaling/README.md; `headers` may bring a cookie. */
  static async join(origin, join, name, headers = {}) {
    const client = new Client();
    client.events = [];
    client.media = [];
    client.refused = null;
    client.answers = new Map();
    client.closed = false;
    client.next = 1;
    client.socket = new WebSocket(`${origin.replace("http", "ws")}/api/v1/socket`, "symposia.v1", { headers: { origin, ...headers } });
    client.socket.on("message", (text) => client.take(JSON.parse(text)));
    client.socket.on("close", () => (client.closed = true));
    client.socket.on("error", () => (client.closed = true));
    await new Promise((resolve) => client.socket.once("open", resolve));
    client.say({ type: "hello", version: 1, join, name });
    await eventually(() => {
      if (client.events.length === 0 && !client.refused) throw new Error(`no answer to the hello of ${name}`);
    });
    return client;
  }

  /** By the link to share. */
  static byLink(meeting, name) {
    const { origin, pathname, hash } = new URL(meeting.join_url);
    return Client.join(origin, { by: "link", meeting: pathname.split("/")[2], token: hash.replace("#t=", "") }, name);
  }

  say(message) {
    this.socket.send(JSON.stringify(message));
  }

  take(message) {
    if (message.type === "event") this.events.push(message.event);
    else if (message.type === "media") this.media.push(message.media);
    else if (message.type === "refused" && message.id === 0) this.refused = message.code;
    else if (message.type === "refused" || message.type === "reply") this.answers.set(message.id, message);
  }

  /** The reply, or the refusal with its code. */
  async command(command) {
    const id = this.next++;
    this.say({ type: "command", id, command });
    return eventually(() => {
      const answer = this.answers.get(id);
      if (!answer) throw new Error(`no answer to ${JSON.stringify(command)}`);
      return answer;
    });
  }

  /** The newest event of a kind; waits for it. */
  event(kind) {
    return eventually(() => {
      const found = this.events.findLast((event) => event.kind === kind);
      if (!found) throw new Error(`no event ${kind} among ${this.events.map((event) => event.kind)}`);
      return found;
    });
  }

  close() {
    this.socket.terminate();
  }
}
