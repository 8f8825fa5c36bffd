//! Where on the picture how many tiles stand. Knows no people.

use super::Canvas;

/// Between tiles, and around them.
const MARGIN: u32 = 8;

/// A place on the picture, in pixels; all even, since colours have half the resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    /// From the left.
    pub x: u32,
    /// From above.
    pub y: u32,
    /// How wide.
    pub width: u32,
    /// How high.
    pub height: u32,
}

impl Rect {
    const fn even(x: u32, y: u32, width: u32, height: u32) -> Self {
        Self { x: x & !1, y: y & !1, width: width & !1, height: height & !1 }
    }

    /// The largest place within it that has this shape, in its middle.
    #[must_use]
    pub fn fit(&self, width: u32, height: u32) -> Self {
        let (width, height) = (u64::from(width.max(1)), u64::from(height.max(1)));
        let (own_width, own_height) = (u64::from(self.width), u64::from(self.height));
        let (w, h) = if own_width * height <= own_height * width {
            (own_width, own_width * height / width)
        } else {
            (own_height * width / height, own_height)
        };
        let even = |length: u64, own: u32| (u32::try_from(length).unwrap_or(own) & !1).clamp(2, own.max(2));
        let (w, h) = (even(w, self.width), even(h, self.height));
        Self::even(self.x + (self.width - w) / 2, self.y + (self.height - h) / 2, w, h)
    }
}

/// Places of 16:9 for so many tiles, all alike.
pub(super) fn grid(canvas: &Canvas, count: usize) -> Vec<Rect> {
    let count = u32::try_from(count.max(1)).unwrap_or(u32::MAX);
    let columns = (1..).find(|columns| columns * columns >= count).unwrap_or(1);
    let rows = count.div_ceil(columns);
    let cell_width = (canvas.width - MARGIN * (columns + 1)) / columns;
    let cell_height = (canvas.height - MARGIN * (rows + 1)) / rows;
    let cell = Rect { x: 0, y: 0, width: cell_width, height: cell_height }.fit(16, 9);
    let place = |i: u32| {
        let (row, column) = (i / columns, i % columns);
        // The last row may be shorter: it stands in the middle.
        let in_row = if row + 1 == rows { count - row * columns } else { columns };
        let left = (canvas.width - in_row * (cell.width + MARGIN) + MARGIN) / 2;
        let top = (canvas.height - rows * (cell.height + MARGIN) + MARGIN) / 2;
        Rect::even(left + column * (cell.width + MARGIN), top + row * (cell.height + MARGIN), cell.width, cell.height)
    };
    (0..count).map(place).collect()
}

/// How many tiles stand beside a large one at most.
pub(super) const BESIDE: usize = 5;

/// A large place, then so many small ones in a column beside it, [`BESIDE`] at most.
pub(super) fn large(canvas: &Canvas, beside: usize) -> Vec<Rect> {
    if beside == 0 {
        return vec![Rect::even(0, 0, canvas.width, canvas.height)];
    }
    let beside = beside.min(BESIDE) as u32;
    let height = (canvas.height - MARGIN * (BESIDE as u32 + 1)) / BESIDE as u32;
    let small = Rect::even(0, 0, height * 16 / 9, height);
    let x = canvas.width - MARGIN - small.width;
    let mut places = vec![Rect::even(MARGIN, MARGIN, x - 2 * MARGIN, canvas.height - 2 * MARGIN)];
    let top = (canvas.height - beside * (small.height + MARGIN) + MARGIN) / 2;
    places.extend((0..beside).map(|i| Rect::even(x, top + i * (small.height + MARGIN), small.width, small.height)));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(a: &Rect, b: &Rect) -> bool {
        a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y
    }

    #[test]
    fn tiles_stand_on_the_picture_apart_and_even() {
        for (width, height) in [(1280, 720), (1920, 1080), (640, 360), (720, 1280)] {
            let canvas = Canvas { width, height, ..Canvas::default() };
            let grids = (1..=25).map(|count| (count, grid(&canvas, count)));
            for (count, places) in grids.chain((0..=BESIDE).map(|beside| (beside + 1, large(&canvas, beside)))) {
                assert_eq!(places.len(), count);
                for (i, a) in places.iter().enumerate() {
                    assert!(a.width >= 40 && a.height >= 20, "{a:?}");
                    assert!(a.x + a.width <= width && a.y + a.height <= height, "{a:?}");
                    assert!([a.x, a.y, a.width, a.height].iter().all(|length| length % 2 == 0), "{a:?}");
                    assert!(places[i + 1..].iter().all(|b| apart(a, b)), "{places:?}");
                }
            }
        }
    }

    #[test]
    fn pictures_keep_their_shape() {
        let place = Rect { x: 10, y: 20, width: 320, height: 180 };
        assert_eq!(place.fit(1280, 720), place);
        assert_eq!(place.fit(720, 1280), Rect { x: 120, y: 20, width: 100, height: 180 });
        assert_eq!(place.fit(1000, 10), Rect { x: 10, y: 108, width: 320, height: 2 });
    }
}
