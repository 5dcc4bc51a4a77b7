//! Each check of the input fires on a photo made to fail it, and on no other.

use image::RgbImage;
use skindelta::analyze::{Request, analyze, analyze_series};
use skindelta::change::Verdict;
use skindelta::metric::Reason;
use skindelta::phantom::{Capture, Kind, Spec, Treatment};
use skindelta::plane::Grid;
use skindelta::quality::{QualityCheck, Status};
use skindelta::region::RegionRequest;
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

/// As another camera or app writes it: every contrast in log light grown by `power` about skin's own.
fn curved(source: Source, power: f64) -> Source {
    let mut whole = source.whole.clone();
    whole.linear = source.whole.linear.map(|rgb| {
        rgb.map(|v| (20_000.0 * (f64::from(v) / 20_000.0).powf(power)).round().min(65_535.0) as u16)
    });
    Source { whole, ..source }
}

/// A tone curve is no treatment: it is told, and no metric of relief is called changed.
#[test]
fn another_tone_curve_is_no_change() {
    let subject = Subject::drawn(305);
    let before = subject.plain();
    for power in [1.08, 0.92] {
        let after = curved(subject.plain(), power);
        let shots = [still(&before, 1).shoot(&before), still(&after, 2).shoot(&after)];
        let photos = [photo("before.jpg", &shots[0]), photo("after.jpg", &shots[1])];
        let report = report(&subject, &before, photos, &Settings::default());
        assert_eq!(fired(&report.quality, 1), ["tone_mapping", "contrast_match"], "{power}");
        let relief = report.changes.iter().filter(|row| {
            ["texture_", "pore_", "wrinkle_", "glcm_"].iter().any(|m| row.metric.starts_with(m))
        });
        for row in relief {
            let called =
                matches!(row.verdict, Verdict::Improved | Verdict::Worsened | Verdict::Changed);
            assert!(!called, "{power}: {row:?}");
        }
    }
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
    // The skirts of a soft highlight are light from another side.
    assert_eq!(
        after(&subject, &shiny(subject.plain()), |shot| shot),
        ["highlights", "light_match"]
    );
    assert_eq!(same(&|shot| Retake { gain: 4.4, ..shot }), ["clipping", "exposure_match"]);
    // Of a photo three stops too dark, a file of 8 bits keeps too little to tell that the lamp stayed.
    assert_eq!(
        same(&|shot| Retake { gain: 0.13, ..shot }),
        ["exposure", "exposure_match", "light_match"]
    );
    // Beyond what is matched, what is left of the blur is a gain that all skin shares.
    assert_eq!(
        same(&|shot| Retake { blur_px: 2.5, ..shot }),
        ["sharpness", "sharpness_match", "tone_mapping"]
    );
}

/// What one photo lets fire, of a close-up or of a face.
fn alone(bytes: &[u8], regions: RegionRequest) -> Vec<QualityCheck> {
    let photos = [photo("photo.png", bytes)];
    let mut request = Request::new([""]);
    request.regions = regions;
    analyze_series(shots::series(&photos), &request).expect("a photo").report.quality
}

fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).expect("into memory");
    bytes.into_inner()
}

/// A photo by itself, as before the first visit is over: what is burnt out or black is said.
#[test]
fn a_clipped_baseline_is_told() {
    let plain = still(&Subject::drawn(304).plain(), 1).shoot(&Subject::drawn(304).plain());
    let plain = image::load_from_memory(&plain).expect("a JPEG").into_rgb8();
    for level in [255u8] {
        let mut spoilt = plain.clone();
        let middle = spoilt.width() / 2;
        // Not flat: what is flat and ends in a step was painted, and is left out.
        let left = spoilt.enumerate_pixels_mut().filter(|(x, ..)| *x < middle);
        left.for_each(|(x, y, rgb)| {
            rgb.0 = [level - ((7 * x + 13 * y) % 4) as u8; 3];
        });
        let checks = alone(&png(&spoilt), RegionRequest::Whole);
        let clipping = checks.iter().find(|c| c.check == "clipping").expect("a check");
        assert_eq!(clipping.status, Status::Warn);
        assert!((clipping.value.expect("a share") - 50.0).abs() < 1.0, "{clipping:?}");
    }
    let white =
        RgbImage::from_fn(300, 300, |x, y| image::Rgb([255 - ((7 * x + 13 * y) % 4) as u8; 3]));
    let fired = fired(&alone(&png(&white), RegionRequest::Whole), 0);
    assert!(fired.contains(&"clipping") && !fired.contains(&"exposure"), "{fired:?}");
}

/// The drawn face, softened where `soft` says, told by its own checks.
#[test]
fn a_softened_and_a_covered_face_are_told() {
    let bytes = std::fs::read("fixtures/face/before.jpg").expect("a fixture");
    let plain = image::load_from_memory(&bytes).expect("a JPEG").into_rgb8();
    let of = |image: &RgbImage| fired(&alone(&png(image), RegionRequest::Face), 0);
    let before = of(&plain);
    assert!(!before.contains(&"smoothing") && !before.contains(&"coverage"), "{before:?}");
    // Smooth skin around eyes, a belt of 40 mm, that are as sharp as before.
    let eyes = |y: u32| (490..690).contains(&y);
    let soft = image::imageops::blur(&plain, 2.0);
    let mut smooth = plain.clone();
    let skin = smooth.enumerate_pixels_mut().filter(|(_, y, _)| !eyes(*y));
    skin.for_each(|(x, y, rgb)| *rgb = *soft.get_pixel(x, y));
    assert!(of(&smooth).contains(&"smoothing"), "{:?}", of(&smooth));
    // A scarf over one half of the face below the eye.
    let mut covered = plain.clone();
    for (x, y, rgb) in covered.enumerate_pixels_mut() {
        if x > 510 && y > 690 {
            rgb.0 = [40, 30, 25];
        }
    }
    assert!(of(&covered).contains(&"coverage"), "{:?}", of(&covered));
}

/// A face whose lamp went to the other side: the turn is told, and relief and colour are not compared.
#[test]
fn a_lamp_on_the_other_side_of_a_face_is_told() {
    let spec = Spec::new(Kind::Face, 7, 1);
    let (skin, plain) = (spec.skin(), spec.capture(0));
    let scene = spec.scene(&skin, 0);
    let moved = Capture { light_azimuth_deg: -20.0, light_elevation_deg: 40.0, ..plain.clone() };
    let photos = [plain, moved].map(|shot| photo("face.jpg", &scene.shoot(&shot).encode()));
    let report =
        analyze_series(shots::series(&photos), &Request::new([""; 2])).expect("faces").report;
    let turn = report.quality.iter().find(|c| c.check == "light_turn").expect("a face");
    assert_eq!(turn.status, Status::Fail, "{turn:?}");
    assert!(report.changes.iter().all(|row| row.change.is_none()));
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
