/** The start page: begin a meeting, or come to one. */
import { Activity, ArrowRight, CircleUserRound, Clapperboard, History, LogOut, Radio, ShieldCheck, SlidersHorizontal, UserRound, Users, Video } from "lucide-react";
import { type FormEvent, lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Me, me, type MeetingWish, signOut } from "../client/rest";
import { Button, IconButton } from "../ui/Button";
import { TextField } from "../ui/Field";
import { Menu, MenuItem } from "../ui/Menu";
import { Page } from "../ui/Page";
import { remember, useRemembered } from "../ui/remember";
import { readTyped } from "./entry";
import { dayAndTime, meetingNumber, useTitle } from "./format";
import styles from "./Home.module.css";
import { HomeArt } from "./HomeArt";
import { parseRecent, RECENT_KEY } from "./recent";
import { useRefusalText } from "./refusals";
import { startMeeting } from "./requests";
import { follow, navigate } from "./router";

// Few look at it, and its fields are larger than the page.
const MeetingOptions = lazy(() => import("./MeetingOptions"));

export function Home({ start = startMeeting }: { start?: typeof startMeeting }) {
  const { t, i18n } = useTranslation();
  const [typed, setTyped] = useState("");
  const [error, setError] = useState<"bad" | "foreign" | null>(null);
  const [starting, setStarting] = useState(false);
  const [options, setOptions] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  const recent = parseRecent(useRemembered(RECENT_KEY));
  const refusalText = useRefusalText();
  useTitle(`${t("app.title")} · ${t("home.pageTitle")}`);

  const onStart = async (wish?: MeetingWish) => {
    setStarting(true);
    setRefused(null);
    const answer = await start(wish);
    setStarting(false);
    if (answer.ok) navigate(answer.value);
    else if (answer.code !== "sign-in-needed") setRefused(refusalText(answer));
    // Who is signed in already may take part only.
    else if ((await me().catch(() => null))?.name === undefined) navigate("/sign-in");
    else setRefused(t("accounts.mayNotStart"));
  };
  const onJoin = (event: FormEvent) => {
    event.preventDefault();
    const read = readTyped(typed, location.origin);
    if (read.kind === "go") navigate(read.address);
    else setError(read.kind);
  };

  return (
    <Page actions={<AccountAction />}>
      <div className={styles.home}>
        <div className={styles.words}>
          <h1 className={styles.headline}>{t("home.headline")}</h1>
          <p className={styles.lead}>{t("home.lead")}</p>
          <div className={styles.actions}>
            <Button
              variant="primary"
              size="l"
              icon={<Video aria-hidden="true" />}
              onPress={() => void onStart()}
              isPending={starting}
              className={styles.start}
            >
              {starting ? t("home.starting") : t("home.start")}
            </Button>
            <IconButton label={t("options.open")} icon={<SlidersHorizontal />} variant="secondary" size="l" isDisabled={starting} onPress={() => setOptions(true)} />
            <form className={styles.join} onSubmit={onJoin} aria-label={t("home.joinTitle")} noValidate>
              <TextField
                label={t("home.joinLabel")}
                labelHidden
                placeholder={t("home.joinPlaceholder")}
                value={typed}
                onChange={(text) => {
                  setTyped(text);
                  setError(null);
                }}
                error={error === "bad" ? t("home.badEntry") : error === "foreign" ? t("home.foreignLink") : undefined}
                autoComplete="off"
                size="l"
                action={
                  <Button type="submit" variant="secondary">
                    {t("home.join")}
                  </Button>
                }
              />
            </form>
          </div>
          {refused && (
            <p className={styles.refused} role="alert">
              {refused}
            </p>
          )}
          {recent.length > 0 ? (
            <section className={styles.recent}>
              <div className={styles.recentHead}>
                <h2 className={styles.recentTitle}>
                  <History aria-hidden="true" />
                  {t("home.recent")}
                </h2>
                <Button size="s" variant="quiet" onPress={() => remember(RECENT_KEY, null)}>
                  {t("home.forget")}
                </Button>
              </div>
              <ul>
                {recent.map((entry) => (
                  <li key={entry.number}>
                    <a
                      className={styles.recentLink}
                      href={entry.address}
                      onClick={(event) => {
                        event.preventDefault();
                        navigate(entry.address);
                      }}
                    >
                      <span className={styles.recentName}>{entry.title || t("home.recentNumber", { number: meetingNumber(entry.number) })}</span>
                      <time className={styles.recentTime} dateTime={new Date(entry.at).toISOString()}>
                        {dayAndTime(entry.at, i18n.language)}
                      </time>
                      <ArrowRight aria-hidden="true" />
                    </a>
                  </li>
                ))}
              </ul>
            </section>
          ) : (
            <p className={styles.privacy}>
              <ShieldCheck aria-hidden="true" />
              {t("home.privacy")}
            </p>
          )}
          <div className={styles.others}>
            <a className={styles.test} href="/broadcasts" onClick={follow}>
              <Radio aria-hidden="true" />
              {t("broadcasts.homeLink")}
            </a>
            <a className={styles.test} href="/test" onClick={follow}>
              <Activity aria-hidden="true" />
              {t("test.link")}
            </a>
          </div>
        </div>
        {options && (
          <Suspense>
            <MeetingOptions onStart={(wish) => void onStart(wish)} close={() => setOptions(false)} />
          </Suspense>
        )}
        <HomeArt className={styles.art} label={t("home.illustration")} />
      </div>
    </Page>
  );
}

/** Signing in is offered to those who need it to start a meeting, signing out to those who are signed in. */
function AccountAction() {
  const { t } = useTranslation();
  const [who, setWho] = useState<Me | null>(null);
  useEffect(() => {
    let gone = false;
    me().then(
      (found) => !gone && setWho(found),
      // Without an answer there is nothing to offer; starting a meeting will say what is wrong.
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, []);
  if (who?.name !== undefined) {
    const button = (
      <Button variant="quiet" icon={<CircleUserRound aria-hidden="true" />} className={styles.account}>
        {who.name}
      </Button>
    );
    return (
      <Menu label={who.name} trigger={button}>
        {who.may_create && (
          <MenuItem icon={<Clapperboard aria-hidden="true" />} onAction={() => navigate("/recordings")}>
            {t("recordings.link")}
          </MenuItem>
        )}
        <MenuItem icon={<UserRound aria-hidden="true" />} onAction={() => navigate("/account")}>
          {t("accounts.ownLink")}
        </MenuItem>
        {who.may_administrate && (
          <MenuItem icon={<Users aria-hidden="true" />} onAction={() => navigate("/people")}>
            {t("accounts.title")}
          </MenuItem>
        )}
        <MenuItem
          icon={<LogOut aria-hidden="true" />}
          onAction={() => {
            signOut()
              .then(() => me())
              .then(setWho, () => undefined);
          }}
        >
          {t("home.signOut")}
        </MenuItem>
      </Menu>
    );
  }
  if (!who) return null;
  const recordings = who.may_create && (
    <a className={styles.recordings} href="/recordings" onClick={follow}>
      {t("recordings.link")}
    </a>
  );
  return (
    recordings || (
      <Button variant="quiet" onPress={() => navigate("/sign-in")}>
        {t("home.signIn")}
      </Button>
    )
  );
}
