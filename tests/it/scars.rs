//! Atrophic scars on drawn skin: bowls are found, dark spots and lines are none, a treated one is told at its
//! size.

use skindelta::analyze::{Analysis, Request};
use skindelta::metric::Reason;
use skindelta::phantom::truth::VisitTruth;
use skindelta::phantom::{Capture, SkinSpec, Treatment};
use skindelta::photo::Photo;
use skindelta::region::RegionRequest;

use crate::scenes::Sitter;
use crate::shots::{analysis, photo, request};

/// Change that a mean over two skins may be off by, points of percent, where all is made half as deep.
const CHANGE_TOLERANCE: f64 = 8.0;

fn skin(seed: u64, scars: usize) -> SkinSpec {
    SkinSpec {
        seed,
        tone: 2 + (seed % 2) as u8,
        size_mm: [58.0, 49.0],
        wrinkles: 4,
        scars,
        scar_depth_mm: [0.5, 0.6],
        ..SkinSpec::default()
    }
}

fn capture(seed: u64) -> Capture {
    Capture { width_px: 720, height_px: 600, ..Capture::careful(seed) }
}

fn analyze(skin: &Sitter, shots: &[(Treatment, Capture)]) -> Analysis {
    let photos: Vec<Photo> = shots
        .iter()
        .map(|(treatment, capture)| photo("skin.jpg", &skin.shoot(treatment, capture)))
        .collect();
    let first = &shots[0].1;
    let request = request(RegionRequest::Whole, Some(1.0 / (first.scale * first.px_per_mm)));
    analysis(&photos, &Request { maps: true, ..request })
}

/// Value of a metric in the baseline, and why there is none.
fn value(analysis: &Analysis, metric: &str) -> (Option<f64>, Option<Reason>) {
    let row = analysis.report.measurements.iter().find(|r| r.metric.id == metric).expect("a row");
    (row.value, row.reason)
}

fn change_percent(analysis: &Analysis) -> f64 {
    let row = analysis.report.changes.iter().find(|r| r.metric.id == "scar_depth").expect("a row");
    row.change_percent.unwrap_or_else(|| panic!("{row:?}"))
}

#[test]
fn deep_scars_are_found_and_nothing_else() {
    let (mut there, mut told, mut right) = (0, 0, 0);
    for seed in [1, 2, 3] {
        let (skin, shot) = (Sitter::patch(skin(seed, 6)), capture(seed));
        let plain = Treatment::default();
        let truth = VisitTruth::new(skin.skin(), &shot, 0, &plain, &shot);
        let analysis = analyze(&skin, &[(plain, shot.clone())]);
        let found = analysis.maps.scars[0].clone().expect("a reading");
        let edge = 3.0 * shot.px_per_mm;
        let inside = |v: f64, n: usize| (edge..n as f64 - edge).contains(&v);
        let asked = truth.scars.iter().filter(|s| inside(s.x_px, 720) && inside(s.y_px, 600));
        there += asked.count();
        told += found.len();
        for scar in &found {
            let near = truth.scars.iter().find(|s| {
                let apart = (s.x_px - scar.x_px).hypot(s.y_px - scar.y_px) / shot.px_per_mm;
                apart < 0.5 * s.diameter_mm
            });
            let Some(near) = near else { continue };
            right += 1;
            let ratio = scar.depth_mm / near.depth_mm;
            assert!((0.4..2.5).contains(&ratio), "{} mm for {}", scar.depth_mm, near.depth_mm);
        }
    }
    println!("{told} told, {right} of them right, {there} there");
    assert!(2 * right >= there && there >= 8, "{right} of {there} found");
    assert!(told - right <= 1, "{told} told, {right} right");
}

#[test]
fn a_dose_comes_out_at_its_size() {
    let half = Treatment { scar_depth: 0.5, ..Treatment::default() };
    let told = [2, 3].map(|seed| {
        // Enough of them for a change needs more skin.
        let skin = Sitter::patch(SkinSpec { size_mm: [90.0, 75.0], ..skin(seed, 24) });
        let wide = |seed: u64| Capture { width_px: 1080, height_px: 900, ..capture(seed) };
        let shots = [(Treatment::default(), wide(10 * seed)), (half, wide(10 * seed + 1))];
        change_percent(&analyze(&skin, &shots))
    });
    println!("{told:?} for -50 %");
    let mean = (told[0] + told[1]) / 2.0;
    assert!((mean + 50.0).abs() < CHANGE_TOLERANCE, "{told:?}");
}

#[test]
fn few_scars_tell_no_change() {
    let half = Treatment { scar_depth: 0.5, ..Treatment::default() };
    let shots = [(Treatment::default(), capture(20)), (half, capture(21))];
    let analysis = analyze(&Sitter::patch(skin(2, 3)), &shots);
    let rows = analysis.report.changes.iter().filter(|r| r.metric.id.starts_with("scar"));
    let reasons: Vec<_> = rows.map(|r| r.reason).collect();
    assert_eq!(reasons, [Some(Reason::NothingFound); 2]);
}

#[test]
fn smooth_skin_has_no_scars_and_none_are_told_without_a_lamp() {
    let shot = Capture { light_elevation_deg: 90.0, ..capture(7) };
    let scarred = analyze(&Sitter::patch(skin(4, 6)), &[(Treatment::default(), shot)]);
    assert_eq!(value(&scarred, "scar_depth"), (None, Some(Reason::Quality)));
    // Dark spots and freckles, pores and lines.
    let smooth = analyze(&Sitter::patch(skin(5, 0)), &[(Treatment::default(), capture(8))]);
    assert_eq!(value(&smooth, "scar_area_percent"), (Some(0.0), None));
    assert_eq!(value(&smooth, "scar_depth"), (None, Some(Reason::NothingFound)));
}
