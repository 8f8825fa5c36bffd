// Lines over time as an SVG that reads on light and dark pages. Knows no scenario.

const WIDTH = 860;
const LEFT = 70;
const RIGHT = 20;
const BAND = 150;
const GAP = 34;
const TOP = 40;

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const round = (value) => Math.round(value * 10) / 10;

/** `bands`: `[{unit, most, lines: [{name, colour, dashed, points: [[second, value]]}]}]`, one above the other. */
export function chart({ title, seconds, bands }) {
  const height = TOP + bands.length * (BAND + GAP) + 16;
  const x = (second) => round(LEFT + (second / seconds) * (WIDTH - LEFT - RIGHT));
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12" role="img" aria-label="${escape(title)}">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${LEFT}" y="22" font-size="15" fill="#111">${escape(title)}</text>`,
  ];
  bands.forEach(({ unit, most, lines }, index) => {
    const top = TOP + index * (BAND + GAP);
    const y = (value) => round(top + BAND - (Math.min(value, most) / most) * BAND);
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      parts.push(`<path d="M${LEFT} ${y(most * share)}H${WIDTH - RIGHT}" stroke="#ddd"/>`);
      parts.push(`<text x="${LEFT - 6}" y="${y(most * share) + 4}" text-anchor="end" fill="#444">${round(most * share)}</text>`);
    }
    parts.push(`<text x="${LEFT}" y="${top - 6}" fill="#444">${escape(unit)}</text>`);
    lines.forEach(({ name, colour, dashed, points }, place) => {
      if (lines.length > 1) parts.push(`<text x="${LEFT + 90 + place * 130}" y="${top - 6}" fill="${colour}">${escape(name)}</text>`);
      const path = points.map(([second, value], at) => `${at === 0 ? "M" : "L"}${x(second)} ${y(value)}`).join("");
      if (path) parts.push(`<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.5"${dashed ? ' stroke-dasharray="5 4"' : ""}/>`);
    });
  });
  const step = seconds > 60 ? 10 : 5;
  for (let second = 0; second <= seconds; second += step) {
    parts.push(`<text x="${x(second)}" y="${height - 12}" text-anchor="middle" fill="#444">${second} s</text>`);
  }
  return `${parts.join("\n")}\n</svg>\n`;
}
