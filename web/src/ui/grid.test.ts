import { describe, expect, test } from "vitest";
import { bestGrid } from "./grid";

describe("the grid", () => {
  test("puts four tiles two by two on a wide screen", () => {
    expect(bestGrid(1200, 700, 4, 10).columns).toBe(2);
  });
  test("stacks two tiles on a phone held upright and lays them side by side in landscape", () => {
    expect(bestGrid(380, 640, 2, 8).columns).toBe(1);
    expect(bestGrid(760, 320, 2, 8).columns).toBe(2);
  });
  test("puts four tiles two by two on a phone held upright", () => {
    expect(bestGrid(374, 660, 4, 10).columns).toBe(2);
  });
  test("never overflows its box and keeps faces in proportion", () => {
    for (let count = 1; count <= 9; count += 1) {
      for (const [width, height] of [[1280, 640], [390, 700], [320, 480], [844, 300]] as const) {
        const grid = bestGrid(width, height, count, 8);
        const rows = Math.ceil(count / grid.columns);
        expect(grid.width * grid.columns + 8 * (grid.columns - 1)).toBeLessThanOrEqual(width);
        expect(grid.height * rows + 8 * (rows - 1)).toBeLessThanOrEqual(height);
        expect(grid.width / grid.height).toBeLessThan(1.8);
        expect(grid.width / grid.height).toBeGreaterThan(0.75);
      }
    }
  });
  test("of no room is nothing", () => {
    expect(bestGrid(0, 0, 3, 8)).toEqual({ columns: 1, width: 0, height: 0 });
  });
});
