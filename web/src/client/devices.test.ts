import { describe, expect, it } from "vitest";
import { available, browserOf, causeOf, sorted } from "./devices";

const named = (name: string, message = "") => Object.assign(new Error(message), { name });

describe("a device that gives nothing", () => {
  it.each([
    ["NotAllowedError", "Permission denied", "denied"],
    ["NotAllowedError", "Permission denied by system", "blocked"],
    ["NotFoundError", "", "none"],
    ["OverconstrainedError", "", "none"],
    ["NotReadableError", "Could not start video source", "in-use"],
    ["TypeError", "", "unsupported"],
    ["OddError", "", "unknown"],
  ])("%s %s means %s", (name, message, cause) => expect(causeOf(named(name, message), true)).toBe(cause));

  it("is blocked on a page without HTTPS", () => expect(causeOf(named("TypeError"), false)).toBe("blocked"));
});

describe("the list of devices", () => {
  const device = (kind: MediaDeviceKind, deviceId: string, label = "") => ({ kind, deviceId, label }) as MediaDeviceInfo;

  it("is numbered by kind, without aliases and without those that have no name yet", () => {
    const list = sorted([
      device("audioinput", "default", "Default - Mic"), device("audioinput", "communications", "Comm - Mic"),
      device("audioinput", "a", "Mic"), device("videoinput", "", ""), device("audiooutput", "s", "Loud"),
    ]);
    expect(list.microphone.map(({ id, number }) => [id, number])).toEqual([["default", 1], ["a", 2]]);
    expect(list.camera).toEqual([]);
    expect(list.speaker.map(({ label }) => label)).toEqual(["Loud"]);
  });

  it("offers the remembered one where it is still there, else the first", () => {
    const options = [{ id: "a", label: "", number: 1 }, { id: "b", label: "", number: 2 }];
    expect(available(options, "b")).toBe("b");
    expect(available(options, "gone")).toBe("a");
    expect(available([], "gone")).toBeNull();
  });
});

describe("the browser", () => {
  it.each([
    ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36", 0, "chrome"],
    ["Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0", 0, "edge"],
    ["Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0", 0, "firefox"],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18 Safari/605.1.15", 0, "safari"],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18 Safari/605.1.15", 5, "ios"],
    ["Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/156.0 Mobile Safari/537.36", 5, "android"],
  ])("%s with %i touch points is %s", (agent, touch, browser) => expect(browserOf(agent, touch)).toBe(browser));
});
