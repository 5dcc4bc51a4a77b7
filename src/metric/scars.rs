//! Atrophic scars: depressions of 1.5–5 mm, found once for a pair and read in each photo at the same places.
//!
//! A bowl in the skin is lit on the side away from the lamp and in shade on the side towards it. Over some
//! millimetres that shading is fainter than the blotches of melanin and blood. What these do to brightness
//! they do to colour too, and shading does not: the part of the luminance that the colour beside explains
//! (least squares over all visits, as melanin and haemoglobin have one colour each) is taken off. In what is
//! left a bowl's lit and shaded sides, along the direction in which the light falls ([`super::lamp`]), are
//! sought with the filter that the skin around disturbs least ([`crate::filter::matched`]). A dark spot has no
//! such sides. Lines and folds have: what lies about a line is left out, and what answers on beside itself,
//! across the light, is no bowl.
//!
//! How deep a bowl is for the shading that it shows depends on the lamp: the slope of the wall is told for a
//! usual one, and holds within a factor of two. Changes do not depend on it.

use super::lamp::Lamp;
use super::search::{self, Candidate, Cell, Filter, Search, differences};
use super::wrinkles::LinePoint;
use super::{Frame, Reason, Sheet, Tiles, View};
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

/// Finds depressions in all visits together and reads them in each, away from the `lines`.
///
/// # Errors
/// `NoScale`; that of the lines where they could not be read, as they would be taken for scars; `LowCoverage`
/// where there is too little skin to know its texture by.
pub fn read(
    views: &[View<'_>],
    lamp: &Lamp,
    lines: &Result<Vec<LinePoint>, Reason>,
    frame: &Frame,
    settings: &MetricSettings,
) -> Result<Scars, Reason> {
    if !frame.metric_scale {
        return Err(Reason::NoScale);
    }
    let factor = ((settings.scar_grid_mm / frame.mm_per_px) as usize).max(1);
    let px = |mm: f64| mm / (frame.mm_per_px * factor as f64);
    let skin = skin(views, factor);
    let lines = lines.as_ref().map_err(|reason| *reason)?;
    let valid = beside(lines, &skin, factor, px(settings.scar_line_mm));
    let [planes, read] = shading(views, &valid, factor, frame.mm_per_px, settings);
    let inner = away_from_edges(&valid, px(settings.scar_margin_mm));
    let (w, h) = (valid.width(), valid.height());
    let everywhere = Window::full(w, h);
    let radius = px(settings.scar_reach_mm).round() as usize;
    let covariance = |planes: &[Plane]| {
        let planes: Vec<&Plane> = planes.iter().collect();
        Autocovariance::of(&planes, &valid, everywhere, 2 * radius, 2)
    };
    // Many scars must not hide each other: what is far beyond the usual does not count as texture.
    let mut sizes: Vec<f64> = planes.iter().flat_map(|plane| inside(plane, &valid, 1)).collect();
    let most = (settings.scar_texture * median(&mut sizes).unwrap_or(0.0)) as f32;
    let texture: Vec<Plane> = planes.iter().map(|p| p.map(|v| v.clamp(-most, most))).collect();
    let mesh = covariance(&texture).ok_or(Reason::LowCoverage)?;
    let unlike = covariance(&differences(&texture));
    let whitener = Whitener::new(&mesh, radius, settings.scar_ridge);
    let variance = |window: Window| {
        let inside = valid.crop(window);
        texture.iter().map(|plane| mean_square(&plane.crop(window), &inside)).sum::<f64>()
    };
    let usual = variance(everywhere);
    let windows: Vec<(Window, Window)> = search::cells([w, h], px(settings.pore_cell_mm))
        .into_iter()
        .map(|(window, around)| {
            let skin = valid.crop(around);
            let seen = skin.data().iter().filter(|v| **v).count();
            // A cell with little skin takes what is known of the rest.
            let few = (seen as f64) < settings.scar_cell_min * skin.data().len() as f64;
            (window, if few { everywhere } else { around })
        })
        .collect();
    let light = par_collect(windows.len(), |i| {
        let [across, down] = lamp.falls(lamp.window(windows[i].1, factor))?;
        let steep = across.hypot(down);
        (steep >= settings.scar_falls_min).then(|| [across / steep, down / steep])
    });
    let cells = par_collect(windows.len(), |i| {
        let (window, around) = windows[i];
        let local = (variance(around) / usual).sqrt();
        let filters = light[i].filter(|_| local > 0.0).and_then(|falls| {
            let filter = |radius_mm: &f64| {
                let radius = px(*radius_mm);
                let matched =
                    whitener.as_ref()?.filter(|x, y| bowl(x / radius, y / radius, falls))?;
                let noise = matched.noise * local;
                let limit = settings.scar_noises * noise;
                let apart = unlike.as_ref().map_or(0.0, |unlike| local * matched.spread(unlike));
                Some(Filter { noise, limit, apart, matched })
            };
            settings.scar_radii_mm.iter().map(filter).collect::<Option<Vec<_>>>()
        });
        Cell { window, filters: filters.unwrap_or_default() }
    });
    let search = Search { factor, planes: &planes, inner: &inner, cells };
    // Along a fold, or the edge of a form, the answer goes on to a side across the light; a bowl's does not.
    let alone = |place: &Candidate| {
        let [x, y] = light[place.cell].unwrap_or_default();
        let far = 2.0 * px(settings.scar_radii_mm[place.size]);
        let answer = |side: f64| {
            let at =
                Candidate { x: place.x - side * far * y, y: place.y + side * far * x, ..*place };
            search.amplitudes(&at).into_iter().fold(f64::MIN, f64::max)
        };
        answer(1.0).max(answer(-1.0)) <= settings.scar_sides_max * answer(0.0)
    };
    let candidates = search.candidates(px(settings.scar_apart_mm).round() as usize);
    let mut scars: Vec<Scar> = Vec::new();
    for place in candidates {
        let reach = 2.0 * px(settings.scar_radii_mm[place.size]);
        if seen(&skin, &place, reach) < settings.scar_seen_min || !alone(&place) {
            continue;
        }
        let scar = read_scar(&search, &read, &place, frame, settings);
        let near = |other: &Scar| {
            let apart = (other.x - scar.x).hypot(other.y - scar.y);
            apart < other.radius_px.max(scar.radius_px) + settings.scar_apart_mm / frame.mm_per_px
        };
        if !scars.iter().any(near) {
            scars.push(scar);
        }
    }
    scars.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x)));
    let lit = search.cells.iter().filter(|cell| !cell.filters.is_empty());
    let mut searched = Mask::filled(w, h, false);
    for window in lit.map(|cell| cell.window) {
        for y in window.y..window.y + window.height {
            for x in window.x..window.x + window.width {
                searched.set(x, y, skin.at(x, y));
            }
        }
    }
    Ok(Scars { found: scars, searched, factor })
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
fn shading(
    views: &[View<'_>],
    valid: &Mask,
    factor: usize,
    mm_per_px: f64,
    settings: &MetricSettings,
) -> [Vec<Plane>; 2] {
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
        rest.iter().map(|plane| around.rest(&cut(plane))).collect()
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
    let smooth = |plane: &Plane| around.rest(&near.mean(plane));
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
fn seen(skin: &Mask, place: &Candidate, reach: f64) -> f64 {
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

fn read_scar(
    search: &Search<'_>,
    planes: &[Plane],
    place: &Candidate,
    frame: &Frame,
    settings: &MetricSettings,
) -> Scar {
    let [x, y] = search.place(place);
    let radius_px = settings.scar_radii_mm[place.size] / frame.mm_per_px;
    let amplitudes = search.amplitudes(place);
    let filter = search.filter(place);
    let least = filter.least(&amplitudes, settings.scar_hysteresis, settings.scar_differences);
    let depth = |amplitude: f64| amplitude * radius_px / settings.scar_shading;
    let gained = filter.gained(&amplitudes) + settings.scar_chosen * filter.noise;
    let reading = |(amplitude, plane): (f64, &Plane)| ScarReading {
        depth_px: depth(filter.matched.at(plane, place.x, place.y) - gained),
        present: amplitude >= least,
    };
    let weight = depth(filter.noise).powi(-2);
    Scar {
        x,
        y,
        radius_px,
        weight,
        readings: amplitudes.into_iter().zip(planes).map(reading).collect(),
    }
}

/// Columns: pixels searched, area of those present, px²; of all: weight, depth times weight here, and in the
/// mean of the visits; and how many.
const COLUMNS: usize = 6;
/// What is left of scars that have healed, of their depth in the mean of the visits: a log has no 0.
const HEALED: f64 = 0.05;

/// Sums over tiles.
pub fn sheet(scars: &Scars, visit: usize, tiles: &Tiles) -> Sheet {
    let mut sheet = Sheet::new(tiles.count(), COLUMNS);
    tiles.for_each(|tile, x, y| {
        let searched = scars.searched.at(x / scars.factor, y / scars.factor);
        sheet.tile(tile)[0] += f64::from(u8::from(searched));
    });
    for scar in &scars.found {
        let (x, y) = (scar.x.round().max(0.0) as usize, scar.y.round().max(0.0) as usize);
        let Some(tile) = tiles.of(x, y) else { continue };
        let reading = &scar.readings[visit];
        let mut row = sheet.tile(tile);
        if reading.present {
            row[1] += std::f64::consts::PI * scar.radius_px * scar.radius_px;
        }
        row[2] += scar.weight;
        row[3] += scar.weight * reading.depth_px;
        let all = scar.readings.iter().map(|r| r.depth_px).sum::<f64>();
        row[4] += scar.weight * all / scar.readings.len() as f64;
        row[5] += 1.0;
    }
    sheet
}

/// How many scars some visit shows.
pub fn number(s: &[f64]) -> f64 {
    s[5]
}

/// `scar_area_percent`: area within half depth of those present, of the skin that a lamp lights from beside.
pub fn area_percent(s: &[f64], _: &Frame) -> Result<f64, Reason> {
    if s[0] <= 0.0 { Err(Reason::Quality) } else { Ok(100.0 * s[1] / s[0]) }
}

/// `scar_depth`: mean depth of all that some visit shows, the better read counting more.
pub fn depth(s: &[f64], frame: &Frame) -> Result<f64, Reason> {
    if s[0] <= 0.0 {
        return Err(Reason::Quality);
    }
    if number(s) <= 0.0 {
        return Err(Reason::NothingFound);
    }
    if s[4] <= 0.0 {
        return Err(Reason::BelowNoise);
    }
    Ok(s[3].max(HEALED * s[4]) / s[2] * frame.length())
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
