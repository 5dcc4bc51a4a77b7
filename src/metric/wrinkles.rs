//! Wrinkles: dark lines, found once for a pair and read in each photo at the same places.
//!
//! Candidates are crests of [`oriented`] derivatives of any visit, linked to lines ([`link`]). A line
//! counts by how much more it answers than the mesh of skin around, summed along it: the mesh answers
//! strongly in places, not for long. At each point the cross-section is sampled in every visit.
//!
//! Depth and width come from the mean cross-section of all lines of a region, in which the mesh that
//! crosses them averages out. What a groove keeps from the camera is the integral of the dip, which
//! neither blur nor scattering of light in skin moves, and to which the odd part of a sidelong light adds
//! nothing. By radiosity in long grooves (V, U and Gaussian, albedo 0.3–0.65, a sky and a lamp in any
//! mixture) it is D ≈ w·K·q²/(1 + ½q²) with q = depth/width: the steeper the walls, the less light
//! they get and the less of them is seen; `benches/groove.py` makes the table. K is a mean over
//! mixtures of light and shapes that are not known: depths are good to some 20 %. How a visit's depth differs is
//! told by the height and the stretch of the pair's mean section that fit its own: the light that both share
//! does not count, nor the mesh, whose share is taken off each section first. Its width is that of what is left.

pub(super) mod area_percent;
pub(super) mod density;
pub(super) mod depth;
pub(super) mod depth_max;
pub(super) mod length;
mod sums;
pub(super) mod width;

pub(super) use sums::sheet;

use super::{Frame, Reason};
use crate::filter::gaussian::{MaskedBlur, away_from_edges};
use crate::filter::link::{Linked, link};
use crate::filter::morphology::open;
use crate::filter::oriented::{Oriented, oriented};
use crate::filter::resize::{shrink, shrink_mask};
use crate::filter::stats::quantile;
use crate::filter::thin::thin;
use crate::filter::warp::bilinear;
use crate::luminance::Luminance;
use crate::plane::{Grid, Mask, Plane, par_collect};
use crate::settings::{GrooveSettings, MetricSettings};
use std::collections::BTreeMap;

/// What one visit shows at a point of a centre line.
#[derive(Debug, Clone, PartialEq)]
pub struct LineReading {
    /// Optical estimate of the depth, mm, from the sections of some millimetres of line around.
    pub depth_mm: f64,
    /// Whether the line counts in this visit.
    pub present: bool,
    /// The cross-section, log units.
    section: Section,
}

/// One point of a centre line.
#[derive(Debug, Clone, PartialEq)]
pub struct LinePoint {
    /// Column in the window of the region map.
    pub x: usize,
    /// Row.
    pub y: usize,
    /// Length of line that this point stands for, px.
    pub length_px: f64,
    /// One per visit.
    pub readings: Vec<LineReading>,
    /// Whether all visits show it, and the line some millimetres to both sides, and nothing hides skin beside
    /// it: only then it is read for depth and width.
    whole: bool,
    /// Mean section of the visits.
    joint: Section,
    /// What the mesh of skin around answers, of what the line does, in the mean of the visits.
    mesh: f64,
}

/// Log light across a line: samples from −reach to +reach, evenly spaced.
type Section = [f64; SAMPLES];
/// Samples of a section; odd, so that one lies on the line.
const SAMPLES: usize = 49;

/// Ridge response of one photo, in which lines are traced.
#[derive(Debug, Clone)]
pub struct Response {
    /// Pixels of the window of the region map in one of its own, both ways.
    factor: usize,
    ridges: Grid<Oriented>,
}

/// Filters one photo for lines.
///
/// # Errors
/// `BelowResolution` where pixels or blur hide fine wrinkles.
pub fn detect(
    photo: &Luminance,
    frame: &Frame,
    settings: &MetricSettings,
) -> Result<Response, Reason> {
    measurable(frame, settings)?;
    log::trace!(target: "skindelta", "search lines");
    let factor = ((settings.line_grid_mm / frame.mm_per_px) as usize).max(1);
    let px = |mm: f64| mm / (frame.mm_per_px * factor as f64);
    let sigma = |mm: &f64| px(*mm).max(settings.line_sigma_min_px) as f32;
    let sigmas: Vec<f32> = settings.line_sigmas_mm.iter().map(sigma).collect();
    let along = px(settings.line_along_mm) as f32;
    let flat = shrink(&photo.flat, factor);
    let ridges = oriented(&flat, along, &sigmas, settings.line_directions);
    Ok(Response { factor, ridges })
}

fn measurable(frame: &Frame, settings: &MetricSettings) -> Result<(), Reason> {
    let most = settings.line_period_max_mm / frame.mm_per_px;
    if frame.shortest_period_px > most { Err(Reason::BelowResolution) } else { Ok(()) }
}

/// Traces lines in the larger response of all photos and reads them in each.
///
/// # Errors
/// As [`detect`], for any of the photos.
pub fn read(
    visits: &[&Luminance],
    responses: &[&Result<Response, Reason>],
    frame: &Frame,
    settings: &MetricSettings,
) -> Result<Vec<LinePoint>, Reason> {
    measurable(frame, settings)?;
    let responses = responses.iter().map(|r| r.as_ref().map_err(|reason| *reason));
    let responses = responses.collect::<Result<Vec<_>, Reason>>()?;
    let px = |mm: f64| mm / frame.mm_per_px;
    let places = places(&visits[0].valid, &responses, frame, settings);
    let sections = par_collect(places.len(), |i| {
        let each = visits.iter().map(|l| section(&l.flat, &places[i], frame, settings));
        each.collect::<Vec<Section>>()
    });
    let near = Near::new(&places, px(settings.line_smooth_mm));
    let seen = par_collect(places.len(), |i| {
        let smooth: Vec<Section> =
            (0..visits.len()).map(|v| near.smooth(i, |k| sections[k][v])).collect();
        let joint = mean(&smooth);
        let shape = Groove::of(&joint, frame);
        let shares: Vec<f64> = smooth.iter().map(|section| shape.share(section, &joint)).collect();
        let most = shares.iter().copied().fold(1.0, f64::max);
        (shape.contrast(&joint) * most >= settings.line_contrast).then(|| Seen {
            depth_mm: shape.depth_mm(&joint),
            changes: smooth.iter().map(|s| shape.change(s, &joint, places[i].mesh).depth).collect(),
            remains: shares.into_iter().map(|share| share / most).collect(),
            // All sections look the same way: the dark side of a sidelong light to the left.
            flip: joint.iter().zip(frame.groove.places()).map(|(v, x)| v * x).sum::<f64>() < 0.0,
        })
    });
    let usual = usual(&places, &seen, visits.len());
    // A place too faint to be judged interrupts no line.
    let present: Vec<Vec<bool>> = seen
        .iter()
        .zip(&places)
        .map(|(seen, place)| {
            let Some(seen) = seen else { return vec![true; visits.len()] };
            let least = usual[&place.line].iter().map(|usual| settings.line_remains_usual * usual);
            let least = least.map(|least| least.max(settings.line_remains));
            seen.remains.iter().zip(least).map(|(remains, least)| *remains >= least).collect()
        })
        .collect();
    let points = par_collect(places.len(), |i| {
        let (place, seen) = (&places[i], seen[i].as_ref()?);
        let turned = |mut section: Section| {
            if seen.flip {
                section.reverse();
            }
            section
        };
        let readings = (0..visits.len()).map(|v| LineReading {
            depth_mm: seen.depth_mm * seen.changes[v],
            present: present[i][v],
            section: turned(sections[i][v]),
        });
        let at = |v: f64| v.round().max(0.0) as usize;
        Some(LinePoint {
            x: at(place.x),
            y: at(place.y),
            length_px: place.length_px,
            readings: readings.collect(),
            whole: place.clear && near.around(i).all(|k| present[k].iter().all(|present| *present)),
            joint: turned(mean(&sections[i])),
            mesh: place.mesh,
        })
    });
    Ok(points.into_iter().flatten().collect())
}

/// What a place shows, seen together with its neighbours on the line.
struct Seen {
    /// Depth of the mean section of all visits, mm.
    depth_mm: f64,
    /// Depth in each visit, as a factor of that.
    changes: Vec<f64>,
    /// What each visit shows of the dip that the strongest visit shows.
    remains: Vec<f64>,
    /// Whether its sections are turned round.
    flip: bool,
}

/// What usually remains of each line in each visit: the upper quartile over its places.
fn usual(places: &[Place], seen: &[Option<Seen>], visits: usize) -> BTreeMap<u32, Vec<f64>> {
    let mut lines: BTreeMap<u32, Vec<&Seen>> = BTreeMap::new();
    for (place, seen) in places.iter().zip(seen) {
        lines.entry(place.line).or_default().extend(seen);
    }
    let quartile = |seen: &[&Seen], v: usize| {
        let mut remains: Vec<f64> = seen.iter().map(|s| s.remains[v]).collect();
        quantile(&mut remains, 0.75).unwrap_or(0.0)
    };
    let of_line = |seen: Vec<&Seen>| (0..visits).map(|v| quartile(&seen, v)).collect();
    lines.into_iter().map(|(line, seen)| (line, of_line(seen))).collect()
}

/// A point of a centre line before it is read.
struct Place {
    /// Window px.
    x: f64,
    y: f64,
    length_px: f64,
    along: [f64; 2],
    /// What the mesh of skin around answers, of what the line does.
    mesh: f64,
    /// Which line it belongs to.
    line: u32,
    /// Whether nothing that hides the skin lies beside it.
    clear: bool,
}

/// The centre lines of all photos together on the skin that is `valid` in all.
fn places(
    valid: &Mask,
    responses: &[&Response],
    frame: &Frame,
    settings: &MetricSettings,
) -> Vec<Place> {
    let factor = responses[0].factor;
    let cell = |mm: f64| mm / (frame.mm_per_px * factor as f64);
    let valid = shrink_mask(valid, factor);
    // A line that one photo shows is one, if it has come or gone.
    let stronger = |a: Oriented, b: Oriented| if a.response >= b.response { a } else { b };
    let mut lines = responses[0].ridges.clone();
    for other in &responses[1..] {
        lines = lines.zip(&other.ridges, stronger);
    }
    // Lines are sought beside a small highlight, not at the skin's edge, of which the window may show a strip.
    let (w, h) = (valid.width(), valid.height());
    let hole = cell(settings.line_hole_mm).round() as usize;
    let wide = open(&valid.map(|skin| !skin), hole);
    let skin = Mask::from_fn(w, h, |x, y| {
        let inside = x >= hole && y >= hole && x + hole < w && y + hole < h;
        valid.at(x, y) || (inside && !wide.at(x, y))
    });
    let margin = cell(settings.line_margin_mm);
    let inner = away_from_edges(&skin, margin).zip(&valid, |inner, skin| inner && skin);
    let clear = away_from_edges(&valid, margin);
    // What the mesh of skin gives around here: what is much stronger than the mean is lines.
    let strength = lines.map(|l| l.response);
    let surround = MaskedBlur::new(&valid, cell(settings.line_surround_mm) as f32);
    let all = surround.mean(&strength);
    let mesh = strength.zip(&all, |v, a| v.min(settings.line_mesh_max as f32 * a));
    let around = surround.mean(&mesh);
    // How much more than that a place answers, of it.
    let excess = strength.zip(&around, |v, a| v / a - 1.0);
    let side = |x: usize, y: usize, s: f64| {
        let [tx, ty] = lines.at(x, y).along.map(f64::from);
        f64::from(bilinear(&strength, x as f64 - s * ty, y as f64 + s * tx))
    };
    let apart = cell(settings.line_apart_mm).max(1.0) as usize;
    let crest = Mask::from_fn(strength.width(), strength.height(), |x, y| {
        let v = f64::from(strength.at(x, y));
        // Where nothing answers, nothing stands out: else 0 would be a crest of 0.
        inner.at(x, y)
            && v > 0.0
            && f64::from(excess.at(x, y)) >= settings.line_excess
            && (1..=apart).all(|s| v >= side(x, y, s as f64) && v >= side(x, y, -(s as f64)))
    });
    let (gap, turn) =
        (cell(settings.line_gap_mm) as f32, settings.line_turn_deg.to_radians() as f32);
    let linked = link(&thin(&crest), &lines, gap, turn);
    let cell_mm = frame.mm_per_px * factor as f64;
    let mut places = Vec::new();
    for (line, points) in linked.iter().enumerate() {
        let answer = |p: &Linked| f64::from(strength.at(p.x, p.y));
        let usual = quantile(&mut points.iter().map(answer).collect::<Vec<_>>(), 0.5);
        let within = |p: &Linked| usual.is_some_and(|v| answer(p) >= settings.line_end * v);
        let first = points.iter().position(within).unwrap_or(0);
        let last = points.iter().rposition(within).unwrap_or(0);
        let points = &points[first..=last];
        let length_mm = cell_mm * points.iter().map(|p| p.length).sum::<f64>();
        let stands_out = |p: &Linked| p.length * f64::from(excess.at(p.x, p.y));
        let salience_mm = cell_mm * points.iter().map(stands_out).sum::<f64>();
        if length_mm < settings.line_min_mm || salience_mm < settings.line_salience_mm {
            continue;
        }
        for &Linked { x, y, length } in points {
            let here = lines.at(x, y);
            let (before, v, after) =
                (side(x, y, -1.0), f64::from(strength.at(x, y)), side(x, y, 1.0));
            let bend = before + after - 2.0 * v;
            let off =
                if bend < 0.0 { (0.5 * (before - after) / bend).clamp(-1.0, 1.0) } else { 0.0 };
            let along = here.along.map(f64::from);
            let full = |v: f64| (v + 0.5) * factor as f64 - 0.5;
            places.push(Place {
                x: full(x as f64 - off * along[1]),
                y: full(y as f64 + off * along[0]),
                length_px: factor as f64 * length,
                along,
                mesh: f64::from(around.at(x, y)) / v,
                line: line as u32,
                clear: clear.at(x, y),
            });
        }
    }
    places
}

/// The cross-section at a place, a mean over parallels along the line.
fn section(flat: &Plane, place: &Place, frame: &Frame, settings: &MetricSettings) -> Section {
    let [tx, ty] = place.along;
    let half = 0.5 * settings.line_average_mm / frame.mm_per_px;
    let mut out = [0.0; SAMPLES];
    for (v, x_mm) in out.iter_mut().zip(frame.groove.places()) {
        let d = x_mm / frame.mm_per_px;
        let parallels = (-PARALLELS..=PARALLELS).map(|k| {
            let a = half * k as f64 / PARALLELS as f64;
            f64::from(bilinear(flat, place.x + a * tx - d * ty, place.y + a * ty + d * tx))
        });
        *v = parallels.sum::<f64>() / (2 * PARALLELS + 1) as f64;
    }
    out
}

/// Parallels to each side of a section.
const PARALLELS: isize = 3;

/// Smallest variance of places along a line, of the squared radius, that a slope is fitted to.
const SHORT: f64 = 0.01;

/// Places by the cell they lie in, to find those near to one on the same line.
struct Near<'a> {
    places: &'a [Place],
    cells: BTreeMap<(u32, i64, i64), Vec<usize>>,
    radius: f64,
}

impl<'a> Near<'a> {
    fn new(places: &'a [Place], radius: f64) -> Self {
        let mut near = Near { places, cells: BTreeMap::new(), radius: radius.max(1.0) };
        for (i, place) in places.iter().enumerate() {
            near.cells.entry(near.cell(place)).or_default().push(i);
        }
        near
    }

    fn cell(&self, place: &Place) -> (u32, i64, i64) {
        (place.line, (place.x / self.radius) as i64, (place.y / self.radius) as i64)
    }

    /// Places on the line of place `i` that lie within the radius.
    fn around(&self, i: usize) -> impl Iterator<Item = usize> {
        let here = &self.places[i];
        let (line, cx, cy) = self.cell(here);
        let cells = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy)));
        cells
            .flat_map(move |(dx, dy)| {
                self.cells.get(&(line, cx + dx, cy + dy)).into_iter().flatten()
            })
            .copied()
            .filter(move |&k| {
                let there = &self.places[k];
                (there.x - here.x).hypot(there.y - here.y) <= self.radius
            })
    }

    /// What is read around place `i` on its line, a local straight fit along it (a mean would be drawn
    /// inwards at the ends): weights fall as a Gaussian of half the radius and with the angle between
    /// the two.
    fn smooth<const N: usize>(&self, i: usize, of: impl Fn(usize) -> [f64; N]) -> [f64; N] {
        let here = &self.places[i];
        let (mut sum, mut sloping) = ([0.0; N], [0.0; N]);
        let mut moments = [0.0; 3];
        for k in self.around(i) {
            let there = &self.places[k];
            let [dx, dy] = [there.x - here.x, there.y - here.y].map(|d| d / self.radius);
            let t = dx * here.along[0] + dy * here.along[1];
            let turn = here.along[0] * there.along[0] + here.along[1] * there.along[1];
            let weight = turn.abs() * (-2.0 * (dx * dx + dy * dy)).exp();
            moments.iter_mut().zip([1.0, t, t * t]).for_each(|(m, p)| *m += weight * p);
            let read = of(k);
            for (x, v) in sum.iter_mut().enumerate() {
                let read = weight * read[if turn < 0.0 { N - 1 - x } else { x }];
                *v += read;
                sloping[x] += t * read;
            }
        }
        let [all, first, second] = moments;
        let spread = all * second - first * first;
        // A line too short to tell a slope has a mean.
        if spread < SHORT * all * all {
            return sum.map(|v| v / all);
        }
        std::array::from_fn(|x| (second * sum[x] - first * sloping[x]) / spread)
    }
}

fn mean(sections: &[Section]) -> Section {
    let mut sum = [0.0; SAMPLES];
    for section in sections {
        sum.iter_mut().zip(section).for_each(|(s, v)| *s += v / sections.len() as f64);
    }
    sum
}

impl GrooveSettings {
    /// Distance of two samples of a section, mm.
    fn step_mm(&self) -> f64 {
        2.0 * self.reach_mm / (SAMPLES - 1) as f64
    }

    /// Where the samples of a section lie, mm from the line.
    fn places(&self) -> impl Iterator<Item = f64> + use<> {
        let reach = self.reach_mm;
        (0..SAMPLES).map(move |i| reach * (2.0 * i as f64 / (SAMPLES - 1) as f64 - 1.0))
    }
}

/// What a section tells of a groove.
#[derive(Debug, Clone, Copy)]
struct Groove {
    /// Full width at half depth of the groove, mm.
    width_mm: f64,
    /// Half width of the dip, mm.
    core_mm: f64,
    /// First and last sample of the dip: where the pair's section first reaches the level beside it. The same in
    /// both visits: a shoulder that one shows just above the level and the other just below makes neither jump.
    dip: [usize; 2],
    /// Full width at half maximum of the photo's own blur, mm.
    camera_mm: f64,
    settings: GrooveSettings,
}

impl Groove {
    /// Its width, once on a dip of the least width and again on one as wide as was found.
    fn of(section: &Section, frame: &Frame) -> Groove {
        let settings = frame.groove;
        let camera_mm = FWHM * settings.blur_periods * frame.shortest_period_px * frame.mm_per_px;
        let core_mm = settings.core_mm;
        let mut groove = Groove { width_mm: 0.0, core_mm, dip: [0, 0], camera_mm, settings };
        groove.dip = groove.dip_of(section);
        for _ in 0..2 {
            groove.width_mm = groove.width_of(section);
            let most = settings.reach_mm - settings.rim_mm;
            groove.core_mm = settings.core_mm.max(settings.core_widths * groove.width_mm).min(most);
            groove.dip = groove.dip_of(section);
        }
        groove
    }

    /// Full width at half depth of the groove that a section's dip shows, mm. What the eye of the camera, the
    /// scattering of light and the placing of the line add to the dip's square is taken off, and the rest is
    /// told as the groove's: its walls are dark where they are steep. 0 where there is no dip.
    fn width_of(&self, section: &Section) -> f64 {
        let seen = self.dip_mm(section);
        let own = seen * seen - self.settings.spread_mm.powi(2) - self.camera_mm.powi(2);
        own.max((self.settings.width_min * seen).powi(2)).sqrt() / self.settings.dark
    }

    /// Places and values of the dip.
    fn core<'a>(&self, section: &'a Section) -> impl Iterator<Item = (usize, f64)> + use<'a> {
        let core = self.core_mm;
        let inside = section.iter().enumerate().zip(self.settings.places());
        inside.filter(move |(_, x)| x.abs() <= core).map(|((i, v), _)| (i, *v))
    }

    /// What part of the shape `of` a section has, the dip and what is beside it: 1 is all of it.
    fn share(&self, section: &Section, of: &Section) -> f64 {
        let reach = self.core_mm + self.settings.rim_mm;
        let near = |s: &Section| -> Vec<f64> {
            let near = s.iter().zip(self.settings.places()).filter(|(_, x)| x.abs() <= reach);
            near.map(|(v, _)| *v).collect()
        };
        let own = near(section);
        part(&own, &near(of), &[&vec![1.0; own.len()]])
    }

    /// The sample at the darkest place of the dip.
    fn bottom(&self, section: &Section) -> usize {
        let darkest = self.core(section).min_by(|a, b| a.1.total_cmp(&b.1));
        darkest.map_or(SAMPLES / 2, |(i, _)| i)
    }

    /// Full width at half depth of the dip around its darkest place, mm: of the Gaussian of its depth and
    /// area, which a shoulder that comes and goes at half depth does not make jump; 0 where there is no dip.
    fn dip_mm(&self, section: &Section) -> f64 {
        let contrast = self.contrast(section);
        if contrast <= 0.0 {
            return 0.0;
        }
        let level = self.level(section);
        let [first, last] = self.dip;
        let area: f64 = section[first..=last].iter().map(|v| (level - v).max(0.0)).sum();
        area * self.settings.step_mm() / contrast / GAUSS_AREA
    }

    /// First and last sample around the darkest that are darker than beside the dip.
    fn dip_of(&self, section: &Section) -> [usize; 2] {
        let level = self.level(section);
        let bottom = self.bottom(section);
        let dark = |i: &usize| section[*i] < level;
        let first = (0..bottom).rev().take_while(dark).last();
        let last = (bottom..SAMPLES).take_while(dark).last();
        [first.unwrap_or(bottom), last.unwrap_or(bottom)]
    }

    /// Mean of the section beside the dip.
    fn level(&self, section: &Section) -> f64 {
        let beside =
            |x: f64| x.abs() > self.core_mm && x.abs() <= self.core_mm + self.settings.rim_mm;
        let (sum, n) = section
            .iter()
            .zip(self.settings.places())
            .filter(|(_, x)| beside(*x))
            .fold((0.0, 0.0), |(sum, n), (v, _)| (sum + v, n + 1.0));
        sum / f64::max(n, 1.0)
    }

    /// How much darker than beside it the darkest place of the dip is, log units.
    fn contrast(&self, section: &Section) -> f64 {
        self.level(section) - section[self.bottom(section)]
    }

    /// The integral of the dip, log units times mm.
    fn deficit(&self, section: &Section) -> f64 {
        let level = self.level(section);
        self.core(section).map(|(_, v)| level - v).sum::<f64>() * self.settings.step_mm()
    }

    /// How much of a dip the section's integral makes up: 1 where light falls from the front, less where
    /// it comes from a side or shines, and where it is too little to be told from the mesh of skin.
    fn solid(&self, section: &Section) -> f64 {
        let all = self.contrast(section) * self.width_mm;
        if all <= 0.0 {
            return 0.0;
        }
        (self.deficit(section) / (self.settings.solid * all)).clamp(0.0, 1.0)
    }

    /// Depth of the pair's mean section, mm. The integral counts for as much as `solid` of a dip at
    /// least.
    fn depth_mm(&self, section: &Section) -> f64 {
        let least = 0.5 * self.settings.solid * self.contrast(section);
        let k = self.settings.dip;
        // D/w tends to 2K for ever steeper walls; what is beyond 1.5K is no number.
        let y = (self.deficit(section) / self.width_mm).max(least).min(1.5 * k);
        self.width_mm * (y / (k - 0.5 * y)).sqrt()
    }

    /// What a visit's section tells of the groove whose mean section over the visits, `joint`, `self` is of.
    ///
    /// Lines are found where the mesh of skin happens to be dark, too; it does not change with them. What it
    /// answers around, `mesh`, tells how much of the mean section is its own: that is taken off first.
    ///
    /// The depth is told by the height and the stretch of the mean section that fit best, wherever it lies.
    /// By radiosity (`benches/groove.py`) the height goes as the depth where a lamp stands at a side, to a
    /// power of 0.8–1.3, and the dip's integral as its square. The height follows a lamp that moved, the
    /// integral hardly does: it counts by half where it is solid. Under an even sky the height, too, goes as
    /// the square, and a change of depth is told up to half too large. What grew narrower is steeper, and
    /// so darker.
    fn change(&self, section: &Section, joint: &Section, mesh: f64) -> Change {
        let mesh = (self.settings.mesh * mesh).clamp(0.0, MESH_MAX);
        let own: Section = std::array::from_fn(|i| (section[i] - mesh * joint[i]) / (1.0 - mesh));
        let at: Vec<f64> = self.settings.places().collect();
        let reach = self.core_mm + self.settings.rim_mm;
        let near: Vec<usize> = (1..SAMPLES - 1).filter(|&i| at[i].abs() <= reach).collect();
        let bottom = at[self.bottom(joint)];
        let of =
            |value: &dyn Fn(usize) -> f64| near.iter().map(|&i| value(i)).collect::<Vec<f64>>();
        let slope = |i: usize| (joint[i + 1] - joint[i - 1]) / (at[i + 1] - at[i - 1]);
        let (level, shift) = (of(&|_| 1.0), of(&slope));
        let (shape, stretch) = (of(&|i| joint[i]), of(&|i| (bottom - at[i]) * slope(i)));
        let seen = of(&|i| own[i]);
        let height = part(&seen, &shape, &[&level, &shift, &stretch]);
        let told = height >= FAINT;
        let grown =
            if told { part(&seen, &stretch, &[&level, &shift, &shape]) / height } else { 0.0 };
        let grown = grown.clamp(-STRETCH_MAX, STRETCH_MAX);
        let trust = 0.5 * self.solid(joint);
        let dip = if trust > 0.0 { self.deficit(&own) / self.deficit(joint) } else { 1.0 };
        let depth = height.max(VANISHED).powf(1.0 - trust) * dip.max(VANISHED).powf(0.5 * trust);
        Change {
            depth: depth * (grown * (1.0 - 0.5 * trust)).exp(),
            width_mm: if told { self.width_of(&own) } else { 0.0 },
        }
    }
}

/// What a visit's section tells of its groove.
struct Change {
    /// Depth, as a factor of that of the pair's mean.
    depth: f64,
    /// Full width at half depth; 0 where next to nothing is left.
    width_mm: f64,
}

/// How much of `shape` a section has, beside the `others`: the coefficient of least squares.
fn part(section: &[f64], shape: &[f64], others: &[&[f64]]) -> f64 {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let rest = |of: &[f64], basis: &[Vec<f64>]| {
        let mut rest = of.to_vec();
        for b in basis {
            let share = product(&rest, b) / product(b, b).max(f64::MIN_POSITIVE);
            rest.iter_mut().zip(b).for_each(|(r, b)| *r -= share * b);
        }
        rest
    };
    for other in others {
        let next = rest(other, &basis);
        basis.push(next);
    }
    let alone = rest(shape, &basis);
    let all = product(&alone, shape);
    if all > 0.0 { product(&alone, section) / all } else { 0.0 }
}

/// Area of a Gaussian of height 1 and of full width 1 at half depth.
const GAUSS_AREA: f64 = 1.064_467_019;
/// Full width at half depth of a Gaussian of sigma 1.
const FWHM: f64 = 2.354_820_045;
/// A section is never told to be more of the mesh's making.
const MESH_MAX: f64 = 0.6;
/// A section with less of the mean one than this tells no stretch.
const FAINT: f64 = 0.2;
/// Largest stretch that a fit to first order tells, natural log.
const STRETCH_MAX: f64 = 0.7;
/// What is left of a groove that has vanished: a log has no 0.
const VANISHED: f64 = 1e-3;

/// Lengths of line that the first visit and not the last shows, that the last and not the first does, and
/// that both do, in the unit of lengths.
pub fn vanished_new_kept(points: &[LinePoint], frame: &Frame) -> [f64; 3] {
    let mut lengths = [0.0; 3];
    for point in points {
        let (Some(first), Some(last)) = (point.readings.first(), point.readings.last()) else {
            continue;
        };
        let kind = match (first.present, last.present) {
            (true, false) => 0,
            (false, true) => 1,
            (true, true) => 2,
            (false, false) => continue,
        };
        lengths[kind] += point.length_px * frame.length();
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Tiles;
    use crate::plane::Window;

    fn frame() -> Frame {
        Frame {
            mm_per_px: 0.08,
            metric_scale: true,
            shortest_period_px: 3.0,
            groove: GrooveSettings::default(),
        }
    }

    /// The lines of one photo.
    fn lines(l: &Luminance) -> Result<Vec<LinePoint>, Reason> {
        let settings = MetricSettings::default();
        let response = detect(l, &frame(), &settings);
        read(&[l], &[&response], &frame(), &settings)
    }

    /// (length mm, width mm, depth mm) of what a photo of 400 × 300 px shows, read as a whole region.
    fn read_whole(l: &Luminance) -> [f64; 3] {
        let frame = frame();
        let points = lines(l).unwrap();
        let tiles = Tiles::new(Window::full(400, 300), l.valid.clone(), 400);
        let sums = sheet(&points, 0, &tiles).total(&[1.0]);
        [length::METRIC, width::METRIC, depth::METRIC]
            .map(|metric| (metric.measure)(&sums, &frame).unwrap())
    }

    /// A straight dip of 200 px, lit from a side by `slope` of its derivative, read as a whole region:
    /// (length mm, width mm, depth mm).
    fn read_line(contrast: f32, slope: f32, sigma: f32) -> [f64; 3] {
        let flat = Plane::from_fn(400, 300, |x, y| {
            let (dx, dy) = (x as f32 - 200.0, y as f32 - 150.0);
            let (t, d) = (0.8 * dx + 0.6 * dy, -0.6 * dx + 0.8 * dy);
            let gauss = (-0.5 * (d / sigma).powi(2)).exp();
            if t.abs() < 100.0 { (slope * d / sigma - contrast) * gauss } else { 0.0 }
        });
        read_whole(&Luminance::synthetic(flat))
    }

    /// Width of the groove whose dip is a Gaussian of `sigma_mm`, less what scattering and the camera add.
    fn width_of_dip(sigma_mm: f64) -> f64 {
        let settings = GrooveSettings::default();
        let seen = FWHM * sigma_mm;
        let camera = FWHM * settings.blur_periods * 3.0 * 0.08;
        let own = seen * seen - settings.spread_mm.powi(2) - camera * camera;
        own.sqrt() / settings.dark
    }

    /// The forward formula of the groove, from the deficit of the drawn dip, comes back; the odd part
    /// of a sidelong light moves the integral little, and the width by up to a third.
    #[test]
    fn reads_a_drawn_line() {
        let (contrast, sigma) = (0.12, 4.0);
        let settings = GrooveSettings::default();
        let width = width_of_dip(sigma * 0.08);
        let deficit = contrast * std::f64::consts::TAU.sqrt() * sigma * 0.08;
        for slope in [0.0, 0.1] {
            let found = read_line(contrast as f32, slope, sigma as f32);
            assert!((found[0] / 16.0 - 1.0).abs() < 0.08, "length {found:?}");
            // Half of a slope makes the dip darker and, seen by its dark lobe alone, somewhat wider.
            let most = if slope > 0.0 { 0.35 } else { 0.06 };
            assert!((found[1] / width - 1.0).abs() < most, "width {found:?}, {width}");
            let q = found[2] / found[1];
            let back = found[1] * settings.dip * q * q / (1.0 + 0.5 * q * q);
            // Sections at both ends of the line are half empty.
            assert!((back / deficit - 1.0).abs() < 0.25, "deficit {back}, {deficit}");
        }
    }

    /// (length mm, width mm, depth mm) of a drawn line of 22.4 mm, where `hidden` skin is not seen.
    fn read_beside(hidden: impl Fn(usize, usize) -> bool + Sync) -> [f64; 3] {
        let flat = Plane::from_fn(400, 300, |x, y| {
            let d = (y as f32 - 150.0) / 4.0;
            let line = if (60..340).contains(&x) { -0.12 * (-0.5 * d * d).exp() } else { 0.0 };
            if hidden(x, y) { 0.0 } else { line }
        });
        let valid = Mask::from_fn(400, 300, |x, y| !hidden(x, y));
        read_whole(&Luminance { valid, ..Luminance::synthetic(flat) })
    }

    /// A line goes on along a small highlight, where its depth is not read, and not along the skin's edge.
    #[test]
    fn a_small_highlight_beside_a_line_leaves_it_whole() {
        // A square of `side_mm` whose nearest side is 0.4 mm off the line.
        let beside = |side_mm: f64| {
            let side = (side_mm / frame().mm_per_px) as usize;
            read_beside(move |x, y| x.abs_diff(200) <= side / 2 && (155..155 + side).contains(&y))
        };
        let whole = beside(0.0);
        assert!((whole[0] / 22.4 - 1.0).abs() < 0.05, "{whole:?}");
        let small = beside(1.5);
        for (small, whole) in small.iter().zip(whole) {
            assert!((small / whole - 1.0).abs() < 0.005, "{small} {whole}");
        }
        assert!(beside(4.0)[0] < whole[0] - 4.0, "{:?}", beside(4.0));
    }

    /// A strip that a follow-up does not show is the skin's edge, however thin: dark skin ends there.
    #[test]
    fn the_edge_of_what_a_photo_shows_is_no_line() {
        let flat = Plane::from_fn(400, 300, |_, y| {
            let d = y as f32 - 12.0;
            if d < 0.0 { 0.0 } else { -0.2 * (-d / 10.0).exp() }
        });
        let valid = Mask::from_fn(400, 300, |_, y| y >= 12);
        let l = Luminance { valid, ..Luminance::synthetic(flat) };
        assert!(lines(&l).unwrap().is_empty());
    }

    /// The mesh of skin that a line was found on stays as it is: what is left tells the groove.
    #[test]
    fn a_groove_on_the_mesh_of_skin_tells_its_own_width_and_depth() {
        let frame = frame();
        let gauss = |height: f64, sigma_mm: f64| -> Section {
            let places: Vec<f64> = frame.groove.places().collect();
            std::array::from_fn(|i| -height * (-0.5 * (places[i] / sigma_mm).powi(2)).exp())
        };
        let answers = 0.4;
        let mesh = frame.groove.mesh * answers;
        let read = |grooves: [Section; 2]| {
            let joint = mean(&grooves);
            let shape = Groove::of(&joint, &frame);
            grooves.map(|own| {
                let seen = std::array::from_fn(|i| mesh * joint[i] + (1.0 - mesh) * own[i]);
                shape.change(&seen, &joint, answers)
            })
        };
        let [wide, narrow] = read([gauss(0.2, 0.4), gauss(0.2, 0.28)]);
        for (told, sigma_mm) in [(wide.width_mm, 0.4), (narrow.width_mm, 0.28)] {
            let drawn = width_of_dip(sigma_mm);
            assert!((told / drawn - 1.0).abs() < 0.03, "{told} {drawn}");
        }
        let [before, after] = read([gauss(0.2, 0.4), gauss(0.14, 0.4)]);
        assert!((after.width_mm / before.width_mm - 1.0).abs() < 1e-9, "{}", after.width_mm);
        // The height as the depth, the integral as its square.
        let ratio = after.depth / before.depth;
        assert!(ratio > 0.7 - 1e-9 && ratio < 0.7f64.sqrt(), "{ratio}");
    }

    #[test]
    fn the_share_of_a_shape_is_linear() {
        let shape: Section = std::array::from_fn(|i| -(-(i as f64 - 24.0).powi(2) / 30.0).exp());
        let groove = Groove::of(&shape, &frame());
        assert!((groove.share(&shape.map(|v| 0.3 * v + 0.7), &shape) - 0.3).abs() < 1e-12);
        assert!(groove.share(&[0.2; SAMPLES], &shape).abs() < 1e-12);
    }
}
