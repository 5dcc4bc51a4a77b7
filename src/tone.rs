//! Comparable colour: linear RGB means over small cells of skin, and CIELAB (D50, 2°) from them.

use crate::align::Field;
use crate::photo::Photo;
use crate::plane::{Grid, Mask, Window};
use crate::series::Scale;
use crate::settings::ToneSettings;

/// Colour of one visit on cells of `cell_px` baseline pixels over the window of the region map.
#[derive(Debug, Clone)]
pub struct Tone {
    /// Side of a cell, baseline px.
    pub cell_px: usize,
    /// Mean linear RGB (sRGB primaries, 0–1) of each cell.
    pub rgb: Grid<[f32; 3]>,
    /// Cells that are skin, seen and not clipped.
    pub valid: Mask,
}

/// The colour of one visit through `field` (the identity for the baseline) on `window`, whose `skin`
/// may be measured. A cell takes the mean of the photo's pixels around its mapped centre.
pub fn tone(
    photo: &Photo,
    field: &Field,
    (window, skin): (Window, &Mask),
    scale: &Scale,
    settings: &ToneSettings,
) -> Tone {
    let cell = cell_px(window, scale, settings);
    let (w, h) = (window.width.div_ceil(cell), window.height.div_ceil(cell));
    let reach = ((cell as f64 * field.scale() - 1.0) / 2.0).round().max(0.0) as isize;
    let mut cells = Grid::filled(w, h, ([0.0f32; 3], false));
    cells.par_rows(|cy, row| {
        let middle = |i: usize, n: usize| (i * cell + cell / 2).min(n - 1);
        let y = middle(cy, window.height);
        let line = field.row((window.y + y) as f64);
        for (cx, out) in row.iter_mut().enumerate() {
            let x = middle(cx, window.width);
            let [px, py] = line.at((window.x + x) as f64);
            let (px, py) = (px.round() as isize, py.round() as isize);
            let inside = px >= reach
                && py >= reach
                && px + reach < photo.width() as isize
                && py + reach < photo.height() as isize;
            if !inside || !skin.at(x, y) {
                continue;
            }
            let mut sum = [0.0f64; 3];
            let mut clipped = false;
            for dy in -reach..=reach {
                for dx in -reach..=reach {
                    let v = photo.linear.at((px + dx) as usize, (py + dy) as usize);
                    for k in 0..3 {
                        sum[k] += v[k] as f64 / 65535.0;
                        clipped |= v[k] as f64 / 65535.0 >= settings.clip_limit;
                    }
                }
            }
            let n = ((2 * reach + 1) * (2 * reach + 1)) as f64;
            *out = (sum.map(|v| (v / n) as f32), !clipped && sum.iter().all(|&v| v > 0.0));
        }
    });
    Tone { cell_px: cell, rgb: cells.map(|(c, _)| c), valid: cells.map(|(_, v)| v) }
}

fn cell_px(window: Window, scale: &Scale, settings: &ToneSettings) -> usize {
    let px = match scale.mm_per_px {
        Some(mm) => settings.cell_mm / mm.0,
        None => window.width.max(window.height) as f64 / settings.cells_unscaled,
    };
    px.round().max(1.0) as usize
}
