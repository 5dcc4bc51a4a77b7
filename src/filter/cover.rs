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

    /// The stretches of columns, in order, of which some pixel within `reach` px to the side and within `rows` is
    /// covered, each with the cover of all those pixels.
    pub fn stretches(&self, rows: Range<usize>, reach: usize) -> Vec<(Range<usize>, Cover)> {
        let rows = rows.start / CELL_PX..rows.end.div_ceil(CELL_PX);
        let reach = reach.div_ceil(CELL_PX);
        let n = self.cells.width();
        let columns: Vec<Cover> =
            (0..n).map(|i| joined(rows.clone().map(|j| self.cells.at(i, j)))).collect();
        let mut stretches: Vec<(Range<usize>, Cover)> = Vec::new();
        for i in 0..n {
            let near = i.saturating_sub(reach)..(i + reach + 1).min(n);
            let cover = joined(columns[near].iter().copied());
            let pixels = i * CELL_PX..((i + 1) * CELL_PX).min(self.width);
            match stretches.last_mut() {
                _ if cover == Cover::None => {}
                Some((last, same)) if *same == cover && last.end == pixels.start => {
                    last.end = pixels.end
                }
                _ => stretches.push((pixels, cover)),
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
        let [edge, inside] = [Cover::Part, Cover::All];
        assert_eq!(
            coverage.stretches(0..100, 0),
            [(64..80, edge), (80..176, inside), (176..192, edge)]
        );
        // A cell more to each side.
        assert_eq!(
            coverage.stretches(10..40, 5),
            [(48..96, edge), (96..160, inside), (160..200, edge)]
        );
        let empty = Coverage::of(&Mask::filled(50, 50, false));
        assert_eq!(empty.stretches(0..50, 9), []);
        let full = Coverage::of(&Mask::filled(50, 50, true));
        assert_eq!(full.stretches(0..50, 9), [(0..50, Cover::All)]);
    }
}
