//! Comparable colour: linear RGB means over small cells of skin.

use crate::align::Placement;
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
    /// Cells that are skin, visible and not clipped.
    pub valid: Mask,
}

/// The colour of one visit on the window of the region map: the mean of the photo's pixels around the mapped
/// centre of each cell.
pub fn tone(photo: &Photo, placement: &Placement<'_>, settings: &ToneSettings) -> Tone {
    let Placement { field, regions, skin, scale } = *placement;
    let window = regions.window;
    let cell = cell_px(window, scale, settings);
    let (w, h) = (window.width.div_ceil(cell), window.height.div_ceil(cell));
    // The window is odd, so that for an even cell a half must be rounded: well away from the scale of 1 that most pairs
    // have, lest the last digit of a registration decide.
    let reach = (0.5 * cell as f64 * field.scale() - 0.25).round().max(0.0) as isize;
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

impl Tone {
    /// Without the cells that lie within `reach_px` of one of the `points`, px of the window of the region map.
    pub fn without(&self, points: &[[usize; 2]], reach_px: f64) -> Tone {
        let cell = self.cell_px as f64;
        let reach = (reach_px / cell).round() as usize;
        let mut valid = self.valid.clone();
        for [x, y] in points.iter().map(|p| p.map(|v| v / self.cell_px)) {
            let rows = y.saturating_sub(reach)..(y + reach + 1).min(valid.height());
            for row in rows {
                let columns = x.saturating_sub(reach)..(x + reach + 1).min(valid.width());
                columns.for_each(|column| valid.set(column, row, false));
            }
        }
        Tone { valid, rgb: self.rgb.clone(), ..*self }
    }
}

fn cell_px(window: Window, scale: &Scale, settings: &ToneSettings) -> usize {
    let px = match scale.mm_per_px {
        Some(mm) => settings.cell_mm / mm.0,
        None => window.width.max(window.height) as f64 / settings.cells_unscaled,
    };
    px.round().max(1.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::align::Field;
    use crate::testing::{rigid, scale, similarity, unscaled, whole};

    const RED: [u16; 3] = [40_000, 20_000, 10_000];
    const PALE: [u16; 3] = [50_000, 45_000, 40_000];

    /// Red left of column 30, pale right of it.
    fn photo() -> Photo {
        Photo::drawn(Grid::from_fn(60, 45, |x, _| if x < 30 { RED } else { PALE }))
    }

    /// The colour on cells of 5 px.
    fn measured(photo: &Photo, field: &Field, skin: &Mask) -> Tone {
        let window = Window::full(skin.width(), skin.height());
        let placement = Placement { field, regions: &whole(window), skin, scale: &scale(0.08) };
        tone(photo, &placement, &ToneSettings::default())
    }

    fn light(colour: [u16; 3]) -> [f32; 3] {
        colour.map(|v| (f64::from(v) / 65535.0) as f32)
    }

    #[test]
    fn each_cell_has_the_mean_colour_of_its_pixels() {
        let tone = measured(&photo(), &Field::identity(), &Mask::filled(60, 45, true));
        assert_eq!((tone.cell_px, tone.rgb.width(), tone.rgb.height()), (5, 12, 9));
        for (x, y) in (0..9).flat_map(|y| (0..12).map(move |x| (x, y))) {
            assert!(tone.valid.at(x, y));
            assert_eq!(tone.rgb.at(x, y), light(if x < 6 { RED } else { PALE }), "({x}, {y})");
        }
    }

    #[test]
    fn a_cell_across_two_colours_has_their_weighted_mean() {
        let mixed = Photo::drawn(Grid::from_fn(60, 45, |x, _| if x < 32 { RED } else { PALE }));
        let tone = measured(&mixed, &Field::identity(), &Mask::filled(60, 45, true));
        let mean = |k: usize| (2.0 * light(RED)[k] + 3.0 * light(PALE)[k]) / 5.0;
        (0..3).for_each(|k| assert!((tone.rgb.at(6, 4)[k] - mean(k)).abs() < 1e-6));
    }

    #[test]
    fn a_clipped_or_black_pixel_invalidates_its_cell_and_no_other() {
        let mut photo = photo();
        let clipped = (ToneSettings::default().clip_limit * 65535.0).ceil() as u16;
        photo.linear.set(11, 12, [clipped, 0, 0]);
        photo.linear.set(27, 32, [clipped - 1, 1, 1]);
        for (x, y) in (40..45).flat_map(|y| (50..55).map(move |x| (x, y))) {
            photo.linear.set(x, y, [9_000, 0, 9_000]);
        }
        let tone = measured(&photo, &Field::identity(), &Mask::filled(60, 45, true));
        for (x, y) in (0..9).flat_map(|y| (0..12).map(move |x| (x, y))) {
            assert_eq!(tone.valid.at(x, y), (x, y) != (2, 2) && (x, y) != (10, 8), "({x}, {y})");
        }
    }

    #[test]
    fn cells_off_the_skin_or_beyond_the_photo_are_not_valid() {
        let skin = Mask::from_fn(60, 45, |x, _| x >= 20);
        // The follow-up is shifted by 12 px to the right.
        let tone = measured(&photo(), &rigid(similarity(1.0, 0.0, [12.0, 0.0])), &skin);
        for x in 0..12 {
            // A cell's middle is 5x + 2, its pixels reach 2 px to each side.
            let in_frame = 5 * x + 2 + 12 + 2 < 60;
            assert_eq!(tone.valid.at(x, 4), x >= 4 && in_frame, "{x}");
            let colour = if 5 * x + 2 + 12 < 30 { RED } else { PALE };
            assert!(!tone.valid.at(x, 4) || tone.rgb.at(x, 4) == light(colour), "{x}");
        }
    }

    /// In a photo of twice the resolution a cell has twice as many pixels a side.
    #[test]
    fn a_cell_covers_the_same_skin_in_a_finer_photo() {
        let fine = Photo::drawn(Grid::from_fn(120, 90, |x, _| {
            if x % 2 == 0 { RED.map(|v| v - 5_000) } else { RED.map(|v| v + 5_000) }
        }));
        // Pixel centres: 2x + ½.
        let tone =
            measured(&fine, &rigid([2.0, 0.0, 0.5, 0.0, 2.0, 0.5]), &Mask::filled(60, 45, true));
        // 11 columns: one more of one kind than of the other.
        let off = 5_000.0 / 11.0 / 65535.0;
        for k in 0..3 {
            let found = tone.rgb.at(5, 4)[k];
            assert!(((found - light(RED)[k]).abs() - off).abs() < 1e-5, "{found}");
        }
    }

    #[test]
    fn cells_beside_points_are_left_out() {
        let tone = measured(&photo(), &Field::identity(), &Mask::filled(60, 45, true));
        // Cells of 5 px: the point lies in cell (3, 2), the other in the last column.
        let left = tone.without(&[[17, 12], [59, 44]], 6.0);
        let out =
            |x: usize, y: usize| (2..=4).contains(&x) && (1..=3).contains(&y) || x >= 10 && y >= 7;
        for (x, y) in (0..9).flat_map(|y| (0..12).map(move |x| (x, y))) {
            assert_eq!(left.valid.at(x, y), !out(x, y), "({x}, {y})");
        }
        assert_eq!(tone.without(&[], 6.0).valid, tone.valid);
    }

    #[test]
    fn without_a_scale_the_longer_side_has_its_count_of_cells() {
        let settings = ToneSettings::default();
        let window = Window::full(1400, 700);
        assert_eq!(cell_px(window, &unscaled(), &settings), 4);
        assert_eq!(cell_px(window, &scale(0.1), &settings), 4);
        assert_eq!(cell_px(window, &scale(3.0), &settings), 1);
    }
}
