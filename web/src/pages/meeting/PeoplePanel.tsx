/** Everybody: who waits, whose hand is up, who is in; and what a host may do about it. */
import {
  Check,
  DoorOpen,
  Hand,
  MicOff,
  Mic,
  MonitorUp,
  MoreHorizontal,
  Search,
  ShieldCheck,
  Star,
  UserPlus,
  VideoOff,
  Video,
  X,
} from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { PersonView, WaitingView } from "../../state/types";
import { Avatar } from "../../ui/Avatar";
import { Button, IconButton } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { TextField } from "../../ui/Field";
import { Menu } from "../../ui/Menu";
import { SidePanel } from "../../ui/Panel";
import { SignalBars } from "../../ui/SignalBars";
import { duration, useNow } from "../format";
import { useLocal, useScreen } from "./context";
import styles from "./PeoplePanel.module.css";
import { PersonItems } from "./PersonMenu";
import { useCauseWords } from "./qualityWords";
import { BARS } from "./Signal";

/** From so many people on a search is quicker than the eye. */
const SEARCH_FROM = 10;

export function PeoplePanel() {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const { openDialog } = useLocal();
  const [search, setSearch] = useState("");
  const wanted = search.trim().toLocaleLowerCase();
  const found = wanted ? view.people.filter((person) => person.name.toLocaleLowerCase().includes(wanted)) : view.people;
  const { rights } = view;
  return (
    <SidePanel
      title={t("people.title")}
      onClose={() => actions.openPanel(null)}
      actions={<IconButton label={t("people.invite")} icon={<UserPlus />} size="s" onPress={() => actions.openPanel("share")} />}
      footer={
        (rights.muteAll || rights.setPolicy) && (
          <div className={styles.footer}>
            {rights.muteAll && (
              <Button icon={<MicOff aria-hidden="true" />} onPress={() => openDialog({ kind: "mute-all" })}>
                {t("people.muteAll")}
              </Button>
            )}
            {rights.setPolicy && (
              <Button icon={<ShieldCheck aria-hidden="true" />} onPress={() => openDialog({ kind: "rules" })}>
                {t("people.rules")}
              </Button>
            )}
          </div>
        )
      }
    >
      {view.waiting.length > 0 && <Waiting people={view.waiting} />}
      {view.hands.length > 0 && (
        <section className={styles.section}>
          <h3 className={styles.heading}>
            {t("people.hands")}
            <span className={styles.count}>{view.hands.length}</span>
          </h3>
          <ol>
            {view.hands.map((person) => (
              <HandRow key={person.id} person={person} />
            ))}
          </ol>
        </section>
      )}
      <section className={styles.section}>
        <h3 className={styles.heading}>
          {t("people.inMeeting")}
          <span className={styles.count}>{view.people.length}</span>
        </h3>
        {view.people.length >= SEARCH_FROM && (
          <TextField
            className={styles.search}
            label={t("people.search")}
            labelHidden
            placeholder={t("people.search")}
            value={search}
            onChange={setSearch}
            action={<Search aria-hidden="true" className={styles.searchIcon} />}
          />
        )}
        <ul>
          {found.map((person) => (
            <PersonRow key={person.id} person={person} />
          ))}
        </ul>
        {found.length === 0 && <p className={styles.none}>{t("people.nobody")}</p>}
      </section>
    </SidePanel>
  );
}

function Waiting({ people }: { people: WaitingView[] }) {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const now = useNow();
  return (
    <section className={cx(styles.section, styles.waiting)}>
      <h3 className={styles.heading}>
        {t("people.waiting")}
        <span className={styles.count}>{people.length}</span>
        {people.length > 1 && view.rights.admit && (
          <Button size="s" variant="quiet" icon={<DoorOpen aria-hidden="true" />} onPress={() => actions.admitAll()}>
            {t("people.admitAll")}
          </Button>
        )}
      </h3>
      <ul>
        {people.map((person) => (
          <li key={person.id} className={styles.row}>
            <Avatar initials={person.initials} hue={person.hue} size="s" />
            <div className={styles.who}>
              <span className={styles.name}>{person.name}</span>
              <span className={styles.sub}>
                {person.sentBack ? t("people.sentBack") : t("people.waitsSince", { time: duration(now - person.since) })}
              </span>
            </div>
            <IconButton
              label={t("people.denyName", { name: person.name })}
              icon={<X />}
              size="s"
              variant="danger-quiet"
              onPress={() => actions.deny(person.id)}
            />
            <IconButton
              label={t("people.admitName", { name: person.name })}
              icon={<Check />}
              size="s"
              variant="primary"
              onPress={() => actions.admit(person.id)}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}

function HandRow({ person }: { person: PersonView }) {
  const { t } = useTranslation();
  const { actions } = useScreen();
  const mayLower = person.actions.includes("lower-hand") || person.you;
  return (
    <li className={styles.row}>
      <span className={styles.position} aria-hidden="true">
        {person.handPosition}
      </span>
      <div className={styles.who}>
        <span className={styles.name}>
          {person.you ? t("common.nameAndYou", { name: person.name }) : person.name}
          <span className="visually-hidden">
            {t("common.separator")}
            {t("people.handAt", { position: person.handPosition ?? 0 })}
          </span>
        </span>
      </div>
      {mayLower && (
        <IconButton
          label={t("people.lowerName", { name: person.name })}
          icon={<Hand />}
          size="s"
          onPress={() => (person.you ? actions.setHand(false) : actions.act(person.id, "lower-hand"))}
        />
      )}
    </li>
  );
}

function PersonRow({ person }: { person: PersonView }) {
  const { t } = useTranslation();
  const cause = useCauseWords();
  const roles = [
    person.role === "attendee" ? null : t(`role.${person.role}`),
    person.guest ? t("role.guest") : null,
    person.connected ? null : t("people.away"),
  ].filter((word) => word !== null);
  return (
    <li className={cx(styles.row, !person.connected && styles.awayRow)} data-speaking={person.speaking || undefined}>
      <span className={styles.avatar}>
        <Avatar initials={person.initials} hue={person.hue} size="s" />
      </span>
      <div className={styles.who}>
        <span className={styles.name}>{person.you ? t("common.nameAndYou", { name: person.name }) : person.name}</span>
        {roles.length > 0 && <span className={styles.sub}>{roles.join(" · ")}</span>}
      </div>
      <span className={styles.states}>
        {person.connection.quality !== "good" && (
          <State
            icon={<SignalBars bars={BARS[person.connection.quality]} />}
            words={cause(person.connection, person.name) ?? t(`network.sentence.${person.connection.quality}`)}
          />
        )}
        {person.spotlight && <State icon={<Star />} words={t("tile.spotlight")} />}
        {person.screen && <State icon={<MonitorUp />} words={t("people.sharing")} />}
        {person.handPosition !== null && <State icon={<Hand />} words={t("tile.handRaised")} hand />}
        <State
          icon={person.camera ? <Video /> : <VideoOff />}
          words={person.camera ? t("people.cameraOn") : t("people.cameraOff")}
          off={!person.camera}
        />
        <State
          icon={person.microphone ? <Mic /> : <MicOff />}
          words={person.microphone ? t("people.microphoneOn") : t("people.microphoneOff")}
          off={!person.microphone}
          speaking={person.speaking}
        />
      </span>
      <Menu
        label={t("people.options", { name: person.name })}
        trigger={<IconButton label={t("people.options", { name: person.name })} icon={<MoreHorizontal />} size="s" />}
      >
        <PersonItems person={person} />
      </Menu>
    </li>
  );
}

interface StateProps {
  icon: React.ReactNode;
  words: string;
  off?: boolean;
  hand?: boolean;
  speaking?: boolean;
}

function State({ icon, words, off, hand, speaking }: StateProps) {
  return (
    <span className={cx(styles.state, off && styles.stateOff, hand && styles.stateHand, speaking && styles.stateSpeaking)}>
      {icon}
      <span className="visually-hidden">{words}</span>
    </span>
  );
}
