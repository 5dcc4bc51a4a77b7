//! Pictures and maps of the results: the only stage that draws.

use crate::align::Field;
use crate::filter::thin::thin;
use crate::filter::warp::bilinear_by;
use crate::metric::Readings;
use crate::metric::scars::Scar;
use crate::photo::Photo;
use crate::plane::{Grid, Mask, Window, par_collect};
use crate::region::{RegionMap, WHOLE};
use crate::report::{Maps, Pictures, PoreRow, ScarRow};
use crate::series::Scale;
use crate::srgb;
use crate::units::MmPerPx;
use image::{Rgb, RgbImage, Rgba, RgbaImage};
use imageproc::drawing::{draw_filled_circle_mut, draw_hollow_circle_mut, draw_line_segment_mut};
use std::collections::{BTreeMap, BTreeSet};

/// Longer side of a picture, px.
const PICTURE_PX: usize = 1600;
/// Spacing of the displacement samples, baseline px (the contract of `--maps`).
const DISPLACEMENT_STEP: usize = 8;

const LINE: Rgba<u8> = Rgba([255, 64, 64, 255]);
/// A line that the baseline lacks, and one that the follow-up lacks.
const NEW_LINE: Rgba<u8> = Rgba([255, 200, 0, 255]);
const VANISHED_LINE: Rgba<u8> = Rgba([255, 255, 255, 255]);
const PORE: Rgba<u8> = Rgba([32, 200, 255, 255]);
const SCAR: Rgba<u8> = Rgba([120, 255, 120, 255]);
const OUTLINE: Rgba<u8> = Rgba([255, 255, 255, 200]);

/// One visit to draw: its photo, its registration and its detections.
pub struct DrawnVisit<'a> {
    /// The photo.
    pub photo: &'a Photo,
    /// Its registration; none where it was rejected.
    pub field: Option<&'a Field>,
    /// The measured skin on the window of the regions; for a follow-up only skin that the baseline shows too.
    pub measured: Option<&'a Mask>,
    /// Its readings; none where nothing was measured.
    pub readings: Option<VisitReadings<'a>>,
}

/// One visit of some readings.
#[derive(Clone, Copy)]
pub struct VisitReadings<'a> {
    /// The readings of several visits.
    pub all: &'a Readings,
    /// Index of the visit in them.
    pub visit: usize,
}

/// Pictures of the measured window, all in the baseline's frame.
pub fn pictures(regions: &RegionMap, visits: &[DrawnVisit<'_>]) -> Pictures {
    let window = regions.window;
    let factor = window.width.max(window.height).div_ceil(PICTURE_PX).max(1);
    let size = [window.width.div_ceil(factor) as u32, window.height.div_ceil(factor) as u32];
    let overlay = |draw: &dyn Fn(&mut RgbaImage, f64)| {
        let mut image = RgbaImage::new(size[0], size[1]);
        draw(&mut image, 1.0 / factor as f64);
        image
    };
    let drawn = |v: &DrawnVisit<'_>, draw: &dyn Fn(&mut RgbaImage, f64, VisitReadings<'_>)| {
        v.readings.map(|r| overlay(&|image, scale| draw(image, scale, r)))
    };
    Pictures {
        photos: visits
            .iter()
            .map(|v| v.field.map(|f| photo_picture(v.photo, f, window, factor, size)))
            .collect(),
        wrinkles: visits.iter().map(|v| drawn(v, &draw_wrinkles)).collect(),
        pores: visits.iter().map(|v| drawn(v, &draw_pores)).collect(),
        scars: visits
            .iter()
            .map(|v| v.readings.filter(|r| r.all.scars.is_ok()).and_then(|_| drawn(v, &draw_scars)))
            .collect(),
        regions: Some(overlay(&|image, scale| draw_outlines(image, scale, regions))),
    }
}

/// The photo resampled by `field`, the mean of up to 3 × 3 samples per pixel of the picture.
fn photo_picture(
    photo: &Photo,
    field: &Field,
    window: Window,
    factor: usize,
    size: [u32; 2],
) -> RgbImage {
    let samples = factor.min(3);
    let rows = par_collect(size[1] as usize, |y| {
        let step = |i: usize| (i as f64 + 0.5) / samples as f64 * factor as f64 - 0.5;
        let lines: Vec<_> =
            (0..samples).map(|k| field.row((window.y + y * factor) as f64 + step(k))).collect();
        (0..size[0] as usize)
            .map(|x| {
                let mut sum = [0.0f64; 3];
                for k in 0..samples * samples {
                    let px = (window.x + x * factor) as f64 + step(k % samples);
                    let [qx, qy] = lines[k / samples].at(px);
                    let v = light(&photo.linear, qx, qy);
                    (0..3).for_each(|c| sum[c] += v[c]);
                }
                sum.map(|v| code(v / (samples * samples) as f64 / 65535.0))
            })
            .collect::<Vec<[u8; 3]>>()
    });
    RgbImage::from_fn(size[0], size[1], |x, y| Rgb(rows[y as usize][x as usize]))
}

/// Linear light between pixels; black outside the photo.
fn light(p: &Grid<[u16; 3]>, x: f64, y: f64) -> [f64; 3] {
    if x < 0.0 || y < 0.0 || x > p.width() as f64 - 1.0 || y > p.height() as f64 - 1.0 {
        return [0.0; 3];
    }
    bilinear_by(p, x, y, |rgb| rgb.map(f64::from))
}

/// The 8-bit sRGB code of linear light 0–1.
fn code(v: f64) -> u8 {
    (srgb::encode(v.clamp(0.0, 1.0)) * 255.0).round() as u8
}

fn draw_wrinkles(image: &mut RgbaImage, scale: f64, readings: VisitReadings<'_>) {
    let Ok(points) = &readings.all.wrinkles else { return };
    for p in points {
        let at = ((p.x as f64 * scale) as i32, (p.y as f64 * scale) as i32);
        let colour = match (p.readings[0].present, p.readings[readings.visit].present) {
            (true, true) => LINE,
            (false, true) => NEW_LINE,
            (true, false) => VANISHED_LINE,
            (false, false) => continue,
        };
        draw_filled_circle_mut(image, at, 1, colour);
    }
}

fn draw_pores(image: &mut RgbaImage, scale: f64, VisitReadings { all, visit }: VisitReadings<'_>) {
    let Ok(pores) = &all.pores else { return };
    for p in pores.iter().filter(|p| p.readings[visit].present) {
        let at = ((p.x * scale) as i32, (p.y * scale) as i32);
        let radius = (0.5 * p.readings[visit].diameter_px * scale).round().max(2.0) as i32;
        draw_hollow_circle_mut(image, at, radius, PORE);
    }
}

fn draw_scars(image: &mut RgbaImage, scale: f64, VisitReadings { all, visit }: VisitReadings<'_>) {
    let found = all.scars.iter().flat_map(|scars| &scars.found);
    for s in found.filter(|s| s.readings[visit].present) {
        let at = ((s.x * scale) as i32, (s.y * scale) as i32);
        let radius = (s.radius_px * scale).round().max(3.0) as i32;
        for radius in [radius, radius + 1] {
            draw_hollow_circle_mut(image, at, radius, SCAR);
        }
    }
}

/// Outlines of the named regions: pixels whose right or lower neighbour differs.
fn draw_outlines(image: &mut RgbaImage, scale: f64, regions: &RegionMap) {
    for region in regions.regions.iter().filter(|r| r.name != WHOLE) {
        let (w, h) = (region.window.width, region.window.height);
        let inside = |x: isize, y: isize| {
            x >= 0
                && y >= 0
                && (x as usize) < w
                && (y as usize) < h
                && region.inside.at(x as usize, y as usize)
        };
        let place = |v: isize, from: usize, origin: usize| {
            ((v + from as isize - origin as isize) as f64 * scale) as f32
        };
        for y in -1..h as isize {
            for x in -1..w as isize {
                let here = inside(x, y);
                if here != inside(x + 1, y) || here != inside(x, y + 1) {
                    let at = (
                        place(x, region.window.x, regions.window.x),
                        place(y, region.window.y, regions.window.y),
                    );
                    draw_line_segment_mut(image, at, (at.0 + 1.0, at.1), OUTLINE);
                }
            }
        }
    }
}

/// The maps of `--maps`, in px of the baseline's file.
pub fn maps(regions: &RegionMap, scale: &Scale, visits: &[DrawnVisit<'_>]) -> Maps {
    let baseline = visits[0].photo;
    let (w, h) = (baseline.width(), baseline.height());
    let names: Vec<String> = regions
        .regions
        .iter()
        .map(|r| r.name.clone())
        .filter(|n| n != WHOLE || regions.regions.len() == 1)
        .collect();
    let mut labels = Grid::filled(w, h, 0u8);
    // Where regions overlap, the first listed one is visible: paint in reverse order.
    for (k, name) in names.iter().enumerate().rev() {
        let Some(region) = regions.regions.iter().find(|r| &r.name == name) else { continue };
        for y in 0..region.window.height {
            for x in 0..region.window.width {
                if region.inside.at(x, y) {
                    labels.set(region.window.x + x, region.window.y + y, k as u8 + 1);
                }
            }
        }
    }
    let to_file = |position| baseline.reduction.to_file(position);
    let mut known = KnownPores::default();
    Maps {
        displacement: visits[1..]
            .iter()
            .map(|v| v.field.map(|f| displacement(f, [baseline, v.photo])))
            .collect(),
        wrinkles: visits
            .iter()
            .map(|v| v.readings.map(|r| on_file(&wrinkle_map(r, regions, w, h), baseline)))
            .collect(),
        pores: visits
            .iter()
            .map(|v| {
                let mut rows = pore_rows(v.readings?, regions, scale, &mut known);
                rows.iter_mut().for_each(|p| [p.x_px, p.y_px] = to_file([p.x_px, p.y_px]));
                Some(rows)
            })
            .collect(),
        scars: visits
            .iter()
            .map(|v| {
                let mut rows = scar_rows(v.readings?, regions, scale)?;
                rows.iter_mut().for_each(|s| [s.x_px, s.y_px] = to_file([s.x_px, s.y_px]));
                Some(rows)
            })
            .collect(),
        measured: visits
            .iter()
            .map(|v| v.measured.map(|skin| measured(&labels, regions.window, skin)))
            .map(|labels| labels.map(|labels| on_file(&labels, baseline)))
            .collect(),
        regions: Some(on_file(&labels, baseline)),
        region_names: names,
    }
}

/// The labels where `skin` (a mask of `window`) holds; 0 elsewhere.
fn measured(labels: &Grid<u8>, window: Window, skin: &Mask) -> Grid<u8> {
    Grid::from_fn(labels.width(), labels.height(), |x, y| {
        let is_skin = window.contains(x, y) && skin.at(x - window.x, y - window.y);
        if is_skin { labels.at(x, y) } else { 0 }
    })
}

/// A raster of the baseline's pixels on those of its file.
fn on_file<T: Copy + Send + Sync + Default>(raster: &Grid<T>, baseline: &Photo) -> Grid<T> {
    let [width, height] = baseline.reduction.file_size;
    Grid::from_fn(width, height, |x, y| {
        let [x, y] = baseline.reduction.from_file([x, y].map(|v| v as f64));
        raster.clamped(x.round() as isize, y.round() as isize)
    })
}

/// Positions in the follow-up's file, at every `DISPLACEMENT_STEP`th pixel of the baseline's.
fn displacement(field: &Field, [baseline, photo]: [&Photo; 2]) -> Grid<[f32; 2]> {
    let step = DISPLACEMENT_STEP;
    let [columns, rows] = baseline.reduction.file_size.map(|n| n.div_ceil(step));
    let [right, bottom] = photo.reduction.file_size.map(|n| n as f64 - 1.0);
    Grid::from_fn(columns, rows, |x, y| {
        let [x, y] = baseline.reduction.from_file([x, y].map(|v| (v * step) as f64));
        let [x, y] = photo.reduction.to_file(field.at(x, y));
        let visible = x >= 0.0 && y >= 0.0 && x <= right && y <= bottom;
        if visible { [x as f32, y as f32] } else { [f32::NAN; 2] }
    })
}

fn wrinkle_map(
    VisitReadings { all, visit }: VisitReadings<'_>,
    regions: &RegionMap,
    width: usize,
    height: usize,
) -> Mask {
    let mut mask = Mask::filled(width, height, false);
    for p in all.wrinkles.iter().flatten().filter(|p| p.readings[visit].present) {
        // A point represents a stretch of line of this length.
        let reach = (0.5 * p.length_px).round() as usize;
        let around = |v: usize, n: usize| v.saturating_sub(reach)..(v + reach + 1).min(n);
        for y in around(regions.window.y + p.y, height) {
            for x in around(regions.window.x + p.x, width) {
                mask.set(x, y, true);
            }
        }
    }
    thin(&mask)
}

/// Pores of all visits so far in cells of the baseline, to look them up by their position.
#[derive(Default)]
struct KnownPores {
    /// Position of the first detection of each; the index is its id.
    positions: Vec<[f64; 2]>,
    cells: BTreeMap<(i64, i64), Vec<usize>>,
}

/// Side of a cell of [`KnownPores`], baseline px.
const PORE_CELL_PX: f64 = 16.0;

impl KnownPores {
    fn cell([x, y]: [f64; 2]) -> (i64, i64) {
        ((x / PORE_CELL_PX).floor() as i64, (y / PORE_CELL_PX).floor() as i64)
    }

    /// The pore nearest to `position` within `reach` px that is not among the `taken`.
    fn nearest(&self, position: [f64; 2], reach: f64, taken: &BTreeSet<usize>) -> Option<usize> {
        let (left, top) = Self::cell(position.map(|v| v - reach));
        let (right, bottom) = Self::cell(position.map(|v| v + reach));
        (top..=bottom)
            .flat_map(|y| (left..=right).filter_map(move |x| self.cells.get(&(x, y))))
            .flatten()
            .filter(|id| !taken.contains(id))
            .map(|&id| (distance(self.positions[id], position), id))
            .filter(|(distance, _)| *distance <= reach)
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
            .map(|(_, id)| id)
    }

    fn add(&mut self, position: [f64; 2]) -> usize {
        let id = self.positions.len();
        self.positions.push(position);
        self.cells.entry(Self::cell(position)).or_default().push(id);
        id
    }
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// Pores present in one visit. A pore takes the id of the nearest known pore within half a diameter that no other
/// pore of the visit has taken, otherwise a new one.
fn pore_rows(
    VisitReadings { all, visit }: VisitReadings<'_>,
    regions: &RegionMap,
    scale: &Scale,
    known: &mut KnownPores,
) -> Vec<PoreRow> {
    let mm = scale.mm_per_px.unwrap_or(MmPerPx(1.0)).0;
    let mut rows = Vec::new();
    let mut taken = BTreeSet::new();
    for pore in all.pores.iter().flatten().filter(|p| p.readings[visit].present) {
        let (x, y) = (regions.window.x as f64 + pore.x, regions.window.y as f64 + pore.y);
        let diameter = pore.readings[visit].diameter_px;
        let same = known.nearest([x, y], 0.5 * diameter, &taken);
        let pore_id = same.unwrap_or_else(|| known.add([x, y]));
        taken.insert(pore_id);
        let region = region_at(regions, [x, y]);
        rows.push(PoreRow { pore_id, x_px: x, y_px: y, diameter_mm: diameter * mm, region });
    }
    rows
}

/// Scars present in one visit; none where scars are not measurable.
fn scar_rows(
    VisitReadings { all, visit }: VisitReadings<'_>,
    regions: &RegionMap,
    scale: &Scale,
) -> Option<Vec<ScarRow>> {
    let mm = scale.mm_per_px.unwrap_or(MmPerPx(1.0)).0;
    let scars = all.scars.as_ref().ok()?;
    let present = scars.found.iter().filter(|s| s.readings[visit].present);
    let row = |scar: &Scar| {
        let at = [regions.window.x as f64 + scar.x, regions.window.y as f64 + scar.y];
        ScarRow {
            x_px: at[0],
            y_px: at[1],
            diameter_mm: 2.0 * scar.radius_px * mm,
            depth_mm: scar.readings[visit].depth_px.max(0.0) * mm,
            region: region_at(regions, at),
        }
    };
    Some(present.map(row).collect())
}

/// Name of the first listed region at a position of the baseline; empty where there is none.
fn region_at(regions: &RegionMap, [x, y]: [f64; 2]) -> String {
    let (x, y) = (x.round() as usize, y.round() as usize);
    let mut regions = regions.regions.iter();
    regions
        .find(|r| r.window.contains(x, y) && r.inside.at(x - r.window.x, y - r.window.y))
        .map_or(String::new(), |r| r.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pore_is_found_again_by_its_position_and_once_a_visit() {
        let mut known = KnownPores::default();
        let [first, second] = [[15.9, 40.0], [19.0, 40.0]].map(|position| known.add(position));
        let mut taken = BTreeSet::new();
        // Across the border of a cell, and the nearest of two.
        assert_eq!(known.nearest([16.5, 40.0], 4.0, &taken), Some(first));
        assert_eq!(known.nearest([18.0, 40.0], 4.0, &taken), Some(second));
        assert_eq!(known.nearest([25.0, 40.0], 4.0, &taken), None);
        taken.insert(first);
        assert_eq!(known.nearest([16.5, 40.0], 4.0, &taken), Some(second));
        taken.insert(second);
        assert_eq!(known.nearest([16.5, 40.0], 4.0, &taken), None);
    }
}
