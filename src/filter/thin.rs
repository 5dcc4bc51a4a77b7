//! Thinning to centre lines one pixel wide (Zhang & Suen 1984).

use crate::plane::{Mask, par_collect};

/// Thins `mask` to lines one pixel wide without breaking them; pixels outside the raster count as unset.
/// Cost: linear in the set pixels times the widest line's half width.
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
            break;
        }
    }
    // Zhang and Suen leave steps of two pixels on slanted lines: the corner of each is removed.
    for i in set {
        if corner(&out, i % w, i / w) {
            out.data_mut()[i] = false;
        }
    }
    out
}

/// The eight neighbours, clockwise from north; unset outside the raster.
fn neighbours(m: &Mask, x: usize, y: usize) -> [bool; 8] {
    let p = |dx: isize, dy: isize| -> bool {
        let (nx, ny) = (x as isize + dx, y as isize + dy);
        nx >= 0
            && ny >= 0
            && (nx as usize) < m.width()
            && (ny as usize) < m.height()
            && m.at(nx as usize, ny as usize)
    };
    [p(0, -1), p(1, -1), p(1, 0), p(1, 1), p(0, 1), p(-1, 1), p(-1, 0), p(-1, -1)]
}

/// Whether (x, y) only joins two neighbours that touch each other diagonally (Holt et al. 1987).
fn corner(m: &Mask, x: usize, y: usize) -> bool {
    let n = neighbours(m, x, y);
    (0..4).any(|k| {
        let (a, b) = (2 * k, (2 * k + 2) % 8);
        let opposite = [(a + 4) % 8, (b + 4) % 8, (a + 5) % 8];
        n[a] && n[b] && opposite.iter().all(|&o| !n[o])
    })
}

/// Zhang and Suen's conditions for removing (x, y) in sub-iteration `pass`.
fn removable(m: &Mask, x: usize, y: usize, pass: usize) -> bool {
    let n = neighbours(m, x, y);
    let count = n.iter().filter(|&&v| v).count();
    let rises = (0..8).filter(|&i| !n[i] && n[(i + 1) % 8]).count();
    let (north, east, south, west) = (n[0], n[2], n[4], n[6]);
    let closed = if pass == 0 { east && south } else { north && west };
    let sides = if pass == 0 { north || west } else { east || south };
    (2..=6).contains(&count) && rises == 1 && !(closed && sides)
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

    #[test]
    fn a_slanted_line_has_one_pixel_per_column() {
        let line = Mask::from_fn(100, 80, |x, y| {
            (5..95).contains(&x) && (y as f64 - 5.0 - 0.7 * x as f64).abs() < 2.0
        });
        let thinned = thin(&line);
        for x in 10..90 {
            assert_eq!((0..80).filter(|&y| thinned.at(x, y)).count(), 1, "column {x}");
        }
    }
}
