//! Atrophic scars: depressions of 1.5–5 mm, found once for a pair and read in each photo at the same places.
//!
//! A bowl in the skin is lit on the side away from the lamp and in shade on the side towards it. Over some
//! millimetres that shading is fainter than the blotches of melanin and blood. What these do to brightness
//! they do to colour too, and shading does not: the part of the luminance that the colour beside explains
//! (least squares over all visits, as melanin and haemoglobin have one colour each) is taken off. In what is
//! left a bowl's lit and shaded sides, along the direction in which the light falls ([`super::relief`]), are
//! sought with the filter that the skin around disturbs least ([`crate::filter::matched`]). A dark spot has no
//! such sides. Lines and folds have: what lies about a line is left out, and what answers on beside itself,
//! across the light, is no bowl.
//!
//! How deep a bowl is for the shading that it shows depends on the lamp: the slope of the wall is told for a
//! usual one, and holds within a factor of two. Changes do not depend on it.

pub(super) mod area_percent;
pub(super) mod depth;
pub(crate) mod sums;

pub(super) use sums::sheet;

use super::relief::{FineRelief, Slopes};
use super::search::{self, Candidate, Cell, Filter, Search, differences};
use super::wrinkles::LinePoint;
use super::{Frame, Reason, View};
use crate::filter::gaussian::{MaskedBlur, away_from_edges};
use crate::filter::matched::{Autocovariance, Whitener};
use crate::filter::morphology::dilate;
use crate::filter::resize::{enlarge, shrink, shrink_mask};
use crate::filter::stats::{mean_square, median};
use crate::plane::{Mask, Plane, Window, par_collect};
use crate::settings::MetricSettings;

/// What was found, and where it was sought.
#[derive(Debug, Clone, PartialEq)]
pub struct Scars {
    /// Depressions, by rows.
    pub found: Vec<Scar>,
    /// Skin that a lamp is seen to light from beside: light from the front shades no bowl.
    searched: Mask,
    /// Pixels of the window of the region map in one of the mask, both ways.
    factor: usize,
}

/// One depression, the same over all visits.
#[derive(Debug, Clone, PartialEq)]
pub struct Scar {
    /// Centre, px of the window of the region map.
    pub x: f64,
    /// Centre.
    pub y: f64,
    /// Radius at half depth, px.
    pub radius_px: f64,
    /// One over the variance of its depth that the skin around makes.
    weight: f64,
    /// One per visit.
    pub readings: Vec<ScarReading>,
}

/// What one visit shows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ScarReading {
    /// Optical estimate of the depth, px.
    pub depth_px: f64,
    /// Whether it counts in this visit.
    pub present: bool,
}

/// What may be depressions in one photo, and the planes in which they were sought.
#[derive(Debug, Clone)]
pub struct Detected {
    cells: LitCells,
    candidates: Vec<Candidate>,
    planes: [Vec<Plane>; 2],
}

/// Searches one photo for depressions.
///
/// # Errors
/// `LowCoverage` where there is too little skin to know its background texture by.
pub fn detect(
    view: &View<'_>,
    slopes: &Slopes<'_>,
    ground: &Ground,
    settings: &MetricSettings,
) -> Result<Detected, Reason> {
    log::trace!(target: "skindelta", "search scars");
    let planes = shading(&[*view], ground, settings);
    let cells = cells(&planes[0], slopes, ground, settings)?;
    let apart = ground.px(settings.scar_apart_mm).round() as usize;
    let candidates = ground.search(&planes[0], &cells.cells).candidates(apart);
    Ok(Detected { cells, candidates, planes })
}

/// Reads the candidates of all photos in each of them.
///
/// # Errors
/// As [`detect`], for any of the photos or all together.
pub fn read(
    views: &[View<'_>],
    relief: &FineRelief,
    detected: &[&Result<Detected, Reason>],
    ground: &Ground,
    settings: &MetricSettings,
) -> Result<Scars, Reason> {
    let detected = detected.iter().map(|d| d.as_ref().map_err(|reason| *reason));
    let detected = detected.collect::<Result<Vec<_>, Reason>>()?;
    let joint;
    let (planes, LitCells { cells, light }) = match detected[..] {
        [own] => (&own.planes, &own.cells),
        _ => {
            let planes = shading(views, ground, settings);
            let slopes = Slopes::of(relief, ground.mm_per_px, settings);
            let cells = cells(&planes[0], &slopes, ground, settings)?;
            joint = (planes, cells);
            (&joint.0, &joint.1)
        }
    };
    let [sought, read] = planes;
    let search = ground.search(sought, cells);
    let candidates: Vec<&[Candidate]> = detected.iter().map(|d| &d.candidates[..]).collect();
    let mut scars: Vec<Scar> = Vec::new();
    for place in search.counted(&candidates) {
        let reach = 2.0 * ground.px(settings.scar_radii_mm[place.size]);
        let seen = visible(&ground.skin, &place, reach) >= settings.scar_seen_min;
        if !seen || !isolated(&search, &place, light[place.cell], reach, settings) {
            continue;
        }
        let scar = read_scar(&search, read, &place, ground.mm_per_px, settings);
        let near = |other: &Scar| {
            let apart = (other.x - scar.x).hypot(other.y - scar.y);
            apart < other.radius_px.max(scar.radius_px) + settings.scar_apart_mm / ground.mm_per_px
        };
        if !scars.iter().any(near) {
            scars.push(scar);
        }
    }
    scars.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x)));
    Ok(Scars { found: scars, searched: searched(&search, &ground.skin), factor: ground.factor })
}

/// Whether the response ends beside a place, `far` px to each side across the `light`: along a fold, or the edge
/// of a form, it goes on; a bowl's does not.
fn isolated(
    search: &Search<'_>,
    place: &Candidate,
    light: Option<[f64; 2]>,
    far: f64,
    settings: &MetricSettings,
) -> bool {
    let [x, y] = light.unwrap_or_default();
    let response = |side: f64| {
        let at = Candidate { x: place.x - side * far * y, y: place.y + side * far * x, ..*place };
        search.amplitudes(&at).into_iter().fold(f64::MIN, f64::max)
    };
    response(1.0).max(response(-1.0)) <= settings.scar_sides_max * response(0.0)
}

/// Skin in the cells that have filters.
fn searched(search: &Search<'_>, skin: &Mask) -> Mask {
    let mut searched = Mask::filled(skin.width(), skin.height(), false);
    for Cell { window, .. } in search.cells.iter().filter(|cell| !cell.filters.is_empty()) {
        for y in window.y..window.y + window.height {
            for x in window.x..window.x + window.width {
                searched.set(x, y, skin.at(x, y));
            }
        }
    }
    searched
}

/// Skin on the planes of the search.
pub struct Ground {
    /// Pixels of the window of the region map in one of the planes, both ways.
    factor: usize,
    mm_per_px: f64,
    skin: Mask,
    /// Skin that no line crosses nearby.
    valid: Mask,
    /// That away from its edges.
    inner: Mask,
    /// Radius of a filter, px of the planes.
    radius: usize,
}

impl Ground {
    /// Skin that all views show, away from the `lines` of any.
    ///
    /// # Errors
    /// `NoScale`; that of the lines where they could not be read, as they would be taken for scars.
    pub fn new(
        views: &[View<'_>],
        lines: &Result<Vec<LinePoint>, Reason>,
        frame: &Frame,
        settings: &MetricSettings,
    ) -> Result<Ground, Reason> {
        if !frame.metric_scale {
            return Err(Reason::NoScale);
        }
        let factor = ((settings.scar_grid_mm / frame.mm_per_px) as usize).max(1);
        let px = |mm: f64| mm / (frame.mm_per_px * factor as f64);
        let skin = skin(views, factor);
        let lines = lines.as_ref().map_err(|reason| *reason)?;
        let valid = beside(lines, &skin, factor, px(settings.scar_line_mm));
        let inner = away_from_edges(&valid, px(settings.scar_margin_mm));
        let radius = px(settings.scar_reach_mm).round() as usize;
        Ok(Ground { factor, mm_per_px: frame.mm_per_px, skin, valid, inner, radius })
    }

    fn px(&self, mm: f64) -> f64 {
        mm / (self.mm_per_px * self.factor as f64)
    }

    fn search<'a>(&'a self, planes: &'a [Plane], cells: &'a [Cell]) -> Search<'a> {
        Search { factor: self.factor, planes, inner: &self.inner, cells }
    }

    fn covariance(&self, planes: &[Plane]) -> Option<Autocovariance> {
        let everywhere = Window::full(self.valid.width(), self.valid.height());
        let planes: Vec<&Plane> = planes.iter().collect();
        Autocovariance::of(&planes, &self.valid, everywhere, 2 * self.radius, 2)
    }
}

/// Many scars must not hide each other: what is far beyond the median does not count as background texture.
fn without_outliers(planes: &[Plane], ground: &Ground, settings: &MetricSettings) -> Vec<Plane> {
    let mut sizes: Vec<f64> =
        planes.iter().flat_map(|plane| inside(plane, &ground.valid, 1)).collect();
    let most = (settings.scar_texture * median(&mut sizes).unwrap_or(0.0)) as f32;
    planes.iter().map(|p| p.map(|v| v.clamp(-most, most))).collect()
}

/// Cells of a search, and the direction of light in each.
#[derive(Debug, Clone)]
struct LitCells {
    cells: Vec<Cell>,
    light: Vec<Option<[f64; 2]>>,
}

/// Filters for bowls of each size, in cells with their own light and amplitude of background texture.
fn cells(
    planes: &[Plane],
    slopes: &Slopes<'_>,
    ground: &Ground,
    settings: &MetricSettings,
) -> Result<LitCells, Reason> {
    let (w, h) = (ground.valid.width(), ground.valid.height());
    let everywhere = Window::full(w, h);
    let texture = without_outliers(planes, ground, settings);
    let covariance = ground.covariance(&texture).ok_or(Reason::LowCoverage)?;
    let difference = ground.covariance(&differences(&texture));
    let whitener = Whitener::new(&covariance, ground.radius, settings.scar_ridge);
    let variance = |window: Window| {
        let inside = ground.valid.crop(window);
        texture.iter().map(|plane| mean_square(&plane.crop(window), &inside)).sum::<f64>()
    };
    let of_all = variance(everywhere);
    let windows: Vec<(Window, Window)> = search::cells([w, h], ground.px(settings.pore_cell_mm))
        .into_iter()
        .map(|(window, around)| {
            let skin = ground.valid.crop(around);
            let visible = skin.data().iter().filter(|v| **v).count();
            // A cell with little skin takes what is known of the rest.
            let few = (visible as f64) < settings.scar_cell_min * skin.data().len() as f64;
            (window, if few { everywhere } else { around })
        })
        .collect();
    let light = par_collect(windows.len(), |i| {
        let [across, down] = slopes.light_direction(slopes.window(windows[i].1, ground.factor))?;
        let steep = across.hypot(down);
        (steep >= settings.scar_falls_min).then(|| [across / steep, down / steep])
    });
    let cells = par_collect(windows.len(), |i| {
        let (window, around) = windows[i];
        let local = (variance(around) / of_all).sqrt();
        let filters = light[i].filter(|_| local > 0.0).and_then(|falls| {
            let filter = |radius_mm: &f64| {
                let radius = ground.px(*radius_mm);
                let matched =
                    whitener.as_ref()?.filter(|x, y| bowl(x / radius, y / radius, falls))?;
                let noise = matched.noise * local;
                let limit = settings.scar_noises * noise;
                let apart = difference.as_ref().map_or(0.0, |d| local * matched.spread(d));
                Some(Filter { noise, limit, apart, matched })
            };
            settings.scar_radii_mm.iter().map(filter).collect::<Option<Vec<_>>>()
        });
        Cell { window, filters: filters.unwrap_or_default() }
    });
    Ok(LitCells { cells, light })
}

/// Skin on the planes of the search.
fn skin(views: &[View<'_>], factor: usize) -> Mask {
    let luminance = &views[0].luminance.valid;
    let seen = Mask::from_fn(luminance.width(), luminance.height(), |x, y| {
        let cell = |v: &View<'_>| v.tone.valid.at(x / v.tone.cell_px, y / v.tone.cell_px);
        luminance.at(x, y) && views.iter().all(cell)
    });
    shrink_mask(&seen, factor)
}

/// Skin that no line crosses within `line_px`.
fn beside(lines: &[LinePoint], skin: &Mask, factor: usize, line_px: f64) -> Mask {
    let mut crossed = Mask::filled(skin.width(), skin.height(), false);
    lines.iter().for_each(|line| crossed.set(line.x / factor, line.y / factor, true));
    let crossed = dilate(&crossed, line_px.round() as usize);
    skin.zip(&crossed, |skin, crossed| skin && !crossed)
}

/// Log light of the visits, on the planes of the search, without what their colour explains and without what
/// is slower than scars: where they are sought, and where their depth is read.
fn shading(views: &[View<'_>], ground: &Ground, settings: &MetricSettings) -> [Vec<Plane>; 2] {
    let (valid, factor, mm_per_px) = (&ground.valid, ground.factor, ground.mm_per_px);
    let rest = colourless(views, mm_per_px, settings);
    let seen = &views[0].luminance.valid;
    let mut sizes: Vec<f64> = rest.iter().flat_map(|plane| inside(plane, seen, SAMPLE)).collect();
    let usual = median(&mut sizes).unwrap_or(0.0);
    let surround = settings.scar_surround_mm / (mm_per_px * factor as f64);
    let around = MaskedBlur::new(valid, surround as f32);
    // Pores and what the lines leave are darker than most bowls' shading, and would be taken for some: one
    // limit for all visits.
    settings.scar_clip.map(|limit| {
        let most = (limit * usual) as f32;
        let cut = |plane: &Plane| shrink(&plane.map(|v| v.clamp(-most, most)), factor);
        rest.iter().map(|plane| around.residual(&cut(plane))).collect()
    })
}

/// Every so manieth pixel is enough for a median.
const SAMPLE: usize = 31;

/// Sizes of every `step`th of the pixels that are inside a mask.
fn inside(plane: &Plane, mask: &Mask, step: usize) -> Vec<f64> {
    let pixels = plane.data().iter().zip(mask.data()).step_by(step);
    pixels.filter(|(_, m)| **m).map(|(v, _)| f64::from(v.abs())).collect()
}

/// Log light of the visits at all pixels, without what their colour explains.
fn colourless(views: &[View<'_>], mm_per_px: f64, settings: &MetricSettings) -> Vec<Plane> {
    let cell = views[0].tone.cell_px;
    let cells = |mm: f64| mm / (mm_per_px * cell as f64);
    let seen = &views[0].luminance.valid;
    let coarse = shrink_mask(seen, cell);
    let valid = Mask::from_fn(coarse.width(), coarse.height(), |x, y| {
        coarse.at(x, y) && views.iter().all(|v| v.tone.valid.at(x, y))
    });
    let mean = |mm: f64| MaskedBlur::new(&valid, cells(mm) as f32);
    let (near, around) = (mean(settings.scar_colour_mm), mean(settings.scar_surround_mm));
    let smooth = |plane: &Plane| around.residual(&near.mean(plane));
    // Of each visit: light, log red over green, log green over blue.
    let planes: Vec<[Plane; 3]> = views
        .iter()
        .map(|view| {
            let ratio = |a: usize, b: usize| {
                let [a, b] =
                    [a, b].map(|k| view.tone.rgb.map(|c| c[k].max(f32::MIN_POSITIVE).ln()));
                smooth(&a.zip(&b, |a, b| a - b))
            };
            [smooth(&shrink(&view.luminance.flat, cell)), ratio(0, 1), ratio(1, 2)]
        })
        .collect();
    let all = |k: usize| -> Vec<f64> {
        let pixels = planes.iter().flat_map(|p| p[k].data().iter().zip(valid.data()));
        pixels.filter(|(_, m)| **m).map(|(v, _)| f64::from(*v)).collect()
    };
    let [u, v] = explained(&all(0), &all(1), &all(2)).map(|v| v as f32);
    let rest = |(view, [_, a, b]): (&View<'_>, &[Plane; 3])| {
        let colour = a.zip(b, |a, b| u * a + v * b);
        let colour = enlarge(&colour, cell, seen.width(), seen.height());
        view.luminance.flat.zip(&colour, |l, c| l - c)
    };
    views.iter().zip(&planes).map(rest).collect()
}

/// The u and v for which l − u·a − v·b is the least, in the mean of the squares; 0 where a and b are one.
fn explained(l: &[f64], a: &[f64], b: &[f64]) -> [f64; 2] {
    let sum = |p: &[f64], q: &[f64]| p.iter().zip(q).map(|(p, q)| p * q).sum::<f64>();
    let (aa, ab, bb, la, lb) = (sum(a, a), sum(a, b), sum(b, b), sum(l, a), sum(l, b));
    let determinant = aa * bb - ab * ab;
    if determinant <= 1e-9 * aa * bb || !determinant.is_finite() {
        return [0.0; 2];
    }
    [(la * bb - lb * ab) / determinant, (lb * aa - la * ab) / determinant]
}

/// The slope along `falls`, per radius, of a bowl of depth 1 whose depth is half at distance 1.
fn bowl(x: f64, y: f64, falls: [f64; 2]) -> f64 {
    let square = x * x + y * y;
    4.0 * square * (x * falls[0] + y * falls[1]) / (1.0 + square * square).powi(2)
}

/// Share of skin within `reach` px of a place.
fn visible(skin: &Mask, place: &Candidate, reach: f64) -> f64 {
    let reach = reach.round() as isize;
    let (x, y) = (place.x.round() as isize, place.y.round() as isize);
    let square = (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| [dx, dy]));
    let disc: Vec<_> = square.filter(|[dx, dy]| dx * dx + dy * dy <= reach * reach).collect();
    let inside = |[dx, dy]: &&[isize; 2]| {
        let (x, y) = (x + dx, y + dy);
        let frame = x >= 0 && y >= 0 && x < skin.width() as isize && y < skin.height() as isize;
        frame && skin.at(x as usize, y as usize)
    };
    disc.iter().filter(inside).count() as f64 / disc.len() as f64
}

/// Reads a bowl, and its depth in the `planes` for that.
fn read_scar(
    search: &Search<'_>,
    planes: &[Plane],
    place: &Candidate,
    mm_per_px: f64,
    settings: &MetricSettings,
) -> Scar {
    let [x, y] = search.place(place);
    let radius_px = settings.scar_radii_mm[place.size] / mm_per_px;
    let amplitudes = search.amplitudes(place);
    let filter = search.filter(place);
    let least = filter.least(&amplitudes, settings.scar_hysteresis, settings.scar_differences);
    let depth = |amplitude: f64| amplitude * radius_px / settings.scar_shading;
    let bias = filter.selection_bias(&amplitudes) + settings.scar_chosen * filter.noise;
    let reading = |(amplitude, plane): (f64, &Plane)| ScarReading {
        depth_px: depth(filter.matched.at(plane, place.x, place.y) - bias),
        present: amplitude >= least,
    };
    let weight = depth(filter.noise).powi(-2);
    let readings = amplitudes.into_iter().zip(planes).map(reading).collect();
    Scar { x, y, radius_px, weight, readings }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_the_slope_of_a_bowl() {
        let depth = |x: f64, y: f64| -1.0 / (1.0 + (x * x + y * y).powi(2));
        let ([u, v], step) = ([0.6, -0.8], 1e-5);
        for (x, y) in [(0.3, 0.1), (-0.7, 0.9), (1.4, -1.1), (0.0, 0.0)] {
            let slope = (depth(x + step * u, y + step * v) - depth(x - step * u, y - step * v))
                / (2.0 * step);
            assert!((bowl(x, y, [u, v]) - slope).abs() < 1e-8);
        }
    }

    #[test]
    fn what_colour_explains_is_told() {
        let a = [1.0, -2.0, 0.5, 3.0, -1.0];
        let b = [0.3, 0.9, -1.2, 0.4, 2.0];
        let l: Vec<f64> = a.iter().zip(b).map(|(a, b)| -1.2 * a + 0.7 * b).collect();
        let [u, v] = explained(&l, &a, &b);
        assert!((u + 1.2).abs() < 1e-12 && (v - 0.7).abs() < 1e-12);
        // Grey skin has one colour.
        assert_eq!(explained(&l, &[0.0; 5], &[0.0; 5]), [0.0; 2]);
        assert_eq!(explained(&l, &a, &a), [0.0; 2]);
    }
}
