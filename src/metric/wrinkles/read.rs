//! Reads traced lines in one or two photos.

use super::detect::check_resolution;
use super::groove::Groove;
use super::neighbours::Neighbours;
use super::section::{Section, mean, section};
use super::trace::{TracedPoint, trace};
use super::{LinePoint, LineReading, RidgeResponse};
use crate::filter::stats::quantile;
use crate::luminance::Luminance;
use crate::metric::{Reason, Sampling};
use crate::plane::par_collect;
use crate::settings::MetricSettings;
use std::collections::BTreeMap;

/// Traces lines in the largest response of all photos and reads them in each.
///
/// # Errors
/// As [`detect`](super::detect()), for any of the photos.
pub fn read(
    visits: &[&Luminance],
    responses: &[&Result<RidgeResponse, Reason>],
    sampling: &Sampling,
    settings: &MetricSettings,
) -> Result<Vec<LinePoint>, Reason> {
    check_resolution(sampling, settings)?;
    let responses = responses.iter().map(|r| r.as_ref().map_err(|reason| *reason));
    let responses = responses.collect::<Result<Vec<_>, Reason>>()?;
    let traced = trace(&visits[0].valid, &responses, sampling, settings);
    let sections = par_collect(traced.len(), |i| {
        let each = visits.iter().map(|l| section(&l.flat, &traced[i], sampling, settings));
        each.collect::<Vec<Section>>()
    });
    let neighbours = Neighbours::new(&traced, settings.line_smooth_mm / sampling.mm_per_px);
    let grooves = par_collect(traced.len(), |i| {
        let smooth: Vec<Section> =
            (0..visits.len()).map(|v| neighbours.local_fit(i, |k| sections[k][v])).collect();
        PointGroove::of(&smooth, traced[i].background, sampling, settings)
    });
    let present = present(&traced, &grooves, visits.len(), settings);
    let points = par_collect(traced.len(), |i| {
        let groove = grooves[i].as_ref()?;
        let in_all = || neighbours.of(i).all(|k| present[k].iter().all(|present| *present));
        let measurable = traced[i].unobstructed && in_all();
        Some(groove.line_point(&traced[i], &sections[i], &present[i], measurable))
    });
    Ok(points.into_iter().flatten().collect())
}

/// The groove at a point, from cross-sections smoothed along the line.
struct PointGroove {
    /// Depth in the mean of all visits, mm.
    depth_mm: f64,
    /// Depth in each visit, over that in the mean.
    relative_depths: Vec<f64>,
    /// Amplitude in each visit, over that in the strongest.
    retained_fractions: Vec<f64>,
    /// Whether the point's cross-sections are reversed, so that all lines have the side that oblique light darkens
    /// on their left.
    reversed: bool,
}

impl PointGroove {
    /// `None` where the contrast is too low in every visit. `smooth` holds a cross-section of each visit.
    fn of(
        smooth: &[Section],
        background: f64,
        sampling: &Sampling,
        settings: &MetricSettings,
    ) -> Option<Self> {
        let joint = mean(smooth);
        let groove = Groove::of(&joint, sampling);
        let amplitudes: Vec<f64> =
            smooth.iter().map(|section| groove.relative_amplitude(section, &joint)).collect();
        let strongest = amplitudes.iter().copied().fold(1.0, f64::max);
        (groove.contrast(&joint) * strongest >= settings.line_contrast).then(|| PointGroove {
            depth_mm: groove.depth_mm(&joint),
            relative_depths: smooth
                .iter()
                .map(|s| groove.change(s, &joint, background).depth)
                .collect(),
            retained_fractions: amplitudes.into_iter().map(|a| a / strongest).collect(),
            reversed: joint
                .iter()
                .zip(sampling.groove.offsets_mm())
                .map(|(v, x)| v * x)
                .sum::<f64>()
                < 0.0,
        })
    }

    /// The point with what each visit shows there; `sections` and `present` hold one of each visit.
    fn line_point(
        &self,
        traced: &TracedPoint,
        sections: &[Section],
        present: &[bool],
        measurable: bool,
    ) -> LinePoint {
        let oriented = |mut section: Section| {
            if self.reversed {
                section.reverse();
            }
            section
        };
        let reading = |v: usize| LineReading {
            depth_mm: self.depth_mm * self.relative_depths[v],
            present: present[v],
            section: oriented(sections[v]),
        };
        let pixel = |v: f64| v.round().max(0.0) as usize;
        LinePoint {
            x: pixel(traced.x),
            y: pixel(traced.y),
            length_px: traced.length_px,
            readings: (0..sections.len()).map(reading).collect(),
            measurable,
            mean_section: oriented(mean(sections)),
            background: traced.background,
        }
    }
}

/// Whether the line is present at each point in each visit: it retains a minimum of the amplitude in the strongest
/// visit, and of what the visit retains along the line. A point whose contrast is too low to decide counts as present,
/// and interrupts no line.
fn present(
    traced: &[TracedPoint],
    grooves: &[Option<PointGroove>],
    visits: usize,
    settings: &MetricSettings,
) -> Vec<Vec<bool>> {
    let retention = retention_q75(traced, grooves, visits);
    let of = |(groove, point): (&Option<PointGroove>, &TracedPoint)| {
        let Some(groove) = groove else { return vec![true; visits] };
        let limits = retention[&point.line]
            .iter()
            .map(|q75| settings.line_retained_q75_share * q75)
            .map(|limit| limit.max(settings.line_retained_min));
        groove.retained_fractions.iter().zip(limits).map(|(f, limit)| *f >= limit).collect()
    };
    grooves.iter().zip(traced).map(of).collect()
}

/// Upper quartile of the fraction that each line retains along its length in each visit, by line.
fn retention_q75(
    traced: &[TracedPoint],
    grooves: &[Option<PointGroove>],
    visits: usize,
) -> BTreeMap<u32, Vec<f64>> {
    let mut lines: BTreeMap<u32, Vec<&PointGroove>> = BTreeMap::new();
    for (point, groove) in traced.iter().zip(grooves) {
        lines.entry(point.line).or_default().extend(groove);
    }
    let quartile = |grooves: &[&PointGroove], v: usize| {
        let mut fractions: Vec<f64> = grooves.iter().map(|g| g.retained_fractions[v]).collect();
        quantile(&mut fractions, 0.75).unwrap_or(0.0)
    };
    let of_line = |grooves: Vec<&PointGroove>| (0..visits).map(|v| quartile(&grooves, v)).collect();
    lines.into_iter().map(|(line, grooves)| (line, of_line(grooves))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Tiles;
    use crate::metric::wrinkles::groove::width_of_gaussian;
    use crate::metric::wrinkles::{depth, detect, length, sheet, width};
    use crate::plane::{Mask, Plane, Window};
    use crate::settings::GrooveSettings;

    fn sampling() -> Sampling {
        Sampling::sharp(0.08)
    }

    /// The lines of one photo.
    fn lines(l: &Luminance) -> Result<Vec<LinePoint>, Reason> {
        let settings = MetricSettings::default();
        let response = detect(l, &sampling(), &settings);
        read(&[l], &[&response], &sampling(), &settings)
    }

    /// (length mm, width mm, depth mm) of the lines of a photo of 400 × 300 px, read as one region.
    fn read_all(l: &Luminance) -> [f64; 3] {
        let sampling = sampling();
        let points = lines(l).unwrap();
        let tiles = Tiles::new(Window::full(400, 300), l.valid.clone(), 400);
        let sums = sheet(&points, 0, &tiles).total(&[1.0]);
        [length::METRIC, width::METRIC, depth::METRIC]
            .map(|metric| (metric.measure)(&sums, &sampling).unwrap())
    }

    /// A straight Gaussian line of 200 px, lit from a side by `slope` of its derivative:
    /// (length mm, width mm, depth mm).
    fn read_line(contrast: f32, slope: f32, sigma: f32) -> [f64; 3] {
        let flat = Plane::from_fn(400, 300, |x, y| {
            let (dx, dy) = (x as f32 - 200.0, y as f32 - 150.0);
            let (t, d) = (0.8 * dx + 0.6 * dy, -0.6 * dx + 0.8 * dy);
            let gauss = (-0.5 * (d / sigma).powi(2)).exp();
            if t.abs() < 100.0 { (slope * d / sigma - contrast) * gauss } else { 0.0 }
        });
        read_all(&Luminance::synthetic(flat))
    }

    /// The forward formula of the groove, from the integral of the drawn profile, comes back; the odd part that oblique
    /// light adds moves the integral little, and the width by up to a third.
    #[test]
    fn reads_a_drawn_line() {
        let (contrast, sigma) = (0.12, 4.0);
        let settings = GrooveSettings::default();
        let width = width_of_gaussian(sigma * 0.08);
        let integral = contrast * std::f64::consts::TAU.sqrt() * sigma * 0.08;
        for slope in [0.0, 0.1] {
            let found = read_line(contrast as f32, slope, sigma as f32);
            assert!((found[0] / 16.0 - 1.0).abs() < 0.08, "length {found:?}");
            // Half of a slope makes the profile darker and its dark lobe, by itself, somewhat wider.
            let most = if slope > 0.0 { 0.35 } else { 0.06 };
            assert!((found[1] / width - 1.0).abs() < most, "width {found:?}, {width}");
            let q = found[2] / found[1];
            let back = found[1] * settings.depth_factor * q * q / (1.0 + 0.5 * q * q);
            // Cross-sections at both ends of the line are half empty.
            assert!((back / integral - 1.0).abs() < 0.25, "integral {back}, {integral}");
        }
    }

    /// (length mm, width mm, depth mm) of a drawn line of 22.4 mm, where `hidden` skin is not valid.
    fn read_beside(hidden: impl Fn(usize, usize) -> bool + Sync) -> [f64; 3] {
        let flat = Plane::from_fn(400, 300, |x, y| {
            let d = (y as f32 - 150.0) / 4.0;
            let line = if (60..340).contains(&x) { -0.12 * (-0.5 * d * d).exp() } else { 0.0 };
            if hidden(x, y) { 0.0 } else { line }
        });
        let valid = Mask::from_fn(400, 300, |x, y| !hidden(x, y));
        read_all(&Luminance { valid, ..Luminance::synthetic(flat) })
    }

    /// A line continues beside a small highlight, where its depth is not read, but not along the skin's edge.
    #[test]
    fn a_small_highlight_beside_a_line_does_not_interrupt_it() {
        // A square of `side_mm` whose nearest side is 0.4 mm off the line.
        let beside = |side_mm: f64| {
            let side = (side_mm / sampling().mm_per_px) as usize;
            read_beside(move |x, y| x.abs_diff(200) <= side / 2 && (155..155 + side).contains(&y))
        };
        let uninterrupted = beside(0.0);
        assert!((uninterrupted[0] / 22.4 - 1.0).abs() < 0.05, "{uninterrupted:?}");
        let small = beside(1.5);
        for (small, uninterrupted) in small.iter().zip(uninterrupted) {
            assert!((small / uninterrupted - 1.0).abs() < 0.005, "{small} {uninterrupted}");
        }
        assert!(beside(4.0)[0] < uninterrupted[0] - 4.0, "{:?}", beside(4.0));
    }

    /// A strip that a follow-up does not cover is the skin's edge, however thin: dark skin ends there.
    #[test]
    fn the_edge_of_valid_skin_is_no_line() {
        let flat = Plane::from_fn(400, 300, |_, y| {
            let d = y as f32 - 12.0;
            if d < 0.0 { 0.0 } else { -0.2 * (-d / 10.0).exp() }
        });
        let valid = Mask::from_fn(400, 300, |_, y| y >= 12);
        let l = Luminance { valid, ..Luminance::synthetic(flat) };
        assert!(lines(&l).unwrap().is_empty());
    }
}
