//! Thinning to centre lines one pixel wide (Zhang & Suen 1984).

use crate::plane::{Mask, par_collect};

/// Thins `mask` until nothing more can be removed without breaking a line; pixels outside the
/// raster count as unset. Cost: linear in the set pixels times the widest line's half width.
pub fn thin(mask: &Mask) -> Mask {
    let mut out = mask.clone();
    let (w, h) = (mask.width(), mask.height());
    let mut set: Vec<usize> = (0..w * h).filter(|&i| mask.data()[i]).collect();
    loop {
        let before = set.len();
        for pass in 0..2 {
            let chunks = set.chunks(4096).collect::<Vec<_>>();
            let removed: Vec<Vec<usize>> = par_collect(chunks.len(), |c| {
                chunks[c].iter().copied().filter(|&i| removable(&out, i % w, i / w, pass)).collect()
            });
            for i in removed.into_iter().flatten() {
                out.data_mut()[i] = false;
            }
            set.retain(|&i| out.data()[i]);
        }
        if set.len() == before {
            return out;
        }
    }
}

/// Zhang and Suen's conditions for removing (x, y) in sub-iteration `pass`.
fn removable(m: &Mask, x: usize, y: usize, pass: usize) -> bool {
    let p = |dx: isize, dy: isize| -> bool {
        let (nx, ny) = (x as isize + dx, y as isize + dy);
        nx >= 0
            && ny >= 0
            && (nx as usize) < m.width()
            && (ny as usize) < m.height()
            && m.at(nx as usize, ny as usize)
    };
    // Clockwise from north.
    let n = [p(0, -1), p(1, -1), p(1, 0), p(1, 1), p(0, 1), p(-1, 1), p(-1, 0), p(-1, -1)];
    let count = n.iter().filter(|&&v| v).count();
    let rises = (0..8).filter(|&i| !n[i] && n[(i + 1) % 8]).count();
    let (north, east, south, west) = (n[0], n[2], n[4], n[6]);
    let sides = if pass == 0 {
        !(north && east && south) && !(east && south && west)
    } else {
        !(north && east && west) && !(north && south && west)
    };
    (2..=6).contains(&count) && rises == 1 && sides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_becomes_its_middle_row() {
        let bar = Mask::from_fn(40, 15, |x, y| (5..35).contains(&x) && (5..10).contains(&y));
        let line = thin(&bar);
        for x in 9..31 {
            let rows: Vec<usize> = (0..15).filter(|&y| line.at(x, y)).collect();
            assert_eq!(rows, [7], "column {x}");
        }
    }
}
