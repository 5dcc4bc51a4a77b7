//! Photos made comparable, held against their truth: the same skin under other light, focus, noise,
//! compression and distance (nulls), and with its fine detail scaled by a known factor (doses).
//!
//! The short form runs always. `SKINDELTA_FULL=1 cargo test --release --test comparable -- nulls
//! --nocapture` prints the tables of the README; `SKINDELTA_ABLATE=1` beside it prints them again
//! without each correction.

use skindelta::analyze::{Request, analyze_series};
use skindelta::change::{ChangeRow, Verdict};
use skindelta::filter::gaussian::blur;
use skindelta::metric::Reason;
use skindelta::phantom::{Capture, Scene, Skin, SkinSpec, Treatment};
use skindelta::quality::Status;
use skindelta::region::{RegionRequest, WHOLE};
use skindelta::report::Report;
use skindelta::series::ScaleSource;
use skindelta::settings::Settings;
use std::collections::BTreeMap;

#[path = "../src/region/data.rs"]
mod data;
#[allow(dead_code, reason = "another test file uses the rest")]
mod shots;
use shots::{CAREFUL, Level, Retake, Source, Warp, photo, series, sources};

fn set(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

/// The metrics that a change of the skin is judged by.
const HEADLINES: [&str; 6] = [
    "texture_roughness",
    "texture_coarse",
    "wrinkle_depth",
    "wrinkle_length",
    "pore_diameter",
    "pore_count",
];

/// What careful visits differ by.
const VISIT: Level = Level { blur_px: 0.6, jpeg: [80.0, 96.0], ..CAREFUL };

/// What differs between two photos of one skin.
const NUISANCES: [&str; 10] = [
    "exposure", "balance", "gradient", "lamp", "blur", "noise", "jpeg", "scale", "rotation", "all",
];

/// Skin that can be photographed under a lamp moved by so many degrees.
struct Subject {
    name: String,
    request: RegionRequest,
    scene: Result<Box<Scene>, Box<Source>>,
}

/// Pixels that the drawn picture is larger by, on each side.
const MARGIN_PX: usize = 60;

impl Subject {
    fn drawn(seed: u64) -> Subject {
        let base = Self::capture([0.0; 2]);
        let size_mm = [base.width_px, base.height_px].map(|n| (n as f64 + 40.0) / base.px_per_mm);
        let skin = Skin::new(&SkinSpec {
            seed,
            tone: 1 + (seed % 6) as u8,
            size_mm,
            samples_per_mm: 2.0 * base.px_per_mm,
            ..SkinSpec::default()
        });
        Subject {
            name: format!("skin {seed}"),
            request: RegionRequest::Grid { rows: 2, columns: 2 },
            scene: Ok(Box::new(Scene::of_skin(&skin, &Treatment::default()))),
        }
    }

    fn capture(lamp_deg: [f64; 2]) -> Capture {
        let base = Capture::default();
        Capture {
            width_px: base.width_px + 2 * MARGIN_PX,
            height_px: base.height_px + 2 * MARGIN_PX,
            light_azimuth_deg: base.light_azimuth_deg + lamp_deg[0],
            light_elevation_deg: base.light_elevation_deg + lamp_deg[1],
            noise: 0.0,
            jpeg_quality: None,
            ..base
        }
    }

    fn real(source: Source) -> Subject {
        Subject {
            name: source.name.into(),
            request: RegionRequest::Face,
            scene: Err(Box::new(source)),
        }
    }

    /// What the camera is pointed at; a real lamp stays where it was.
    fn source(&self, lamp_deg: [f64; 2]) -> Source {
        match &self.scene {
            Ok(scene) => {
                let capture = Self::capture(lamp_deg);
                Source {
                    name: "skin",
                    whole: photo("skin.png", &scene.shoot(&capture).encode()),
                    left: MARGIN_PX,
                    top: MARGIN_PX,
                    width: capture.width_px - 2 * MARGIN_PX,
                    height: capture.height_px - 2 * MARGIN_PX,
                    mm_per_px: 1.0 / capture.px_per_mm,
                }
            }
            Err(source) => Source { whole: source.whole.clone(), ..**source },
        }
    }
}

/// A photo from the same place by the same camera.
fn plain(width: usize, height: usize, seed: u64) -> Retake {
    let middle = [width as f64 / 2.0, height as f64 / 2.0];
    Retake {
        warp: Warp { middle, shift: [0.0; 2], turn: 0.0, scale: 1.0, waves: Vec::new() },
        blur_px: 0.0,
        gain: 1.0,
        balance: [1.0; 3],
        gradient: [0.0; 2],
        noise: 1.0,
        quality: 95,
        seed,
    }
}

/// A follow-up that differs by one nuisance, or by all, and how far its lamp was moved.
fn retake(nuisance: &str, width: usize, height: usize, seed: u64) -> (Retake, [f64; 2]) {
    let all = Retake::new(&VISIT, seed, width, height);
    let mut dice = shots::Dice::new(seed ^ 0x1a3);
    let lamp = [dice.about(1.5), dice.about(1.5)];
    let plain = plain(width, height, seed);
    let still = |warp: Warp| Retake { warp, ..plain.clone() };
    let retake = match nuisance {
        "exposure" => Retake { gain: all.gain, ..plain },
        "balance" => Retake { balance: all.balance, ..plain },
        "gradient" => Retake { gradient: all.gradient, ..plain },
        "blur" => Retake { blur_px: all.blur_px, ..plain },
        "noise" => Retake { noise: all.noise, ..plain },
        "jpeg" => Retake { quality: all.quality, ..plain },
        "scale" => still(Warp { scale: all.warp.scale, ..plain.warp.clone() }),
        "rotation" => still(Warp { turn: all.warp.turn, ..plain.warp.clone() }),
        "all" => all,
        _ => plain,
    };
    let moved = matches!(nuisance, "lamp" | "all");
    (retake, if moved { lamp } else { [0.0; 2] })
}

/// The rows of a pair of photos of `sources`.
fn compare(
    subject: &Subject,
    sources: [&Source; 2],
    second: &Retake,
    settings: &Settings,
) -> Report {
    let first = plain(sources[0].width, sources[0].height, second.seed + 1_000_000);
    let photos = [
        photo("before.jpg", &first.shoot(sources[0])),
        photo("after.jpg", &second.shoot(sources[1])),
    ];
    let mut request = Request::new([""; 2]);
    request.regions = subject.request.clone();
    request.scale = Some((sources[0].mm_per_px, ScaleSource::Argument));
    request.settings = settings.clone();
    analyze_series(series(&photos), &request).expect("two good photos").report
}

/// What the rows of one metric show.
#[derive(Default, Clone)]
struct Tally {
    /// (ln follow-up/baseline, half width of its interval, verdict), measured rows.
    rows: Vec<(f64, f64, bool)>,
    refused: BTreeMap<String, usize>,
}

impl Tally {
    fn add(&mut self, row: &ChangeRow) {
        if row.reason == Some(Reason::LowCoverage) {
            return; // not in the photo at all
        }
        match (row.change_percent, row.ci95_percent) {
            (Some(change), Some([low, high])) => {
                let ln = |v: f64| (v / 100.0).ln_1p();
                let real = row.verdict != Verdict::NoDetectableChange;
                self.rows.push((ln(change), 0.5 * (ln(high) - ln(low)), real));
            }
            _ => {
                let why = row.reason.map_or("no percent".into(), |r| format!("{r:?}"));
                *self.refused.entry(why).or_default() += 1;
            }
        }
    }
    fn rms(&self) -> f64 {
        (self.mean_of(|r| r.0 * r.0)).sqrt()
    }
    fn bias(&self) -> f64 {
        self.mean_of(|r| r.0)
    }
    fn mean_of(&self, of: impl Fn(&(f64, f64, bool)) -> f64) -> f64 {
        self.rows.iter().map(of).sum::<f64>() / self.rows.len().max(1) as f64
    }
    fn half_width(&self) -> f64 {
        let mut widths: Vec<f64> = self.rows.iter().map(|r| r.1).collect();
        widths.sort_by(f64::total_cmp);
        widths.get(widths.len() / 2).copied().unwrap_or(f64::NAN)
    }
    fn refused_percent(&self) -> f64 {
        let refused: usize = self.refused.values().sum();
        100.0 * refused as f64 / (refused + self.rows.len()).max(1) as f64
    }
}

/// Tallies of each nuisance and metric over all subjects.
fn nulls(
    subjects: &[Subject],
    nuisances: &[&'static str],
    seeds: u64,
    settings: &Settings,
) -> BTreeMap<(&'static str, &'static str), Tally> {
    let mut tallies: BTreeMap<(&str, &str), Tally> = BTreeMap::new();
    for (s, subject) in subjects.iter().enumerate() {
        let before = subject.source([0.0; 2]);
        for &nuisance in nuisances {
            if nuisance == "lamp" && subject.scene.is_err() {
                continue;
            }
            for k in 0..seeds {
                let seed = 5000 + 100 * s as u64 + k;
                let (second, lamp) = retake(nuisance, before.width, before.height, seed);
                let moved = lamp != [0.0; 2] && subject.scene.is_ok();
                let after = moved.then(|| subject.source(lamp));
                let pair = [&before, after.as_ref().unwrap_or(&before)];
                let rows = compare(subject, pair, &second, settings);
                if set("SKINDELTA_VERBOSE") {
                    for c in rows.quality.iter().filter(|c| c.check.starts_with("light_")) {
                        println!(
                            "{} {nuisance} {lamp:.1?} {} {:?}",
                            subject.name, c.check, c.value
                        );
                    }
                }
                for row in &rows.changes {
                    if let Some(metric) = HEADLINES.iter().find(|m| **m == row.metric) {
                        tallies.entry((nuisance, metric)).or_default().add(row);
                        if set("SKINDELTA_VERBOSE") {
                            println!(
                                "{} {nuisance} {seed} {} {metric} {:?} {:?} {:?}",
                                subject.name,
                                row.region,
                                row.change_percent,
                                row.baseline,
                                row.reason
                            );
                        }
                    }
                }
            }
        }
    }
    tallies
}

fn print(
    title: &str,
    nuisances: &[&'static str],
    tallies: &BTreeMap<(&'static str, &'static str), Tally>,
) {
    println!("\n{title}: RMS (mean) % of the change, refused %, half width of the interval %");
    print!("{:10}", "");
    HEADLINES.iter().for_each(|m| print!(" {m:>26}"));
    println!();
    for nuisance in nuisances {
        print!("{nuisance:10}");
        for metric in HEADLINES {
            let Some(t) = tallies.get(&(*nuisance, metric)) else { continue };
            let cell = format!(
                "{:.2} ({:+.2}) {:.0} ±{:.1}",
                100.0 * t.rms(),
                100.0 * t.bias(),
                t.refused_percent(),
                100.0 * t.half_width()
            );
            print!(" {cell:>26}");
        }
        println!();
    }
    let mut why: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for ((_, metric), t) in tallies {
        for (reason, n) in &t.refused {
            *why.entry((metric, reason.clone())).or_default() += n;
        }
    }
    println!("refused: {why:?}");
    let alarms: usize = tallies.values().flat_map(|t| &t.rows).filter(|r| r.2).count();
    let all: usize = tallies.values().map(|t| t.rows.len()).sum();
    println!("verdicts of change: {alarms} of {all}");
}

#[test]
fn nulls_show_no_change() {
    let skins = if set("SKINDELTA_FULL") { 6 } else { 1 };
    let only = std::env::var("SKINDELTA_ONLY").ok();
    let nuisances: Vec<&'static str> = NUISANCES
        .into_iter()
        .filter(|n| only.as_ref().is_none_or(|o| o.split(',').any(|o| o == *n)))
        .collect();
    let drawn: Vec<Subject> = (0..skins).map(|k| Subject::drawn(300 + k)).collect();
    let real: Vec<Subject> = if set("SKINDELTA_NOREAL") {
        vec![]
    } else {
        sources().into_iter().map(Subject::real).collect()
    };
    for (name, subjects, seeds) in [
        ("close-ups", if set("SKINDELTA_NODRAWN") { vec![] } else { drawn }, 1),
        ("real faces", real, 2),
    ] {
        if subjects.is_empty() {
            continue;
        }
        let tallies =
            nulls(&subjects, &nuisances, if skins == 1 { 1 } else { seeds }, &Settings::default());
        print(name, &nuisances, &tallies);
    }
}

/// `source` with all detail finer than some 10 mm scaled by `factor` in log light, left of the middle.
fn treated(source: &Source, factor: f64) -> Source {
    let sigma = (3.0 / source.mm_per_px) as f32;
    let middle = (source.left + source.width / 2) as f64;
    let whole = &source.whole.linear;
    let log = |k: usize| whole.map(|v| (f32::from(v[k]).max(1.0) / 65535.0).ln());
    let planes = [0, 1, 2].map(log);
    let low = [0, 1, 2].map(|k| blur(&planes[k], sigma));
    let mut source = Source { whole: source.whole.clone(), ..*source };
    source.whole.linear = skindelta::plane::Grid::from_fn(whole.width(), whole.height(), |x, y| {
        let share = (0.5 - (x as f64 - middle) / 40.0).clamp(0.0, 1.0);
        let f = (1.0 + (factor - 1.0) * share) as f32;
        [0, 1, 2].map(|k| {
            let (v, l) = (planes[k].at(x, y), low[k].at(x, y));
            (65535.0 * (l + f * (v - l)).exp()).round().clamp(0.0, 65535.0) as u16
        })
    });
    source
}

#[test]
fn doses_come_out_at_their_size() {
    let full = set("SKINDELTA_FULL");
    let drawn: Vec<Subject> =
        (0..if full { 6 } else { 1 }).map(|k| Subject::drawn(310 + k)).collect();
    let drawn = if set("SKINDELTA_NODRAWN") { vec![] } else { drawn };
    let real: Vec<Subject> = if set("SKINDELTA_NOREAL") {
        vec![]
    } else {
        sources().into_iter().map(Subject::real).collect()
    };
    for (name, subjects, seeds) in [("close-ups", drawn, 2), ("real faces", real, 3)] {
        let seeds = if full { seeds } else { 1 };
        for factor in [1.0, 0.9, 0.8, 0.65] {
            let mut errors: BTreeMap<(&str, bool), Vec<(f64, bool, f64)>> = BTreeMap::new();
            let mut refused = 0;
            for (s, subject) in subjects.iter().enumerate() {
                let before = subject.source([0.0; 2]);
                for k in 0..seeds {
                    let seed = 7000 + 100 * s as u64 + k;
                    let (second, lamp) = retake("all", before.width, before.height, seed);
                    let after = subject.source(lamp);
                    let after = treated(&after, factor);
                    for row in
                        compare(subject, [&before, &after], &second, &Settings::default()).changes
                    {
                        let inside = row.region.ends_with("_right") || row.region.ends_with("c1");
                        let outside = row.region.ends_with("_left") || row.region.ends_with("c2");
                        let metric = ["texture_roughness", "texture_coarse", "texture_fine"]
                            .into_iter()
                            .find(|m| *m == row.metric);
                        let Some(metric) = metric else { continue };
                        if !(inside || outside)
                            || row.region == WHOLE
                            || row.reason == Some(Reason::LowCoverage)
                        {
                            continue;
                        }
                        let truth = if inside { 100.0 * (factor - 1.0) } else { 0.0 };
                        match (row.change_percent, row.ci95_percent) {
                            (Some(change), Some([low, high])) => {
                                let covered = low <= truth && truth <= high;
                                errors.entry((metric, inside)).or_default().push((
                                    change - truth,
                                    covered,
                                    high - low,
                                ));
                            }
                            _ => refused += 1,
                        }
                    }
                }
            }
            for ((metric, inside), e) in &errors {
                let n = e.len() as f64;
                let mean = e.iter().map(|e| e.0).sum::<f64>() / n;
                let rms = (e.iter().map(|e| e.0 * e.0).sum::<f64>() / n).sqrt();
                let covered = 100.0 * e.iter().filter(|e| e.1).count() as f64 / n;
                let width = e.iter().map(|e| e.2).sum::<f64>() / n;
                println!(
                    "{name} x{factor} {metric} {}: mean error {mean:+.2}, RMS {rms:.2}, covered {covered:.0} %, width {width:.1}, n {n}",
                    if *inside { "treated" } else { "beside" }
                );
            }
            println!("   refused {refused}");
        }
    }
}

/// A lamp moved by 5°, 10° and 20°: measured within the tool's own interval or refused, and never a
/// verdict on light alone.
#[test]
fn a_moved_lamp_is_no_change() {
    let full = set("SKINDELTA_FULL");
    for degrees in [1.5f64, 5.0, 10.0, 20.0] {
        let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
        let (mut pairs, mut failed, mut verdicts) = (0, 0, 0);
        for k in 0..if full { 6 } else { 1 } {
            let subject = Subject::drawn(320 + k);
            let before = subject.source([0.0; 2]);
            for turn in [0.0f64, 0.5, 1.0, 1.5] {
                // The azimuth counts for as much of an angle as the lamp is low.
                let angle = (turn + 0.13 * k as f64) * std::f64::consts::PI;
                let low = Capture::default().light_elevation_deg.to_radians().cos();
                let lamp = [degrees * angle.cos() / low, degrees * angle.sin()];
                let after = subject.source(lamp);
                let second = plain(before.width, before.height, 8000 + k);
                let report = compare(&subject, [&before, &after], &second, &Settings::default());
                pairs += 1;
                let light = report
                    .quality
                    .iter()
                    .filter(|c| c.check == "light_match" && c.status == Status::Fail);
                failed += light.count();
                for row in &report.changes {
                    if let Some(metric) = HEADLINES.iter().find(|m| **m == row.metric) {
                        tallies.entry(metric).or_default().add(row);
                    }
                    if matches!(
                        row.verdict,
                        Verdict::Improved | Verdict::Worsened | Verdict::Changed
                    ) {
                        verdicts += 1;
                        if set("SKINDELTA_VERBOSE") {
                            println!(
                                "{degrees} {lamp:.1?} {} {} {:?} {:?}",
                                row.region, row.metric, row.change_percent, row.sdc_percent
                            );
                        }
                    }
                }
                if set("SKINDELTA_VERBOSE") {
                    let value = report
                        .quality
                        .iter()
                        .find(|c| c.check == "light_match")
                        .and_then(|c| c.value);
                    let row = report
                        .changes
                        .iter()
                        .find(|r| r.metric == "texture_coarse" && r.region == WHOLE)
                        .unwrap();
                    let sheen = report
                        .quality
                        .iter()
                        .filter(|c| c.visit == 1)
                        .map(|c| (c.check, c.value))
                        .collect::<Vec<_>>();
                    println!(
                        "lamp {degrees} {lamp:.1?} light_match {value:?} texture_coarse {:?} {:?} {sheen:?}",
                        row.change_percent, row.ci95_percent
                    );
                }
            }
        }
        print!("lamp {degrees}°: light_match failed {failed} of {pairs}, verdicts {verdicts}");
        for (metric, t) in &tallies {
            print!(
                "; {metric} {:.1} ({:+.1}) refused {:.0} ±{:.1}",
                100.0 * t.rms(),
                100.0 * t.bias(),
                t.refused_percent(),
                100.0 * t.half_width()
            );
        }
        println!();
    }
}
