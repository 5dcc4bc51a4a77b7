//! What a mask holds in squares, so that filters skip what lies off it.

use crate::plane::{Grid, Mask};
use std::ops::Range;

/// How much of a rectangle a mask covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cover {
    /// Nothing.
    #[default]
    None,
    /// A part.
    Part,
    /// Every pixel.
    All,
}

/// The cover of the cells of a mask.
#[derive(Debug, Clone)]
pub struct Coverage {
    width: usize,
    cells: Grid<Cover>,
}

/// Side of a cell, px.
const CELL_PX: usize = 16;

impl Coverage {
    /// Of a mask. Cost: one pass over it.
    pub fn of(mask: &Mask) -> Coverage {
        let (w, h) = (mask.width(), mask.height());
        let cells = Grid::from_fn(w.div_ceil(CELL_PX), h.div_ceil(CELL_PX), |i, j| {
            let columns = i * CELL_PX..((i + 1) * CELL_PX).min(w);
            let rows = j * CELL_PX..((j + 1) * CELL_PX).min(h);
            let all = columns.len() * rows.len();
            let row = |y: usize| mask.row(y)[columns.clone()].iter().map(|m| *m as u8).sum::<u8>();
            match rows.map(|y| usize::from(row(y))).sum::<usize>() {
                0 => Cover::None,
                n if n == all => Cover::All,
                _ => Cover::Part,
            }
        });
        Coverage { width: w, cells }
    }

    /// The stretches of columns, in order, that have a `wanted` cover: that of all pixels within `rows` and within `reach`
    /// px to the side, by whole cells.
    pub fn stretches(
        &self,
        rows: Range<usize>,
        reach: usize,
        wanted: impl Fn(Cover) -> bool,
    ) -> Vec<Range<usize>> {
        let rows = rows.start / CELL_PX..rows.end.div_ceil(CELL_PX);
        let reach = reach.div_ceil(CELL_PX);
        let n = self.cells.width();
        let columns: Vec<Cover> =
            (0..n).map(|i| joined(rows.clone().map(|j| self.cells.at(i, j)))).collect();
        let mut stretches: Vec<Range<usize>> = Vec::new();
        for i in 0..n {
            let near = i.saturating_sub(reach)..(i + reach + 1).min(n);
            if !wanted(joined(columns[near].iter().copied())) {
                continue;
            }
            let pixels = i * CELL_PX..((i + 1) * CELL_PX).min(self.width);
            match stretches.last_mut() {
                Some(last) if last.end == pixels.start => last.end = pixels.end,
                _ => stretches.push(pixels),
            }
        }
        stretches
    }
}

/// The cover of several rectangles together.
fn joined(covers: impl Iterator<Item = Cover>) -> Cover {
    covers.reduce(|a, b| if a == b { a } else { Cover::Part }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_hold_what_is_near_the_mask() {
        let mask = Mask::from_fn(200, 100, |x, _| (70..180).contains(&x));
        let coverage = Coverage::of(&mask);
        let with = |cover, rows, reach| coverage.stretches(rows, reach, |found| found == cover);
        assert_eq!(with(Cover::Part, 0..100, 0), [64..80, 176..192]);
        assert_eq!(with(Cover::All, 0..100, 0), [80..176]);
        // A cell more to each side.
        assert_eq!(with(Cover::Part, 10..40, 5), [48..96, 160..200]);
        assert_eq!(with(Cover::All, 10..40, 5), [96..160]);
        let any =
            |mask: &Mask| Coverage::of(mask).stretches(0..50, 9, |found| found != Cover::None);
        assert_eq!(any(&mask), [48..200]);
        assert_eq!(any(&Mask::filled(50, 50, false)), []);
        assert_eq!(any(&Mask::filled(50, 50, true)), [0..50]);
    }
}
