/** A walk through every page and panel that there is, in any language. Knows what is on the pages, not what to look for. */
import { inside } from "./meet.js";

/** Opens every page and panel that there is, and calls `look` at each. */
export async function tour(server, ana, bo, t, look) {
  const { origin } = server;
  const meeting = await server.meeting({ title: "Tea at five" });
  const broadcast = await server.rest("POST", "/broadcasts", {});
  const shows = async (address, text) => {
    await ana.go(address);
    await ana.sees(text);
    await look(ana, address.replace(origin, ""));
  };
  await shows(`${origin}/`, t("home.start"));
  await shows(`${origin}/setup#token=none`, t("account.setupTitle"));
  await shows(`${origin}/sign-in`, t("account.signInTitle"));
  await shows(broadcast.watch_url, t("watch.waiting"));
  await shows(`${origin}/broadcasts`, t("broadcasts.off"));
  await shows(broadcast.watch_url.replace("/w/", "/studio/"), t("studio.keyTitle"));
  await shows(`${origin}/recordings`, t("recordings.none"));
  await shows(`${origin}/recordings/none`, t("replay.failed"));
  await shows(`${origin}/nowhere`, t("notFound.title"));

  const enter = async (person, address, verb) => {
    await person.go(address);
    await person.write(t("prejoin.name"), person.name);
    await look(person, `door, ${verb}`);
    await person.press(t(`prejoin.${verb}`));
  };
  await enter(ana, meeting.host_url, "startHost");
  await inside(ana);
  await enter(bo, meeting.join_url, "join");
  await bo.sees(t("waiting.title"));
  await look(bo, "waiting room");
  await look(ana, "meeting with somebody who knocks");

  const panels = [
    ["p", t("people.inMeeting")],
    ["c", t("chat.title")],
  ];
  for (const [key, text] of panels) {
    await ana.page.keyboard.press(key);
    await ana.sees(text);
    await look(ana, `panel ${key}`);
  }
  for (const [item, text] of [
    [t("meeting.invite"), t("share.number")],
    [t("policy.title"), t("policy.allowed")],
    [t("meeting.log"), t("log.title")],
    [t("meeting.settings"), t("settings.devices")],
    [t("meeting.shortcuts"), t("shortcuts.intro")],
  ]) {
    // What a wide screen has room for is not in the menu.
    if (await ana.button(item).isVisible()) await ana.press(item);
    else await ana.choose(t("meeting.more"), item);
    await ana.sees(text);
    await look(ana, item);
    await ana.page.keyboard.press("Escape");
    await ana.page.getByRole("dialog").waitFor({ state: "detached" });
  }
  await ana.press(t("people.admitName").replace("{{name}}", bo.name));
  await inside(bo);
  await look(ana, "meeting of two");
  await look(bo, "meeting of two, as a guest");
  await ana.press(t("meeting.leave"));
  await look(ana, "leave");
  await ana.press(t("leave.end"));
  await ana.sees(t("out.ended.title"));
  await look(ana, "ended");
}
