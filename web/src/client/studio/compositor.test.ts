import { expect, test } from "vitest";
import { contained, CORNERS, covering, inCorner } from "./compositor";

const FRAME = { width: 1280, height: 720 };

test("a screen of any shape is shown whole, in the middle", () => {
  expect(contained(1920, 1080, FRAME)).toEqual({ x: 0, y: 0, width: 1280, height: 720 });
  expect(contained(1024, 768, FRAME)).toEqual({ x: 160, y: 0, width: 960, height: 720 });
  expect(contained(3440, 1440, FRAME)).toEqual({ x: 0, y: 92, width: 1280, height: 536 });
});

test("a camera fills its place, cut at the longer sides", () => {
  expect(covering(640, 480, 16 / 9)).toEqual({ x: 0, y: 60, width: 640, height: 360 });
  expect(covering(720, 1280, 16 / 9)).toEqual({ x: 0, y: 437.5, width: 720, height: 405 });
});

test("a camera stays within the picture in every corner", () => {
  for (const corner of CORNERS) {
    const place = inCorner(corner, FRAME);
    expect(place.x > 0 && place.y > 0, corner).toBe(true);
    expect(place.x + place.width < FRAME.width && place.y + place.height < FRAME.height, corner).toBe(true);
    expect(place.x < FRAME.width / 2, corner).toBe(corner.endsWith("left"));
    expect(place.y < FRAME.height / 2, corner).toBe(corner.startsWith("top"));
  }
});
