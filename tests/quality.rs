//! Each check of the input fires on a photo made to fail it, and on no other.

use skindelta::analyze::{Request, analyze};
use skindelta::metric::Reason;
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
        assert_eq!(check.advice.is_some(), check.status != Status::Pass, "{}", check.check);
    }
    fired(&report.quality, 1)
}

/// Soft highlights of a millimetre, up to four times as bright as the skin around them.
fn shiny(source: Source) -> Source {
    let per_mm = 1.0 / source.mm_per_px;
    let linear = &source.whole.linear;
    let shine = |x: usize, y: usize| {
        let [u, v] = [x, y].map(|i| (i as f64 / per_mm).rem_euclid(5.0) - 2.5);
        1.0 + 3.0 * (-(u * u + v * v) / (2.0 * 0.25)).exp()
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
    assert_eq!(same(&|shot| Retake { noise: 5.5, ..shot }), ["noise"]);
    assert_eq!(same(&|shot| Retake { quality: 80, ..shot }), ["jpeg_quality"]);
    assert_eq!(warp(&|warp| warp.scale = 0.6), ["resolution"]);
    // A photo that is lit from a side, burnt out, dark or soft differs in that from a good one too.
    assert_eq!(
        same(&|shot| Retake { gradient: [0.95, 0.0], ..shot }),
        ["light_evenness", "light_match"]
    );
    assert_eq!(
        after(&subject, &shiny(subject.plain()), |shot| shot),
        ["highlights", "light_match"]
    );
    assert_eq!(same(&|shot| Retake { gain: 4.4, ..shot }), ["clipping", "exposure_match"]);
    assert_eq!(same(&|shot| Retake { gain: 0.13, ..shot }), ["exposure", "exposure_match"]);
    assert_eq!(same(&|shot| Retake { blur_px: 2.5, ..shot }), ["sharpness", "sharpness_match"]);
}

/// The photos of the shared data behave as their README says.
#[test]
fn known_photos_fire_what_they_are_known_for() {
    let report = |files: &[&str]| {
        let paths = files.iter().map(|file| {
            let (folder, name) = file.rsplit_once('/').expect("a folder");
            Some(data::data(folder)?.join(name))
        });
        let paths = paths.collect::<Option<Vec<_>>>()?;
        Some(analyze(&Request::new(paths)).expect("good files").report)
    };
    for (files, checks) in [
        (&["faces/unsplash/02_woman_3974x5000.jpg"][..], &["jpeg_quality"][..]),
        (&["faces/astronaut_nasa_512.png"], &["resolution"]),
        (
            &[
                "pairs/obama_4sessions/a_2008_smile_1314x1752.jpg",
                "pairs/obama_4sessions/b_2009_neutral_790x1161.png",
            ],
            // Without the net no expression is told.
            if cfg!(feature = "onnx") {
                &["smile_match", "distance_match"]
            } else {
                &["distance_match"]
            },
        ),
        (
            &["pairs/pointing04_2sessions/p02_s1.png", "pairs/pointing04_2sessions/p02_s2.png"],
            &["exposure_match"],
        ),
    ] {
        let Some(report) = report(files) else { return };
        let fired = fired(&report.quality, files.len() - 1);
        println!("{files:?}: {fired:?}");
        assert!(checks.iter().all(|check| fired.contains(check)), "{files:?}: {fired:?}");
        if checks == ["resolution"] {
            let relief = ["texture_", "pore_", "glcm_"];
            for row in &report.measurements {
                if relief.iter().any(|r| row.metric.starts_with(r)) {
                    let refused = [Reason::BelowResolution, Reason::NoScale, Reason::LowCoverage];
                    let reason = row.reason.filter(|reason| refused.contains(reason));
                    assert!(row.value.is_none() && reason.is_some(), "{row:?}");
                }
            }
        }
    }
}
