//! Areas of one colour that an editor painted: bars, boxes, frames, black corners of a straightened
//! photo, the margins of a screenshot.
//!
//! Skin in a photo is never flat over a large area: it has relief, shading and noise. A painted area has
//! one code, a step at its border, and a minimum size. Deep shadow and clipped skin are flat too, but
//! have no step at their border: the limits on exposure exclude them.

use super::turn::Turn;
use crate::filter::label::label_by_sides;
use crate::filter::morphology::dilate;
use crate::plane::{Grid, Mask};
use crate::settings::PhotoSettings;
use crate::srgb;
use std::cell::LazyCell;
use std::sync::LazyLock;

/// Side of the cells on which flatness is measured, px: half a block of a JPEG.
const CELL_PX: usize = 4;
/// Largest distance of an area's border from its last flat cell, cells: a block of a JPEG with halved
/// chroma.
const BLOCK_CELLS: usize = 5;

/// Painted areas of one photo with a rim, on cells of 4 × 4 px.
#[derive(Debug, Clone)]
pub struct FlatAreas {
    /// Empty where there are none.
    cells: Option<Mask>,
    /// Side of a cell, px of the photo.
    pub(super) cell_px: f64,
}

impl Default for FlatAreas {
    /// No area.
    fn default() -> Self {
        FlatAreas { cells: None, cell_px: CELL_PX as f64 }
    }
}

impl FlatAreas {
    /// Whether the pixel (x, y) is part of a painted area or of its rim. Pixels outside the photo
    /// are part of none.
    pub fn contains(&self, x: usize, y: usize) -> bool {
        let [x, y] = [x, y].map(|v| ((v as f64 + 0.5) / self.cell_px) as usize);
        self.cells.as_ref().is_some_and(|m| x < m.width() && y < m.height() && m.at(x, y))
    }

    /// The areas of the turned photo. Where a side is no multiple of a cell they move by less than a cell, within
    /// their rim.
    pub(super) fn turned(&self, turn: Turn) -> FlatAreas {
        FlatAreas { cells: self.cells.as_ref().map(|cells| turn.apply(cells)), ..*self }
    }

    /// Whether the photo has no painted area.
    pub fn is_empty(&self) -> bool {
        self.cells.is_none()
    }

    /// Finds the painted areas of a photo in linear light.
    ///
    /// A painted area covers at least `flat_area` of the frame and `flat_area_min_px`; it either has
    /// one code (flat cells differ by at most `flat_range`; black and white ones, at the ends of the
    /// sensor's range, not at all) or is nearly black and touches the frame's border; and at least
    /// `flat_edge_share` of its border has a step. Smaller holes (text on a bar) count with it. The
    /// rim of `flat_rim_px` covers pixels mixed by compression and interpolation.
    ///
    /// Cost: one pass over the pixels; the other steps work on a sixteenth of them.
    pub fn find(linear: &Grid<[u16; 3]>, settings: &PhotoSettings) -> FlatAreas {
        let cells = Cells::new(linear);
        let share = settings.flat_area * (linear.width() * linear.height()) as f64;
        let least = share.max(settings.flat_area_min_px as f64) / (CELL_PX * CELL_PX) as f64;
        let painted = cells.flat(least, settings).zip(&cells.black(least, settings), |a, b| a || b);
        if !painted.data().contains(&true) {
            return FlatAreas::default();
        }
        let (labels, sizes) = label_by_sides(&painted.map(|v| !v));
        let filled = labels.map(|l| l == 0 || (sizes[l as usize] as f64) < least);
        let cells = Some(dilate(&filled, settings.flat_rim_px.div_ceil(CELL_PX)));
        FlatAreas { cells, ..FlatAreas::default() }
    }
}

/// The sRGB code, 0 … 255, of 16-bit linear light.
static CODES: LazyLock<Vec<f32>> = LazyLock::new(|| {
    (0..=u16::MAX).map(|v| (255.0 * srgb::encode(f64::from(v) / 65535.0)) as f32).collect()
});

/// Codes of a cell: the smallest and the largest of each channel.
type CodeRange = [[f32; 2]; 3];

/// The range of codes of each cell of the photo.
struct Cells {
    ranges: Grid<CodeRange>,
}

impl Cells {
    fn new(linear: &Grid<[u16; 3]>) -> Self {
        let [width, height] = [linear.width(), linear.height()];
        let codes = CODES.as_slice();
        let ranges = Grid::from_fn(width.div_ceil(CELL_PX), height.div_ceil(CELL_PX), |cx, cy| {
            let (mut low, mut high) = ([u16::MAX; 3], [0; 3]);
            let (left, right) = (cx * CELL_PX, ((cx + 1) * CELL_PX).min(width));
            for y in cy * CELL_PX..((cy + 1) * CELL_PX).min(height) {
                for rgb in &linear.row(y)[left..right] {
                    for k in 0..3 {
                        low[k] = low[k].min(rgb[k]);
                        high[k] = high[k].max(rgb[k]);
                    }
                }
            }
            [0, 1, 2].map(|k| [low[k], high[k]].map(|v| codes[usize::from(v)]))
        });
        Cells { ranges }
    }

    /// Areas of one code.
    fn flat(&self, least: f64, settings: &PhotoSettings) -> Mask {
        let range = settings.flat_range as f32;
        let flat = self.ranges.map(|r| r.iter().all(|[low, high]| high - low <= range));
        // Most photos have no flat area that is large enough to look for its edges.
        let [edges, hard_edges] =
            settings.flat_step.map(|step| LazyCell::new(move || self.edges(step as f32)));
        components(&flat, least, |cells| {
            let code = self.median(cells);
            let end = code.iter().all(|v| *v <= range) || code.iter().all(|v| *v >= 255.0 - range);
            // Half the range lies to each side of the code.
            let (reach, edges) = if end { (0.1, &hard_edges) } else { (0.6 * range, &edges) };
            let similar = |at: &(usize, usize)| {
                let middle = middle(self.ranges.at(at.0, at.1));
                (0..3).all(|k| (middle[k] - code[k]).abs() <= reach)
            };
            let same = cells.iter().filter(|at| similar(at)).count();
            same as f64 >= settings.flat_code_share * cells.len() as f64
                && edge_share(edges, &flat, cells) >= settings.flat_edge_share
        })
    }

    /// Nearly black areas that touch the frame's border: with compression, thin corners and bars have
    /// no flat cells.
    fn black(&self, least: f64, settings: &PhotoSettings) -> Mask {
        let black = self.ranges.map(|r| r.iter().all(|v| f64::from(v[1]) <= settings.flat_black));
        let edges = LazyCell::new(|| self.edges(settings.flat_step[1] as f32));
        let (right, bottom) = (black.width() - 1, black.height() - 1);
        components(&black, least, |cells| {
            let at_border =
                |&(x, y): &(usize, usize)| x == 0 || y == 0 || x == right || y == bottom;
            cells.iter().any(at_border)
                && edge_share(&edges, &black, cells) >= settings.flat_edge_share
        })
    }

    /// Median code of some cells, channel by channel.
    fn median(&self, cells: &[(usize, usize)]) -> [f32; 3] {
        [0, 1, 2].map(|k| {
            let mut codes: Vec<f32> =
                cells.iter().map(|&(x, y)| middle(self.ranges.at(x, y))[k]).collect();
            let at = codes.len() / 2;
            *codes.select_nth_unstable_by(at, f32::total_cmp).1
        })
    }

    /// Cells within [`BLOCK_CELLS`] of 2 × 2 cells whose codes span a `step` in some channel.
    fn edges(&self, step: f32) -> Mask {
        let (w, h) = (self.ranges.width(), self.ranges.height());
        let edges = Mask::from_fn(w, h, |x, y| {
            let near = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
            let near = near.map(|(x, y)| self.ranges.at(x.min(w - 1), y.min(h - 1)));
            (0..3).any(|k| {
                let low = near.iter().fold(f32::MAX, |v, r| v.min(r[k][0]));
                let high = near.iter().fold(f32::MIN, |v, r| v.max(r[k][1]));
                high - low >= step
            })
        });
        dilate(&edges, BLOCK_CELLS)
    }
}

/// Middle code of a cell in each channel.
fn middle(range: CodeRange) -> [f32; 3] {
    range.map(|[low, high]| 0.5 * (low + high))
}

/// The 4-connected components of `mask` of at least `least` cells that are `accepted`.
fn components(mask: &Mask, least: f64, accepted: impl Fn(&[(usize, usize)]) -> bool) -> Mask {
    let (labels, sizes) = label_by_sides(mask);
    let large = |l: u32| l > 0 && sizes[l as usize] as f64 >= least;
    let mut cells = vec![Vec::new(); sizes.len()];
    for y in 0..labels.height() {
        for (x, &label) in labels.row(y).iter().enumerate().filter(|(_, l)| large(**l)) {
            cells[label as usize].push((x, y));
        }
    }
    let kept: Vec<bool> = cells.iter().map(|cells| !cells.is_empty() && accepted(cells)).collect();
    labels.map(|label| kept[label as usize])
}

/// Share of a component's border inside the frame that lies at an edge; 1 where it has none.
fn edge_share(edges: &Mask, mask: &Mask, cells: &[(usize, usize)]) -> f64 {
    let (mut border, mut at_edge) = (0usize, 0usize);
    for &(x, y) in cells {
        let outside = |x: usize, y: usize| x < mask.width() && y < mask.height() && !mask.at(x, y);
        let left = x > 0 && outside(x - 1, y);
        let above = y > 0 && outside(x, y - 1);
        if left || above || outside(x + 1, y) || outside(x, y + 1) {
            border += 1;
            at_edge += usize::from(edges.at(x, y));
        }
    }
    if border == 0 { 1.0 } else { at_edge as f64 / border as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn light(code: f64) -> u16 {
        (65535.0 * srgb::decode(code.clamp(0.0, 255.0) / 255.0)).round() as u16
    }

    /// Skin in whole codes: shaded, with texture of ±`texture` codes and `noise`.
    fn skin(
        texture: f64,
        paint: impl Fn(usize, usize) -> Option<[f64; 3]> + Sync,
    ) -> Grid<[u16; 3]> {
        Grid::from_fn(400, 300, |x, y| {
            let noise = Rng::at(0, x as i64, y as i64).range(-1.0, 1.0);
            let shade = 15.0 * (x as f64 / 90.0).sin() + texture * noise;
            let rgb = paint(x, y).unwrap_or([190.0, 150.0, 130.0].map(|v| v + shade));
            rgb.map(|v| light(v.round()))
        })
    }

    fn found(linear: &Grid<[u16; 3]>) -> FlatAreas {
        FlatAreas::find(linear, &PhotoSettings::default())
    }

    #[test]
    fn bars_boxes_and_frames_are_found_with_a_rim() {
        for colour in [[0.0; 3], [255.0; 3], [128.0; 3], [190.0, 150.0, 130.0], [3.0, 80.0, 200.0]]
        {
            let bar = found(&skin(8.0, |_, y| (y < 60).then_some(colour)));
            assert!((0..400).all(|x| bar.contains(x, 0) && bar.contains(x, 66)), "{colour:?}");
            assert!((0..400).all(|x| !bar.contains(x, 90)), "{colour:?}");
            let box_of = |x: usize, y: usize| (120..200).contains(&x) && (100..150).contains(&y);
            let censored = found(&skin(8.0, |x, y| box_of(x, y).then_some(colour)));
            assert!(censored.contains(160, 125) && censored.contains(205, 95), "{colour:?}");
            assert!(!censored.contains(240, 125) && !censored.contains(160, 180), "{colour:?}");
        }
    }

    #[test]
    fn thin_black_corners_with_ringing_are_found() {
        let corner = found(&skin(8.0, |x, y| {
            (y * 12 + x < 300).then(|| [(x * 7 + y * 5) % 11, 3, 0].map(|v| v as f64))
        }));
        assert!(corner.contains(10, 3) && corner.contains(150, 4) && !corner.contains(60, 60));
    }

    #[test]
    fn text_on_a_bar_belongs_to_it() {
        let bar = found(&skin(8.0, |x, y| {
            let letter = x % 16 < 3 && (20..34).contains(&y) && x < 200;
            (y < 60).then_some(if letter { [255.0; 3] } else { [40.0; 3] })
        }));
        assert!((0..400).all(|x| (0..60).all(|y| bar.contains(x, y))));
    }

    #[test]
    fn smooth_skin_shadows_and_highlights_are_not_painted() {
        for texture in [0.0, 0.4, 1.0, 4.0] {
            assert!(found(&skin(texture, |_, _| None)).is_empty(), "texture of {texture}");
        }
        let far = |x: usize, y: usize| (x as f64 - 200.0).hypot(y as f64 - 150.0);
        // Black and white spots of 40 px that fade over 60 px.
        let shadow = |x, y| Some([190.0, 150.0, 130.0].map(|v| v * (far(x, y) - 40.0) / 60.0));
        let highlight = |x, y| Some([190.0, 150.0, 130.0].map(|v| v + 3.0 * (100.0 - far(x, y))));
        assert!(found(&skin(2.0, |x, y| shadow(x, y).filter(|_| far(x, y) < 100.0))).is_empty());
        assert!(found(&skin(2.0, |x, y| highlight(x, y).filter(|_| far(x, y) < 100.0))).is_empty());
    }

    #[test]
    fn a_small_patch_is_not_painted() {
        let patch = |x: usize, y: usize| (100..124).contains(&x) && (100..124).contains(&y);
        assert!(found(&skin(8.0, |x, y| patch(x, y).then_some([128.0; 3]))).is_empty());
    }
}
