//! Each check of the input fires on a photo made to fail it, and on no other.

use crate::scenes::Sitter;
use image::RgbImage;
use skindelta::change::Verdict;
use skindelta::metric::Reason;
use skindelta::phantom::{Capture, Kind, Spec, Treatment};
use skindelta::photo::Photo;
use skindelta::plane::Grid;
use skindelta::quality::{Check, QualityCheck, Status};
use skindelta::region::{Polygon, RegionRequest};
use skindelta::settings::Settings;

use crate::shots::{
    Form, Retake, Source, Subject, WOMAN, Warp, compared, photo, picture, png, real_photo, report,
    still,
};

/// The checks of a visit that did not pass.
fn fired(checks: &[QualityCheck], visit: usize) -> Vec<Check> {
    let of = |c: &&QualityCheck| c.visit == visit && c.status != Status::Pass;
    checks.iter().filter(of).map(|c| c.check).collect()
}

/// Soft highlights of a millimetre, up to four times as bright as the skin around them.
fn shiny(source: &Source) -> Source {
    let per_mm = 1.0 / source.mm_per_px;
    let linear = &source.whole.linear;
    let shine = |x: usize, y: usize| {
        let [u, v] = [x, y].map(|i| (i as f64 / per_mm).rem_euclid(5.0) - 2.5);
        1.0 + 3.0 * (-(u * u + v * v) / (2.0 * 0.25)).exp()
    };
    let linear = Grid::from_fn(linear.width(), linear.height(), |x, y| {
        linear.at(x, y).map(|v| (f64::from(v) * shine(x, y)).min(60_000.0) as u16)
    });
    source.with(linear)
}

/// As another camera or app writes it: every contrast in log light grown by `power` about skin's own.
fn curved(source: &Source, power: f64) -> Source {
    source.with(source.whole.linear.map(|rgb| {
        rgb.map(|v| (20_000.0 * (f64::from(v) / 20_000.0).powf(power)).round().min(65_535.0) as u16)
    }))
}

/// A tone curve is no treatment: it is told, and no metric of relief is called changed.
#[test]
fn another_tone_curve_is_no_change() {
    let subject = Subject::drawn(305, Form::Long);
    let before = subject.plain();
    let shot = |source: &Source, seed| photo("photo.jpg", &still(source, seed).shoot(source));
    let powers = [1.08, 0.92];
    let [up, down] = powers.map(|power| shot(&curved(&before, power), 2));
    let photos = [shot(&before, 1), up, down];
    let report = report(&subject, &before, &photos, &Settings::default());
    for visit in [1, 2] {
        let power = powers[visit - 1];
        assert_eq!(
            fired(&report.quality, visit),
            [Check::ToneMapping, Check::ContrastMatch],
            "{power}"
        );
        let relief = report.changes.iter().filter(|row| {
            let metrics = ["texture_", "pore_", "wrinkle_", "glcm_"];
            row.visit == visit && metrics.iter().any(|m| row.metric.id.starts_with(m))
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
    let subject = Subject::drawn(304, Form::Long);
    let plain = subject.plain();
    let lamp = subject.source(&Treatment::default(), [0.0, -12.0]);
    let shiny = shiny(&plain);
    let usual = still(&plain, 2);
    let warped = |change: &dyn Fn(&mut Warp)| {
        let mut shot = usual.clone();
        change(&mut shot.warp);
        shot
    };
    let farther = warped(&|warp| warp.scale = 0.6);
    let aside = warped(&|warp| warp.shift = [0.15 * plain.width as f64, 0.0]);
    let with = |change: &dyn Fn(Retake) -> Retake| (&plain, change(usual.clone()));
    // What differs from a good photo, and the checks that say so.
    let cases: [((&Source, Retake), &[Check]); 14] = [
        (with(&|shot| shot), &[]),
        (with(&|shot| Retake { gain: 0.6, ..shot }), &[Check::ExposureMatch]),
        ((&lamp, usual.clone()), &[Check::LightMatch]),
        (with(&|shot| Retake { balance: [1.0, 1.0, 1.4], ..shot }), &[Check::ColourMatch]),
        (with(&|shot| Retake { blur_px: 1.0, ..shot }), &[Check::SharpnessMatch]),
        ((&plain, aside), &[Check::Overlap]),
        (with(&|shot| Retake { noise: 5.5, ..shot }), &[Check::Noise]),
        (with(&|shot| Retake { quality: 80, ..shot }), &[Check::JpegQuality]),
        ((&plain, farther), &[Check::Resolution]),
        // A photo that is lit from a side, burnt out, dark or soft differs in that from a good one too.
        (
            with(&|shot| Retake { gradient: [0.95, 0.0], ..shot }),
            &[Check::LightEvenness, Check::LightMatch],
        ),
        // The skirts of a soft highlight are light from another side.
        ((&shiny, usual.clone()), &[Check::Highlights, Check::LightMatch]),
        (with(&|shot| Retake { gain: 4.4, ..shot }), &[Check::Clipping, Check::ExposureMatch]),
        (with(&|shot| Retake { gain: 0.13, ..shot }), &[Check::Exposure, Check::ExposureMatch]),
        (with(&|shot| Retake { blur_px: 2.5, ..shot }), &[Check::Sharpness, Check::SharpnessMatch]),
    ];
    let before = photo("before.jpg", &still(&plain, 1).shoot(&plain));
    let after =
        |((source, shot), _): &((&Source, Retake), _)| photo("after.jpg", &shot.shoot(source));
    let photos: Vec<Photo> = [before].into_iter().chain(cases.iter().map(after)).collect();
    let report = report(&subject, &plain, &photos, &Settings::default());
    assert_eq!(fired(&report.quality, 0), [] as [Check; 0], "the baseline is good");
    for (k, (_, expected)) in cases.iter().enumerate() {
        assert_eq!(fired(&report.quality, k + 1), *expected, "case {k}");
    }
    for check in &report.quality {
        assert_eq!(check.advice.is_some(), check.status != Status::Pass, "{}", check.check);
    }
}

/// What one photo lets fire, of a close-up or of a face.
fn alone(bytes: &[u8], regions: RegionRequest) -> Vec<QualityCheck> {
    let photos = [photo("photo.png", bytes)];
    compared(&photos, regions, None).quality
}

/// A photo by itself, as before the first visit is over: what is burnt out or black is said.
#[test]
fn a_clipped_baseline_is_told() {
    let plain = Subject::drawn(304, Form::Short).plain();
    let plain = still(&plain, 1).shoot(&plain);
    let mut spoilt = image::load_from_memory(&plain).expect("a JPEG").into_rgb8();
    let middle = spoilt.width() / 2;
    // Not flat: what is flat and ends in a step was painted, and is left out.
    let left = spoilt.enumerate_pixels_mut().filter(|(x, ..)| *x < middle);
    left.for_each(|(x, y, rgb)| rgb.0 = [255 - ((7 * x + 13 * y) % 4) as u8; 3]);
    let checks = alone(&png(&spoilt), RegionRequest::Whole);
    let clipping = checks.iter().find(|c| c.check == Check::Clipping).expect("a check");
    assert_eq!(clipping.status, Status::Warn);
    assert!((clipping.value.expect("a share") - 50.0).abs() < 1.0, "{clipping:?}");
    let white =
        RgbImage::from_fn(300, 300, |x, y| image::Rgb([255 - ((7 * x + 13 * y) % 4) as u8; 3]));
    let fired = fired(&alone(&png(&white), RegionRequest::Whole), 0);
    assert!(fired.contains(&Check::Clipping) && !fired.contains(&Check::Exposure), "{fired:?}");
}

/// The drawn face, softened where `soft` says, told by its own checks.
#[test]
fn a_softened_and_a_covered_face_are_told() {
    let plain = picture("face_small/before.jpg");
    let of = |image: &RgbImage| fired(&alone(&png(image), RegionRequest::Face), 0);
    let before = of(&plain);
    assert!(
        !before.contains(&Check::Smoothing) && !before.contains(&Check::Coverage),
        "{before:?}"
    );
    // Smooth skin around eyes, a belt of 40 mm, that are as sharp as before.
    let eyes = |y: u32| (490..690).contains(&y);
    let soft = image::imageops::blur(&plain, 2.0);
    let mut smooth = plain.clone();
    let skin = smooth.enumerate_pixels_mut().filter(|(_, y, _)| !eyes(*y));
    skin.for_each(|(x, y, rgb)| *rgb = *soft.get_pixel(x, y));
    assert!(of(&smooth).contains(&Check::Smoothing), "{:?}", of(&smooth));
    // A scarf over one half of the face below the eye.
    let mut covered = plain.clone();
    for (x, y, rgb) in covered.enumerate_pixels_mut() {
        if x > 510 && y > 690 {
            rgb.0 = [40, 30, 25];
        }
    }
    assert!(of(&covered).contains(&Check::Coverage), "{:?}", of(&covered));
}

/// A face whose lamp went to the other side: the turn is told, and relief and colour are not compared.
#[test]
fn a_lamp_on_the_other_side_of_a_face_is_told() {
    let spec =
        Spec { px_per_mm: 3.0, width_px: 600, height_px: 780, ..Spec::new(Kind::Face, 7, 1) };
    let plain = spec.capture(0);
    let face = Sitter::series(spec);
    let moved = Capture { light_azimuth_deg: -20.0, light_elevation_deg: 40.0, ..plain.clone() };
    let photos = [plain, moved].map(|shot| photo("face.jpg", &face.plain(&shot)));
    let report = compared(&photos, RegionRequest::Face, None);
    let turn = report.quality.iter().find(|c| c.check == Check::LightTurn).expect("a face");
    assert_eq!(turn.status, Status::Fail, "{turn:?}");
    assert!(report.changes.iter().all(|row| row.change.is_none()));
}

/// The photos of the shared data behave as their README says.
#[test]
fn known_photos_fire_what_they_are_known_for() {
    let report = |files: &[&str]| {
        let photos: Option<Vec<_>> = files.iter().map(|file| real_photo(file)).collect();
        // How a file was saved is judged anywhere on the skin: a piece of cheek spares 20 megapixels.
        let regions = match files {
            [WOMAN] => RegionRequest::Polygons(vec![Polygon {
                name: "cheek".into(),
                points: vec![
                    [1450.0, 2700.0],
                    [1850.0, 2700.0],
                    [1850.0, 3000.0],
                    [1450.0, 3000.0],
                ],
            }]),
            _ => RegionRequest::Face,
        };
        Some(compared(photos?.iter().map(|photo| &**photo), regions, None))
    };
    for (files, checks) in [
        (&[WOMAN][..], &[Check::JpegQuality][..]),
        (&["faces/astronaut_nasa_512.png"], &[Check::Resolution]),
        (
            &[
                "pairs/obama_4sessions/a_2008_smile_1314x1752.jpg",
                "pairs/obama_4sessions/b_2009_neutral_790x1161.png",
            ],
            // Without the net no expression is told.
            if cfg!(feature = "onnx") {
                &[Check::SmileMatch, Check::DistanceMatch]
            } else {
                &[Check::DistanceMatch]
            },
        ),
        (
            &["pairs/pointing04_2sessions/p02_s1.png", "pairs/pointing04_2sessions/p02_s2.png"],
            &[Check::ExposureMatch],
        ),
    ] {
        let Some(report) = report(files) else { return };
        let fired = fired(&report.quality, files.len() - 1);
        println!("{files:?}: {fired:?}");
        assert!(checks.iter().all(|check| fired.contains(check)), "{files:?}: {fired:?}");
        if checks == [Check::Resolution] {
            let relief = ["texture_", "pore_", "glcm_"];
            for row in &report.measurements {
                if relief.iter().any(|r| row.metric.id.starts_with(r)) {
                    let refused = [Reason::BelowResolution, Reason::NoScale, Reason::LowCoverage];
                    let reason = row.reason.filter(|reason| refused.contains(reason));
                    assert!(row.value.is_none() && reason.is_some(), "{row:?}");
                }
            }
        }
    }
}
