//! Reads detected pores in one or two photos.

use super::detect::{cells, check_resolution, search};
use super::profile::{DIRECTIONS, DarkProfile, Profiles};
use super::{Pore, PoreCandidates, PoreReading};
use crate::filter::gaussian::diffuse;
use crate::luminance::Luminance;
use crate::metric::relief::{FineRelief, Slopes};
use crate::metric::search::{Candidate, Search};
use crate::metric::{Reason, Sampling};
use crate::plane::{Plane, par_collect};
use crate::settings::MetricSettings;

/// Reads the candidates of all photos in each of them.
///
/// # Errors
/// As [`detect`](super::detect()), for any of the photos or all together.
pub fn read(
    visits: &[&Luminance],
    relief: &FineRelief,
    detected: &[&Result<PoreCandidates, Reason>],
    sampling: &Sampling,
    settings: &MetricSettings,
) -> Result<Vec<Pore>, Reason> {
    check_resolution(sampling, settings)?;
    let detected = detected.iter().map(|d| d.as_ref().map_err(|reason| *reason));
    let detected = detected.collect::<Result<Vec<_>, Reason>>()?;
    let joint;
    let cells = match detected[..] {
        [own] => &own.cells,
        _ => {
            let slopes = Slopes::of(relief, sampling.mm_per_px, settings);
            joint = cells(relief, &slopes, sampling, settings)?;
            &joint
        }
    };
    let search = search(relief, cells);
    let candidates: Vec<&[Candidate]> = detected.iter().map(|d| &d.candidates[..]).collect();
    let detections = search.detections(&candidates);
    let smooth: Vec<Plane> =
        visits.iter().map(|l| diffuse(&l.flat, &l.valid, settings.pore_smoothing_px2)).collect();
    let reader = Reader { visits: &smooth, search: &search, sampling, settings };
    let pores = par_collect(detections.len(), |i| reader.read(&detections[i]));
    Ok(distinct(pores.into_iter().flatten().collect(), sampling, settings))
}

/// What detections are read with.
struct Reader<'a> {
    /// Smoothed log luminance.
    visits: &'a [Plane],
    search: &'a Search<'a>,
    sampling: &'a Sampling,
    settings: &'a MetricSettings,
}

impl Reader<'_> {
    /// Reads a detection in all visits; `None` where it has not the size or the form of a pore.
    fn read(&self, detection: &Candidate) -> Option<Pore> {
        let (sampling, settings) = (self.sampling, self.settings);
        let [x, y] = self.search.centre(detection);
        let reach = settings.pore_diameter_mm[1] / sampling.mm_per_px * 0.75;
        let visits: Vec<Profiles> =
            self.visits.iter().map(|plane| Profiles::around(plane, [x, y], reach)).collect();
        let dark = DarkProfile::of(&visits, detection.size, sampling, settings)?;
        let radii: Vec<Vec<Option<f64>>> = visits.iter().map(|v| v.radii(&dark)).collect();
        let amplitudes = self.search.amplitudes(detection);
        let filter = self.search.filter(detection);
        let presence_limit =
            filter.presence_limit(&amplitudes, settings.pore_hysteresis, settings.pore_vanished_sd);
        let reading = |v: usize| PoreReading {
            rings: visits[v].rings(),
            diameter_px: dark.diameter_px * dark.relative_volume(&visits[v]).max(0.0).sqrt(),
            elongation: elongation(&radii[v], dark.rim_px()),
            present: amplitudes[v] >= presence_limit,
            captured: amplitudes[v] >= settings.pore_capture_response * filter.limit,
        };
        let readings: Vec<PoreReading> = (0..visits.len()).map(reading).collect();
        let round = readings.iter().any(|r| r.elongation <= settings.pore_elongation_max);
        if !(self.has_pore_size(&dark) && round && self.is_closed(&radii)) {
            return None;
        }
        let strongest = amplitudes.iter().copied().fold(f64::MIN, f64::max);
        Some(Pore {
            x,
            y,
            diameter_px: dark.diameter_px,
            selection_bias: filter.selection_bias(&amplitudes) / strongest,
            used_for_diameter: visits.len() == 1
                || strongest >= settings.pore_diameter_response * filter.limit,
            readings,
        })
    }

    /// Whether the diameter is that of a pore, the smallest less the error of one diameter.
    fn has_pore_size(&self, dark: &DarkProfile) -> bool {
        let [small, large] = self.settings.pore_diameter_mm;
        let least = (small - self.settings.pore_diameter_error_mm) / self.sampling.mm_per_px;
        dark.square_px2 >= least * least && dark.diameter_px * self.sampling.mm_per_px <= large
    }

    /// Whether some visit is dark against nearly every direction: a valley between plateaus, or a line's end, is open
    /// to some side. `radii` holds those of each visit.
    fn is_closed(&self, radii: &[Vec<Option<f64>>]) -> bool {
        let open = |radii: &Vec<Option<f64>>| radii.iter().filter(|r| r.is_none()).count();
        radii.iter().any(|radii| open(radii) <= self.settings.pore_open_directions_max)
    }
}

/// Largest ratio of two diameters at right angles. A direction without a radius has that of the rim.
fn elongation(radii: &[Option<f64>], rim_px: f64) -> f64 {
    let radii: Vec<f64> = radii.iter().map(|r| r.unwrap_or(rim_px)).collect();
    let axes: Vec<f64> =
        (0..DIRECTIONS / 2).map(|k| radii[k] + radii[k + DIRECTIONS / 2]).collect();
    (0..axes.len())
        .map(|k| axes[k] / axes[(k + axes.len() / 2) % axes.len()].max(1e-6))
        .fold(1.0, f64::max)
}

/// Keeps the stronger of two pores whose centres lie within the larger one's radius. Pores come
/// strongest first.
fn distinct(pores: Vec<Pore>, sampling: &Sampling, settings: &MetricSettings) -> Vec<Pore> {
    let cell = (settings.pore_diameter_mm[1] / sampling.mm_per_px).max(1.0);
    let key = |p: &Pore| ((p.x / cell) as i64, (p.y / cell) as i64);
    let mut kept: Vec<Pore> = Vec::new();
    let mut cells: std::collections::BTreeMap<(i64, i64), Vec<usize>> = Default::default();
    for pore in pores {
        let (cx, cy) = key(&pore);
        let clash = (-1..=1).any(|dy| {
            (-1..=1).any(|dx| {
                cells.get(&(cx + dx, cy + dy)).is_some_and(|list| {
                    list.iter().any(|&k| {
                        let other: &Pore = &kept[k];
                        (other.x - pore.x).hypot(other.y - pore.y)
                            < 0.5 * other.diameter_px.max(pore.diameter_px)
                    })
                })
            })
        });
        if !clash {
            cells.entry((cx, cy)).or_default().push(kept.len());
            kept.push(pore);
        }
    }
    kept.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x)));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::pores::detect;

    /// The pores of a drawn photo.
    fn found(flat: Plane, mm_per_px: f64) -> Vec<Pore> {
        let (l, sampling, settings) =
            (Luminance::synthetic(flat), Sampling::sharp(mm_per_px), MetricSettings::default());
        let relief = FineRelief::of(&[&l], &sampling, &settings);
        let slopes = Slopes::of(&relief, sampling.mm_per_px, &settings);
        let candidates = detect(&relief, &slopes, &sampling, &settings);
        read(&[&l], &relief, &[&candidates], &sampling, &settings).unwrap()
    }

    /// Gaussian profiles of known centre and width at half depth; a line beside them is no pore.
    #[test]
    fn finds_drawn_pores_and_no_line() {
        let centres = [(40.3f32, 50.0f32), (90.0, 61.4), (60.7, 110.2)];
        let sigma = 2.4f32;
        let flat = Plane::from_fn(160, 150, |x, y| {
            let pore = |cx: f32, cy: f32| {
                let r2 = (x as f32 - cx).powi(2) + (y as f32 - cy).powi(2);
                -0.25 * (-0.5 * r2 / (sigma * sigma)).exp()
            };
            let line = -0.25 * (-0.5 * ((x as f32 - 130.0) / 2.0).powi(2)).exp();
            centres.iter().map(|&(cx, cy)| pore(cx, cy)).sum::<f32>() + line
        });
        let pores = found(flat, 0.06);
        assert_eq!(pores.len(), 3, "{pores:?}");
        let fwhm = 2.0 * (2.0 * 2f64.ln()).sqrt() * sigma as f64;
        for (p, (cx, cy)) in pores.iter().zip([centres[0], centres[1], centres[2]]) {
            assert!((p.x - cx as f64).hypot(p.y - cy as f64) < 0.3);
            let spread = MetricSettings::default().pore_spread_mm / 0.06;
            let expected = (fwhm * fwhm - spread * spread).sqrt();
            assert!((p.readings[0].diameter_px / expected - 1.0).abs() < 0.05);
            assert!(p.readings[0].elongation < 1.06);
        }
    }

    /// The darkest ring of a large pore lies farther off its centre than a small pore reaches.
    #[test]
    fn finds_a_large_pore_with_a_bright_centre() {
        let flat = Plane::from_fn(220, 200, |x, y| {
            let r2 = (x as f32 - 110.0).powi(2) + (y as f32 - 100.0).powi(2);
            -0.5 * (-(r2 / 121.0).powi(3)).exp() + 0.08 * (-0.5 * r2 / 16.0).exp()
        });
        let pores = found(flat, 0.03);
        assert_eq!(pores.len(), 1, "{pores:?}");
    }

    /// Pixels so small that the centre of a pore, brighter than the ring around it, spans some of them.
    #[test]
    fn finds_a_pore_whose_darkest_ring_is_off_its_centre() {
        let flat = Plane::from_fn(220, 200, |x, y| {
            let r2 = (x as f32 - 110.0).powi(2) + (y as f32 - 100.0).powi(2);
            -0.3 * (-0.5 * r2 / 36.0).exp() + 0.12 * (-0.5 * r2 / 4.0).exp()
        });
        let pores = found(flat, 0.03);
        assert_eq!(pores.len(), 1, "{pores:?}");
    }
}
