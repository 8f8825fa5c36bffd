/** Every part of the interface in both themes, and links to every page. Its words are names, not texts for people. */
import { Copy, Hand, MessageSquare, Mic, MicOff, MoreHorizontal, Pin, Plus, Trash2, Users } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Avatar } from "../ui/Avatar";
import { Badge, Count } from "../ui/Badge";
import { Button, IconButton, ToggleIconButton } from "../ui/Button";
import { ConfirmDialog, Dialog } from "../ui/Dialog";
import { Select, TextField } from "../ui/Field";
import { LevelMeter } from "../ui/LevelMeter";
import { Logo, Mark } from "../ui/Logo";
import { Menu, MenuChoice, MenuItem, MenuLine } from "../ui/Menu";
import { Banner, Notice } from "../ui/Notices";
import { EmptyState, SidePanel } from "../ui/Panel";
import { QrCode } from "../ui/QrCode";
import { Switch } from "../ui/Switch";
import { Control, SplitControl, Toolbar } from "../ui/Toolbar";
import { VideoTile } from "../ui/VideoTile";
import styles from "./Parts.module.css";
import { drawnStream } from "./streams";

const PAGES = [
  "page=home",
  "page=prejoin",
  "page=prejoin&by=number&passcode",
  "page=prejoin&error=denied&by=link",
  "page=prejoin&by=link&recorded",
  "page=waiting",
  "page=waiting&host=no",
  "page=meeting&people=1",
  "page=meeting&people=2",
  "page=meeting&people=6",
  "page=meeting&people=14&waiting=2&panel=people",
  "page=meeting&people=5&panel=chat",
  "page=meeting&people=5&panel=share",
  "page=meeting&people=6&panel=settings",
  "page=meeting&people=6&panel=log",
  "page=meeting&people=5&screen",
  "page=meeting&people=6&layout=speaker",
  "page=meeting&people=4&notices=knocks,ask,blocked,speaking&muted",
  "page=reconnecting&people=4",
  "page=out",
  "page=out&why=removed",
  "page=out&why=ended",
  "page=watch",
  "page=watch&phase=waiting",
  "page=meeting&people=4&recording=on&notices=consent",
  "page=meeting&people=4&recording=trouble",
  "page=waiting&recorded",
  "page=out&recorded",
  "page=recordings",
  "page=recordings&state=empty",
  "page=replay",
  "page=replay&screen",
  "page=replay&layout=speaker&paused",
  "page=replay&lacking",
  "page=replay&live",
  "page=replay&behind",
  "page=replay&failed",
  "page=setup",
  "page=sign-in",
  "page=not-found",
];
const CHOICES = [
  { id: "a", name: "MacBook Pro Microphone" },
  { id: "b", name: "USB Audio" },
];
const W = {
  title: "Gallery", pages: "Pages", light: "light", dark: "dark", primary: "Primary", secondary: "Secondary", quiet: "Quiet", danger: "Danger",
  pending: "Pending", disabled: "Disabled", large: "Large", small: "Small", buttons: "Buttons", fields: "Fields", menus: "Menus and dialogs",
  badges: "Badges, avatars, meter", notices: "Notices", tiles: "Tiles", toolbar: "Toolbar", panels: "Panels", name: "Name", hint: "A hint", error: "An error",
  open: "Open menu", dialog: "Open dialog", confirm: "Open confirmation", text: "Some text that says what this is about.", item: "Item", remove: "Remove",
  choice: "Choice", level: "Level", add: "Add", pin: "Pin", hand: "Hand", more: "More", mute: "Mute", unmute: "Unmute", people: "People", chat: "Chat",
  empty: "Nothing here yet", rule: "Waiting room", host: "Host", guest: "Guest", locked: "Locked", removed: "Removed", banner: "The connection is gone.", qr: "QR code",
};

export function Parts() {
  return (
    <main className={styles.gallery}>
      <header className={styles.head}>
        <Logo />
        <h1>{W.title}</h1>
      </header>
      <nav className={styles.pages} aria-label={W.pages}>
        {PAGES.map((page) => (
          <a key={page} href={`/gallery?${page}`}>
            {page}
          </a>
        ))}
      </nav>
      <div className={styles.themes}>
        <div data-theme="light" className={styles.theme}>
          <h2>{W.light}</h2>
          <AllParts />
        </div>
        <div data-theme="dark" className={styles.theme}>
          <h2>{W.dark}</h2>
          <AllParts />
        </div>
      </div>
    </main>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={styles.group}>
      <h3>{title}</h3>
      <div className={styles.row}>{children}</div>
    </section>
  );
}

function AllParts() {
  const [on, setOn] = useState(true);
  const [choice, setChoice] = useState<string>("a");
  const [open, setOpen] = useState<"dialog" | "confirm" | null>(null);
  const [stream] = useState(() => drawnStream(2));
  return (
    <>
      <Group title={W.buttons}>
        <Button variant="primary">{W.primary}</Button>
        <Button>{W.secondary}</Button>
        <Button variant="quiet">{W.quiet}</Button>
        <Button variant="danger">{W.danger}</Button>
        <Button variant="danger-quiet">{W.danger}</Button>
        <Button variant="primary" isPending>
          {W.pending}
        </Button>
        <Button isDisabled>{W.disabled}</Button>
        <Button variant="primary" size="l" icon={<Plus aria-hidden="true" />}>
          {W.large}
        </Button>
        <Button size="s" icon={<Copy aria-hidden="true" />}>
          {W.small}
        </Button>
        <IconButton label={W.add} icon={<Plus />} />
        <IconButton label={W.pin} icon={<Pin />} variant="secondary" />
        <ToggleIconButton label={W.hand} icon={<Hand />} tone="hand" isSelected={on} onChange={setOn} />
      </Group>
      <Group title={W.fields}>
        <TextField label={W.name} defaultValue="Ana" hint={W.hint} />
        <TextField label={W.name} defaultValue="" error={W.error} />
        <Select label={W.choice} choices={CHOICES} value={choice} onChange={setChoice} placeholder={W.choice} />
        <div className={styles.fill}>
          <Switch label={W.rule} hint={W.hint} isSelected={on} onChange={setOn} />
        </div>
      </Group>
      <Group title={W.menus}>
        <Menu label={W.open} trigger={<Button icon={<MoreHorizontal aria-hidden="true" />}>{W.open}</Button>}>
          <MenuItem icon={<Pin aria-hidden="true" />} onAction={() => setOn(!on)}>
            {W.item}
          </MenuItem>
          <MenuItem icon={<Pin aria-hidden="true" />} onAction={() => setOn(!on)} isDisabled note={W.hint}>
            {W.disabled}
          </MenuItem>
          <MenuLine />
          <MenuChoice title={W.choice} choices={CHOICES} chosen={choice} onChoose={setChoice} />
          <MenuLine />
          <MenuItem icon={<Trash2 aria-hidden="true" />} tone="danger" onAction={() => setOn(!on)}>
            {W.remove}
          </MenuItem>
        </Menu>
        <Button onPress={() => setOpen("dialog")}>{W.dialog}</Button>
        <Button onPress={() => setOpen("confirm")}>{W.confirm}</Button>
        <Dialog title={W.dialog} isOpen={open === "dialog"} onClose={() => setOpen(null)}>
          {W.text}
        </Dialog>
        <ConfirmDialog title={W.confirm} isOpen={open === "confirm"} onClose={() => setOpen(null)} onConfirm={() => setOn(!on)} action={W.remove}>
          {W.text}
        </ConfirmDialog>
      </Group>
      <Group title={W.badges}>
        <Badge>{W.guest}</Badge>
        <Badge tone="accent">{W.host}</Badge>
        <Badge tone="warn">{W.locked}</Badge>
        <Badge tone="danger">{W.removed}</Badge>
        {Array.from({ length: 12 }, (_, hue) => (
          <Avatar key={hue} initials={String.fromCharCode(65 + hue)} hue={hue} size="s" />
        ))}
        <Mark className={styles.mark} live />
        <div className={styles.fill}>
          <LevelMeter level={0.6} label={W.level} />
        </div>
      </Group>
      <Group title={W.notices}>
        <Notice icon={<Hand />} onDismiss={() => setOn(!on)}>
          {W.text}
        </Notice>
        <Notice icon={<MicOff />} tone="warn" actions={<Button size="s" variant="primary">{W.unmute}</Button>}>
          {W.text}
        </Notice>
        <div className={styles.fill}>
          <Banner tone="danger">{W.banner}</Banner>
        </div>
      </Group>
      <Group title={W.tiles}>
        <div className={styles.tile}>
          <VideoTile label="Mei, hand raised" name="Mei Tanaka" initials="MT" hue={2} stream={stream} speaking hand />
        </div>
        <div className={styles.tile}>
          <VideoTile label="Kofi, muted" name="Kofi Mensah" initials="KM" hue={5} stream={null} muted />
        </div>
        <div className={styles.tile}>
          <VideoTile label="Sam, paused" name="Sam Park" initials="SP" hue={7} stream={null} note={W.banner} />
        </div>
      </Group>
      <Group title={W.toolbar}>
        <Toolbar label={W.toolbar}>
          <SplitControl
            label={W.mute}
            icon={<Mic />}
            onPress={() => setOn(!on)}
            menuLabel={W.more}
            menu={<MenuChoice title={W.choice} choices={CHOICES} chosen={choice} onChoose={setChoice} />}
          />
          <Control label={W.unmute} icon={<MicOff />} tone="off" onPress={() => setOn(!on)} alert />
          <Control label={W.hand} icon={<Hand />} tone="hand" onPress={() => setOn(!on)} />
          <Control label={W.people} icon={<Users />} tone="active" pressed badge={<Count value={4} tone="neutral" />} onPress={() => setOn(!on)} />
          <Control label={W.chat} icon={<MessageSquare />} badge={<Count value={12} />} onPress={() => setOn(!on)} />
          <Control label={W.pin} icon={<Pin />} hindrance={W.hint} onPress={() => setOn(!on)} />
        </Toolbar>
      </Group>
      <Group title={W.panels}>
        <div className={styles.panel}>
          <SidePanel title={W.chat} onClose={() => setOn(!on)}>
            <EmptyState icon={<MessageSquare />} title={W.empty}>
              {W.text}
            </EmptyState>
          </SidePanel>
        </div>
        <QrCode text="https://example.org/m/k3v9tq2m" label={W.qr} />
      </Group>
    </>
  );
}
