//! Each check of the input fires on a photo made to fail it, and on no other.

use skindelta::phantom::Treatment;
use skindelta::plane::Grid;
use skindelta::quality::{QualityCheck, Status};
use skindelta::settings::Settings;

#[path = "../src/region/data.rs"]
mod data;
#[allow(dead_code, reason = "another test file uses the rest")]
mod shots;
use shots::{Retake, Source, Subject, Warp, photo, report, still};

/// The checks of a visit that did not pass.
fn fired(checks: &[QualityCheck], visit: usize) -> Vec<&'static str> {
    let of = |c: &&QualityCheck| c.visit == visit && c.status != Status::Pass;
    checks.iter().filter(of).map(|c| c.check).collect()
}

/// What a follow-up that differs by `change` from a plain baseline lets fire.
fn after(
    subject: &Subject,
    after: &Source,
    change: impl Fn(Retake) -> Retake,
) -> Vec<&'static str> {
    let before = subject.plain();
    let shots = [still(&before, 1).shoot(&before), change(still(after, 2)).shoot(after)];
    let photos = [photo("before.jpg", &shots[0]), photo("after.jpg", &shots[1])];
    let report = report(subject, &before, photos, &Settings::default());
    assert_eq!(fired(&report.quality, 0), [""; 0], "the baseline is good");
    for check in &report.quality {
        println!("    {} {:?} {:?} {}", check.check, check.value, check.limit, check.unit);
        assert_eq!(check.advice.is_some(), check.status != Status::Pass, "{}", check.check);
    }
    fired(&report.quality, 1)
}

/// Patches a millimetre wide, three times as bright as the skin around them, on a twentieth of it.
fn shiny(source: Source) -> Source {
    let per_mm = 1.0 / source.mm_per_px;
    let linear = &source.whole.linear;
    let shine = |x: usize, y: usize| {
        let [u, v] = [x, y].map(|i| (i as f64 / per_mm).rem_euclid(5.0) - 2.5);
        if u.hypot(v) < 0.7 { 3.0 } else { 1.0 }
    };
    let linear = Grid::from_fn(linear.width(), linear.height(), |x, y| {
        linear.at(x, y).map(|v| (f64::from(v) * shine(x, y)).min(60_000.0) as u16)
    });
    let mut whole = source.whole.clone();
    whole.linear = linear;
    Source { whole, ..source }
}

#[test]
fn each_check_fires_alone() {
    let subject = Subject::drawn(304);
    let plain = subject.plain();
    let same = |change: &dyn Fn(Retake) -> Retake| after(&subject, &plain, change);
    let warp = |change: &dyn Fn(&mut Warp)| {
        same(&|mut shot| {
            change(&mut shot.warp);
            shot
        })
    };
    let none: [&str; 0] = [];
    assert_eq!(same(&|shot| shot), none);
    assert_eq!(same(&|shot| Retake { gain: 0.6, ..shot }), ["exposure_match"]);
    let lamp = subject.source(&Treatment::default(), [0.0, -12.0]);
    assert_eq!(after(&subject, &lamp, |shot| shot), ["light_match"]);
    assert_eq!(same(&|shot| Retake { balance: [1.0, 1.0, 1.4], ..shot }), ["colour_match"]);
    assert_eq!(same(&|shot| Retake { blur_px: 1.0, ..shot }), ["sharpness_match"]);
    assert_eq!(warp(&|warp| warp.shift = [0.15 * plain.width as f64, 0.0]), ["overlap"]);
    assert_eq!(same(&|shot| Retake { noise: 12.0, ..shot }), ["noise"]);
    assert_eq!(same(&|shot| Retake { quality: 80, ..shot }), ["jpeg_quality"]);
    assert_eq!(same(&|shot| Retake { gradient: [0.95, 0.0], ..shot }), ["light_evenness"]);
    assert_eq!(warp(&|warp| warp.scale = 0.6), ["resolution"]);
    // A photo that is burnt out, black or soft differs in that from a good one too.
    assert_eq!(
        after(&subject, &shiny(subject.plain()), |shot| shot),
        ["highlights", "light_match"]
    );
    assert_eq!(same(&|shot| Retake { gain: 2.2, ..shot }), ["clipping", "exposure_match"]);
    assert_eq!(
        same(&|shot| Retake { gain: 0.03, noise: 0.1, ..shot }),
        ["exposure", "exposure_match"]
    );
    assert_eq!(same(&|shot| Retake { blur_px: 2.5, ..shot }), ["sharpness", "sharpness_match"]);
}
