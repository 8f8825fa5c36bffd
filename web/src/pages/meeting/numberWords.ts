/** The figures of a tile as rows of words. What the browser does not tell has no row. */
import type { TFunction } from "i18next";
import type { LayerNumbers, TileNumbers, TrackNumbers } from "../../state/types";
import { countWords, millisecondWords, rateWords, secondWords, shareWords } from "../figures";

/** As people know them; RED carries Opus with repetitions. */
const CODECS: Record<string, string> = { opus: "Opus", red: "Opus + RED" };

export interface Section {
  title: string;
  rows: [name: string, value: string][];
}

export function sections(numbers: TileNumbers, screen: boolean, t: TFunction, language: string): Section[] {
  const row = (name: string, value: number | string | null, words: (value: number) => string): [string, string][] =>
    value === null ? [] : [[name, typeof value === "string" ? value : words(value)]];
  const ms = (value: number) => millisecondWords(value, language);
  const rate = (value: number) => rateWords(value, t, language);
  const share = (value: number) => shareWords(value, language);
  const count = (value: number) => countWords(value, language);

  const track = (of: TrackNumbers): Section["rows"] => [
    ...row(t("network.figure.rate"), of.kbps, rate),
    ...row(t("network.figure.size"), sizeWords(of, t, language), String),
    ...row(t("network.figure.codec"), of.codec && (CODECS[of.codec.toLowerCase()] ?? of.codec), String),
    ...row(t("network.figure.loss"), of.lost, share),
    ...row(t("network.figure.jitter"), of.jitterMs, ms),
    ...row(t("network.figure.concealed"), of.concealed, share),
    ...row(t("network.figure.repaired"), of.repaired, count),
    ...row(t("network.figure.requests"), requests(of, count), String),
    ...row(t("network.figure.frozen"), of.frozenS, (value) => secondWords(value, language)),
    ...row(t("network.figure.limit"), of.limit && t(`network.limit.${of.limit}`), String),
  ];
  const { video, audio, path, layers, downlinkKbps } = numbers;
  const all: Section[] = [];
  if (video) {
    const sent: Section["rows"] = layers.length > 0 ? [[t("network.figure.layers"), layers.map((layer) => layerWords(layer, t, language)).join("\n")]] : [];
    all.push({ title: t(screen ? "network.section.screen" : "network.section.picture"), rows: [...track(video), ...sent] });
  }
  if (audio) all.push({ title: t("network.section.sound"), rows: track(audio) });
  all.push({
    title: t("network.section.path"),
    rows: [
      ...row(t("network.figure.transport"), path.transport && path.transport.toUpperCase(), String),
      ...row(t("network.figure.rtt"), path.rttMs, ms),
      ...row(t("network.figure.downlink"), downlinkKbps, rate),
      ...row(t("network.figure.uplink"), path.uplinkKbps, rate),
    ],
  });
  return all;
}

function sizeWords({ width, height, fps }: Pick<TrackNumbers, "width" | "height" | "fps">, t: TFunction, language: string): string | null {
  if (!width || !height) return null;
  return fps === null ? t("network.sizeOnly", { width, height }) : t("network.sizeValue", { width, height, fps: countWords(fps, language) });
}

function layerWords(layer: LayerNumbers, t: TFunction, language: string): string {
  const size = layer.width && layer.height ? t("network.sizeOnly", { width: layer.width, height: layer.height }) : layer.name;
  const rate = !layer.active ? t("network.layerOff") : layer.kbps === null ? t("network.unknown") : rateWords(layer.kbps, t, language);
  return `${size} ${rate}`;
}

function requests(of: TrackNumbers, count: (value: number) => string): string | null {
  const both = [of.repeatRequests, of.pictureRequests].flatMap((value) => (value === null ? [] : [count(value)]));
  return both.length > 0 ? both.join(" / ") : null;
}
