//! Photos made comparable, held against their truth: the same skin under other light, focus, noise,
//! compression and distance (nulls), with its fine detail scaled by a known factor (doses), under a
//! moved lamp, and with other pigment or relief.
//!
//! The short form runs always. `cargo test --release --test it -- comparable --ignored --nocapture
//! --test-threads 1` prints the tables of docs/accuracy.md (half an hour on two cores);
//! `SKINDELTA_ONLY=blur,noise` prints some rows of it.

use crate::data;
use skindelta::change::{ChangeRow, Verdict};
use skindelta::filter::gaussian::blur;
use skindelta::light;
use skindelta::metric::Reason;
use skindelta::phantom::{Capture, Treatment, Zone, camera};
use skindelta::photo::Photo;
use skindelta::plane::{Grid, Mask, Window};
use skindelta::quality::{Check, QualityCheck, Status};
use skindelta::region::Face;
use skindelta::report::Report;
use skindelta::series::ScaleSource;
use skindelta::settings::Settings;
use skindelta::tone::Tone;
use std::collections::BTreeMap;

use crate::shots::{
    self, CAREFUL, Dice, Form, Level, MAN, Retake, Source, Subject, WOMAN, Warp, photo, report,
    still, two_forms,
};

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

/// A follow-up that differs by one nuisance, or by all, and how far its lamp was moved.
fn retake(nuisance: &str, source: &Source, seed: u64) -> (Retake, [f64; 2]) {
    let all = Retake::new(&VISIT, seed, source.width, source.height);
    let mut dice = Dice::new(seed ^ 0x1a3);
    let lamp = [dice.about(1.5), dice.about(1.5)];
    let plain = still(source, seed);
    let moved = |warp: Warp| Retake { warp, ..plain.clone() };
    let retake = match nuisance {
        "exposure" => Retake { gain: all.gain, ..plain },
        "balance" => Retake { balance: all.balance, ..plain },
        "gradient" => Retake { gradient: all.gradient, ..plain },
        "blur" => Retake { blur_px: all.blur_px, ..plain },
        "noise" => Retake { noise: all.noise, ..plain },
        "jpeg" => Retake { quality: all.quality, ..plain },
        "scale" => moved(Warp { scale: all.warp.scale, ..plain.warp.clone() }),
        "rotation" => moved(Warp { turn: all.warp.turn, ..plain.warp.clone() }),
        "all" => all,
        _ => plain,
    };
    (retake, if matches!(nuisance, "lamp" | "all") { lamp } else { [0.0; 2] })
}

/// A plain photo of the first source and `second` of the other.
fn pair([before, after]: [&Source; 2], second: &Retake) -> [Photo; 2] {
    let first = still(before, second.seed + 1_000_000);
    [photo("before.jpg", &first.shoot(before)), photo("after.jpg", &second.shoot(after))]
}

/// The report of such a pair.
fn compare(
    subject: &Subject,
    sources: [&Source; 2],
    second: &Retake,
    settings: &Settings,
) -> Report {
    report(subject, sources[0], &pair(sources, second), settings)
}

/// One row.
struct Seen {
    /// Reported less true change, of the baseline.
    error: f64,
    /// Natural log.
    half_width: f64,
    covered: bool,
    /// Whether the verdict is a change.
    changed: bool,
}

/// What the rows of one metric show.
#[derive(Default)]
struct Tally {
    seen: Vec<Seen>,
    refused: BTreeMap<String, usize>,
}

impl Tally {
    /// A row whose true change is `truth`, natural log. Regions of a real face that the photo does not
    /// show are left out, and so are lines where there are none.
    fn add(&mut self, row: &ChangeRow, truth: f64, drawn: bool) {
        match (row.change_percent, row.ci95_percent) {
            (Some(change), Some(ends)) => {
                let [low, high] = ends.map(|v| (v / 100.0).ln_1p());
                self.seen.push(Seen {
                    error: change / 100.0 - truth.exp_m1(),
                    half_width: 0.5 * (high - low),
                    covered: low <= truth && truth <= high,
                    changed: row.verdict.is_change(),
                });
            }
            _ => match row.reason {
                // Nothing before and nothing after is no change, and no percent.
                None if row.change == Some(0.0) => {}
                Some(Reason::NothingFound) => {}
                Some(Reason::LowCoverage) if !drawn => {}
                reason => {
                    let why = reason.map_or("no percent".into(), |r| format!("{r:?}"));
                    *self.refused.entry(why).or_default() += 1;
                }
            },
        }
    }
    fn mean(&self, of: impl Fn(&Seen) -> f64) -> f64 {
        self.seen.iter().map(of).sum::<f64>() / self.seen.len() as f64
    }
    fn rms(&self) -> f64 {
        100.0 * self.mean(|s| s.error * s.error).sqrt()
    }
    fn bias(&self) -> f64 {
        100.0 * self.mean(|s| s.error)
    }
    fn covered(&self) -> f64 {
        100.0 * self.mean(|s| f64::from(u8::from(s.covered)))
    }
    fn changed(&self) -> usize {
        self.seen.iter().filter(|s| s.changed).count()
    }
    fn half_width(&self) -> f64 {
        let mut widths: Vec<f64> = self.seen.iter().map(|s| 100.0 * s.half_width).collect();
        widths.sort_by(f64::total_cmp);
        widths.get(widths.len() / 2).copied().unwrap_or(f64::NAN)
    }
    fn refused_percent(&self) -> f64 {
        let refused: usize = self.refused.values().sum();
        100.0 * refused as f64 / (refused + self.seen.len()).max(1) as f64
    }
}

type Tallies = BTreeMap<(&'static str, &'static str), Tally>;

fn headline(row: &ChangeRow) -> Option<&'static str> {
    HEADLINES.into_iter().find(|m| *m == row.metric.id)
}

/// Two photos of one subject that differ by a nuisance.
struct Null<'a> {
    subject: &'a Subject,
    nuisance: &'static str,
    before: Source,
    photos: [Photo; 2],
}

/// Pairs of each nuisance and subject.
fn nulls<'a>(subjects: &'a [Subject], nuisances: &[&'static str], seeds: u64) -> Vec<Null<'a>> {
    let mut pairs = Vec::new();
    for (s, subject) in subjects.iter().enumerate() {
        let before = subject.plain();
        for &nuisance in nuisances {
            if nuisance == "lamp" && !subject.is_drawn() {
                continue;
            }
            for k in 0..seeds {
                let (second, lamp) = retake(nuisance, &before, 5000 + 100 * s as u64 + k);
                let moved = lamp != [0.0; 2] && subject.is_drawn();
                let after = moved.then(|| subject.source(&Treatment::default(), lamp));
                let photos = pair([&before, after.as_ref().unwrap_or(&before)], &second);
                pairs.push(Null { subject, nuisance, before: before.clone(), photos });
            }
        }
    }
    pairs
}

/// Tallies of each nuisance and metric over all pairs.
fn tally(pairs: &[Null<'_>], settings: &Settings) -> Tallies {
    let mut tallies = Tallies::new();
    for Null { subject, nuisance, before, photos } in pairs {
        let report = report(subject, before, photos, settings);
        let failed = report.quality.iter().filter(|c| c.status == Status::Fail);
        failed.for_each(|c| println!("{} {nuisance}: {c:?}", subject.name));
        for row in &report.changes {
            if let Some(metric) = headline(row) {
                let tally = tallies.entry((nuisance, metric)).or_default();
                tally.add(row, 0.0, subject.is_drawn());
            }
        }
    }
    tallies
}

fn print(title: &str, tallies: &Tallies) {
    println!(
        "\n{title}: RMS (mean) % of the change, refused %, median half width of the interval %"
    );
    println!("| |{}", HEADLINES.map(|m| format!(" {m} |")).concat());
    println!("|---|{}", "---:|".repeat(HEADLINES.len()));
    let mut names: Vec<&str> = tallies.keys().map(|k| k.0).collect();
    names.dedup();
    names.sort_by_key(|name| NUISANCES.iter().position(|n| n == name));
    for name in names {
        let cell = |metric: &'static str| match tallies.get(&(name, metric)) {
            Some(t) if !t.seen.is_empty() => format!(
                " {:.2} ({:+.2}), {:.0}, ±{:.1} |",
                t.rms(),
                t.bias(),
                t.refused_percent(),
                t.half_width()
            ),
            _ => " – |".into(),
        };
        println!("| {name} |{}", HEADLINES.map(cell).concat());
    }
    let mut why: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for ((_, metric), t) in tallies {
        t.refused.iter().for_each(|(reason, n)| *why.entry((metric, reason)).or_default() += n);
    }
    let all: usize = tallies.values().map(|t| t.seen.len()).sum();
    let changed: usize = tallies.values().map(Tally::changed).sum();
    println!("refused: {why:?}\nverdicts of change: {changed} of {all}");
}

/// Drawn skins of consecutive seeds.
fn drawn(first: u64, count: u64, form: Form) -> Vec<Subject> {
    (0..count).map(|k| Subject::drawn(first + k, form)).collect()
}

fn shows_no_change(name: &str, subjects: &[Subject], seeds: u64, form: Form) {
    let only = std::env::var("SKINDELTA_ONLY").ok();
    let wanted = |n: &&str| match &only {
        Some(only) => only.split(',').any(|o| o == *n),
        None => form.long() || *n == "all",
    };
    let nuisances: Vec<&str> = NUISANCES.into_iter().filter(wanted).collect();
    let tallies = tally(&nulls(subjects, &nuisances, seeds), &Settings::default());
    print(name, &tallies);
    for ((nuisance, metric), t) in &tallies {
        let drawn = subjects[0].is_drawn();
        let most = if *nuisance == "all" { 2.5 } else { 2.0 };
        let told = format!("{name} {nuisance} {metric}: RMS {:.2}, bias {:+.2}", t.rms(), t.bias());
        // The real faces have 10 and 11 px/mm: too few for the finest band, and for pores where blur is
        // added.
        let coarse = !drawn && (metric.starts_with("pore") || *metric == "texture_roughness");
        assert!(coarse || t.refused_percent() <= 10.0, "{told}, refused {:?}", t.refused);
        if t.seen.is_empty() {
            continue;
        }
        // The mean of few is no better known than their number allows.
        let known = t.rms() / (t.seen.len() as f64).sqrt();
        let bias = form.of(1.5, 0.5 + known);
        assert!(t.rms() <= most && t.bias().abs() <= bias && t.changed() == 0, "{told}");
    }
}

/// Drawn skin again shows no change.
fn close_ups_again(form: Form) {
    // Rows of one pair share the lamp's move: their mean is no better known than one row.
    shows_no_change("close-ups", &drawn(300, form.of(2, 6), form), 1, form);
}
two_forms!(close_ups_again: close_ups_again_show_no_change, close_ups_again_show_no_change_long);

/// A real face again shows no change.
fn faces_again(form: Form) {
    let faces: Vec<Subject> = [WOMAN, MAN].into_iter().filter_map(Subject::real).collect();
    shows_no_change("real faces", &faces, form.of(1, 2), form);
}
two_forms!(faces_again: faces_again_show_no_change, faces_again_show_no_change_long);

/// Without any one correction, what it is for shows more.
fn corrections(form: Form) {
    let subjects = drawn(300, form.of(1, 6), form);
    // On one skin noise moves texture by a twentieth of a percent, and uneven light depth by four tenths, with their
    // correction or without: too little for the short form.
    let ablations = ablations().into_iter().filter(|a| form.long() || a.2[0] == "blur");
    for (without, settings, nuisances, metric) in ablations {
        let pairs = nulls(&subjects, &nuisances[..form.of(1, nuisances.len())], 1);
        let [all, less] = [&Settings::default(), &settings].map(|settings| tally(&pairs, settings));
        print(&format!("close-ups, {without}"), &less);
        let key = (nuisances[0], metric);
        let [all, less] = [&all[&key], &less[&key]].map(Tally::rms);
        assert!(less > 1.2 * all, "{without}: {} {less:.2}, with it {all:.2}", nuisances[0]);
    }
}
two_forms!(corrections: each_correction_earns_its_place, each_correction_earns_its_place_long);

/// The settings without one correction, the nuisances it is for, and the metric that shows the first.
fn ablations() -> Vec<(&'static str, Settings, Vec<&'static str>, &'static str)> {
    let without = |change: fn(&mut Settings)| {
        let mut settings = Settings::default();
        change(&mut settings);
        settings
    };
    vec![
        (
            "slow light left in",
            without(|s| s.luminance.flatten_sigma_mm = 1000.0),
            vec!["gradient", "all"],
            "wrinkle_depth",
        ),
        (
            "focus not matched",
            without(|s| s.luminance.blur_match_max_px = 0.0),
            vec!["blur", "scale", "all"],
            "texture_roughness",
        ),
        (
            "noise left in",
            without(|s| s.metric.texture_noise_cap = 0.0),
            vec!["noise", "jpeg", "all"],
            "texture_roughness",
        ),
    ]
}

/// `source` with all detail finer than some 10 mm scaled by `factor` in log light, left of the middle.
fn treated(source: &Source, factor: f64) -> Source {
    smoothed(source, 10.0, factor, false)
}

/// `source` with what has shorter periods than some `period_mm` scaled by `factor` in log light: in the
/// `whole`, or left of the middle.
fn smoothed(source: &Source, period_mm: f64, factor: f64, whole_skin: bool) -> Source {
    let sigma = (0.3 * period_mm / source.mm_per_px) as f32;
    let middle = (source.left + source.midline) as f64;
    let whole = &source.whole.linear;
    let log = |k: usize| whole.map(|v| (f32::from(v[k]).max(1.0) / 65535.0).ln());
    let planes = [0, 1, 2].map(log);
    let low = [0, 1, 2].map(|k| blur(&planes[k], sigma));
    source.with(Grid::from_fn(whole.width(), whole.height(), |x, y| {
        let share =
            if whole_skin { 1.0 } else { (0.5 - (x as f64 - middle) / 40.0).clamp(0.0, 1.0) };
        let f = (1.0 + (factor - 1.0) * share) as f32;
        [0, 1, 2].map(|k| {
            let (v, l) = (planes[k].at(x, y), low[k].at(x, y));
            (65535.0 * (l + f * (v - l)).exp()).round().clamp(0.0, 65535.0) as u16
        })
    }))
}

/// Fine detail scaled by a known factor on one side comes out at its size there, and beside it as
/// none.
fn doses(form: Form) {
    let drawn = drawn(310, form.of(1, 6), form);
    let real: Vec<Subject> =
        form.of(&[MAN][..], &[MAN, WOMAN]).iter().filter_map(|file| Subject::real(file)).collect();
    for (name, subjects, seeds) in [("close-ups", &drawn, 2), ("real faces", &real, 3)] {
        // Where there are no photos of real faces they were said to be left out.
        if subjects.is_empty() {
            continue;
        }
        let (factors, seeds) = form.of((&[0.8][..], 1), (&[1.0, 0.9, 0.8, 0.65], seeds));
        let mut coverage: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
        for &factor in factors {
            let mut tallies: BTreeMap<(&str, &str), Tally> = BTreeMap::new();
            for (s, subject) in subjects.iter().enumerate() {
                let before = subject.plain();
                for k in 0..seeds {
                    let (second, lamp) = retake("all", &before, 7000 + 100 * s as u64 + k);
                    let after = treated(&subject.source(&Treatment::default(), lamp), factor);
                    let report = compare(subject, [&before, &after], &second, &Settings::default());
                    for row in &report.changes {
                        let ends = |ends: [&str; 2]| ends.iter().any(|e| row.region.ends_with(e));
                        let (side, truth) = match () {
                            () if ends(["_right", "c1"]) => ("treated", f64::ln(factor)),
                            () if ends(["_left", "c2"]) => ("beside", 0.0),
                            () => continue,
                        };
                        let bands = ["texture_roughness", "texture_coarse", "texture_fine"];
                        if let Some(metric) = bands.into_iter().find(|m| *m == row.metric.id) {
                            let tally = tallies.entry((metric, side)).or_default();
                            tally.add(row, truth, subject.is_drawn());
                        }
                    }
                }
            }
            for ((metric, side), t) in tallies.iter().filter(|(_, t)| !t.seen.is_empty()) {
                println!(
                    "{name} x{factor} {metric} {side}: mean error {:+.2}, RMS {:.2}, covered {:.0} %, \
                     half width {:.1}, refused {:.0} %, n {}",
                    t.bias(),
                    t.rms(),
                    t.covered(),
                    t.half_width(),
                    t.refused_percent(),
                    t.seen.len()
                );
                let told = format!("{name} x{factor} {metric} {side}");
                // One pair alone tells no mean, and says little of bands that are no headline.
                // Where half of a real face is scaled by 0.65 the focus is told less well: 2.52 is what it is
                // there, 2.93 beside.
                let strong = !subjects[0].is_drawn() && factor < 0.7;
                let [bias, rms] = [2.0, if form.long() && !strong { 2.5 } else { 3.0 }];
                let headline = form.long() || *metric != "texture_fine";
                assert!(!headline || t.bias().abs() <= bias && t.rms() <= rms, "{told}");
                assert!(!headline || !subjects[0].is_drawn() || t.refused.is_empty(), "{told}");
                let [all, covered] = coverage.entry(metric).or_default();
                *all += t.seen.len();
                *covered += t.seen.iter().filter(|s| s.covered).count();
            }
        }
        assert!(!coverage.is_empty(), "{name}: bands were told");
        for (metric, [all, covered]) in coverage {
            let percent = 100.0 * covered as f64 / all as f64;
            println!("{name} {metric}: {percent:.0} % of {all} intervals cover the truth");
            assert!(percent >= form.of(80.0, 92.0), "{name} {metric}");
        }
    }
}
two_forms!(doses: doses_come_out_at_their_size, doses_come_out_at_their_size_long);

/// A file that was compressed harder shows the same texture, or none: it is no smoother skin and no
/// rougher one.
fn compression(form: Form) {
    let subject = Subject::drawn(340, form);
    // Fine relief of a third: little enough for a file of low quality to round it away.
    let skin = smoothed(&subject.plain(), 10.0, 0.33, true);
    let best = photo("best.jpg", &shots::jpeg(&skin.linear(), 100));
    let mut told = [0; 2];
    let qualities = form.of(&[85, 60][..], &[95, 85, 75, 60, 40]);
    let coded = |quality: &u8| photo("coded.jpg", &shots::jpeg(&skin.linear(), *quality));
    let photos: Vec<Photo> = [best].into_iter().chain(qualities.iter().map(coded)).collect();
    let series = report(&subject, &skin, &photos, &Settings::default());
    for (k, quality) in qualities.iter().enumerate() {
        for (b, band) in ["texture_fine", "texture_coarse"].into_iter().enumerate() {
            let value = |visit: usize| {
                let mut rows = series.measurements.iter();
                let row =
                    rows.find(|r| r.visit == visit && r.metric.id == band && r.region == "r1c1");
                let row = row.expect("a row");
                assert!(row.value.is_some() || row.reason == Some(Reason::BelowNoise), "{row:?}");
                row.value
            };
            let Some(coded) = value(k + 1) else {
                println!("quality {quality} {band}: below noise");
                continue;
            };
            told[b] += 1;
            let change = 100.0 * (coded / value(0).expect("a good file") - 1.0);
            println!("quality {quality} {band}: {change:+.1} %");
            assert!(change.abs() < 12.0, "quality {quality} {band}: {change}");
        }
    }
    let least = form.of([1, 2], [2, 4]);
    assert!(told[0] >= least[0] && told[1] >= least[1], "told {told:?} of {}", qualities.len());
    let grey = Grid::filled(400, 400, [0.3; 3]);
    let grey = photo("grey.jpg", &shots::jpeg(&grey, 90));
    let report = report(&subject, &skin, &[grey.clone(), grey], &Settings::default());
    for row in report.measurements.iter().filter(|r| r.metric.id.starts_with("texture_")) {
        assert!(row.value.is_none() && row.reason.is_some(), "{row:?}");
    }
}
two_forms!(compression: compression_takes_no_texture_and_makes_none,
    compression_takes_no_texture_and_makes_none_long);

/// Where only the finest scale is made smoother, part of it looks like blur and is taken out as such:
/// what is left is told, never more than there is, and the coarser scale is not said to change.
fn smoothing(form: Form) {
    for seed in 0..form.of(1, 4) {
        let subject = Subject::drawn(350 + seed, form);
        let before = subject.plain();
        for (what, whole) in [("one half", false), ("all of it", true)] {
            let after = smoothed(&before, 0.35, 0.8, whole);
            let second = still(&after, 9000 + seed);
            let photos = pair([&before, &after], &second);
            let mut as_it_is = Settings::default();
            as_it_is.luminance.blur_match_max_px = 0.0;
            let told = |settings: &Settings| {
                let report = report(&subject, &before, &photos, settings);
                ["texture_fine", "texture_coarse"].map(|metric| {
                    let mut rows = report.changes.iter();
                    let row = rows.find(|r| r.metric.id == metric && r.region == "r1c1");
                    row.expect("a row").change_percent.expect("a comparable texture")
                })
            };
            let [[true_fine, true_coarse], [fine, coarse]] =
                [told(&as_it_is), told(&Settings::default())];
            println!(
                "finer than 0.35 mm made 20 % smoother in {what}: fine {fine:+.1} of {true_fine:+.1}, \
                 coarse {coarse:+.1} of {true_coarse:+.1} %"
            );
            assert!(fine > true_fine && fine < 1.0 && coarse.abs() < 3.0, "{fine} {coarse}");
            assert!(whole || fine < -2.0, "{fine}");
        }
    }
}
two_forms!(smoothing: smoothing_of_the_finest_scale_alone_is_partly_taken_for_blur,
    smoothing_of_the_finest_scale_alone_is_partly_taken_for_blur_long);

/// A lamp moved by 5°, 10° and 20°: measured within the tool's own interval or refused, and never a
/// verdict on light alone.
fn moved_lamp(form: Form) {
    let subjects = drawn(320, form.of(1, 6), form);
    let degrees = form.of(&[1.5, 20.0][..], &[1.5, 5.0, 10.0, 20.0]);
    let turns = form.of(&[0.5][..], &[0.0, 0.5, 1.0, 1.5]);
    let moves: Vec<[f64; 2]> =
        degrees.iter().flat_map(|&by| turns.iter().map(move |&turn| [by, turn])).collect();
    let reports: Vec<Report> = (0..)
        .zip(&subjects)
        .map(|(k, subject)| {
            let before = subject.plain();
            let after = |[degrees, turn]: &[f64; 2]| {
                // The azimuth counts for as much of an angle as the lamp is low.
                let angle = (turn + 0.13 * k as f64) * std::f64::consts::PI;
                let low = Capture::default().light_elevation_deg.to_radians().cos();
                let lamp = [degrees * angle.cos() / low, degrees * angle.sin()];
                let after = subject.source(&Treatment::default(), lamp);
                photo("after.jpg", &still(&after, 8000 + k).shoot(&after))
            };
            let first = photo("before.jpg", &still(&before, 1_008_000 + k).shoot(&before));
            let photos: Vec<Photo> = [first].into_iter().chain(moves.iter().map(after)).collect();
            report(subject, &before, &photos, &Settings::default())
        })
        .collect();
    for &degrees in degrees {
        let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
        let (mut pairs, mut refused) = (0, 0);
        let mut told: Vec<f64> = Vec::new();
        for report in &reports {
            for visit in (1..=moves.len()).filter(|visit| moves[visit - 1][0] == degrees) {
                pairs += 1;
                let of_pair = |c: &&QualityCheck| c.visit == visit && c.check == Check::LightMatch;
                let light = report.quality.iter().filter(of_pair);
                refused += light.clone().filter(|c| c.status == Status::Fail).count();
                told.extend(light.filter_map(|c| c.value));
                for row in report.changes.iter().filter(|row| row.visit == visit) {
                    let real = [Verdict::Improved, Verdict::Worsened, Verdict::Changed];
                    assert!(!real.contains(&row.verdict), "{degrees}° {row:?}");
                    if let Some(metric) = headline(row) {
                        tallies.entry(metric).or_default().add(row, 0.0, true);
                    }
                }
            }
        }
        told.sort_by(f64::total_cmp);
        let (least, most) = (told.first().expect("told"), told.last().expect("told"));
        // What is below the floor widens no interval.
        let floor = 100.0 * Settings::default().change.shading_floor;
        assert!(degrees < 5.0 || *least > floor, "{degrees}°: {least}");
        println!(
            "lamp moved {degrees}°: light_match {least:.0}–{most:.0} %, fails for {refused} of {pairs} pairs"
        );
        for (metric, t) in tallies.iter().filter(|(_, t)| !t.seen.is_empty()) {
            println!(
                "    {metric}: RMS {:.1} ({:+.1}), covered {:.0} %, refused {:.0} %, half width {:.1}",
                t.rms(),
                t.bias(),
                t.covered(),
                t.refused_percent(),
                t.half_width()
            );
            assert!(t.covered() >= 90.0, "{degrees}° {metric}");
        }
        assert!(if degrees < 5.0 {
            refused == 0
        } else {
            degrees < 20.0 || 4 * refused >= 3 * pairs
        });
    }
}
two_forms!(moved_lamp: a_moved_lamp_is_no_change, a_moved_lamp_is_no_change_long);

/// Melanin that varies with periods between two, mm, put on the left half of linear light: the
/// root mean square of its absorption in green is `strength`.
fn pigmented(source: &Source, periods_mm: [f64; 2], strength: f64) -> Grid<[f32; 3]> {
    /// Absorption against green's: that of the drawn skin, not what the estimator is blind to.
    const MELANIN: [f64; 3] = [0.532, 1.0, 1.387];
    let mut dice = Dice::new(77);
    let waves: Vec<[f64; 3]> = (0..60)
        .map(|_| {
            let period = (dice.between(periods_mm[0].ln(), periods_mm[1].ln())).exp();
            let k = std::f64::consts::TAU * source.mm_per_px / period;
            let way = dice.between(0.0, std::f64::consts::TAU);
            [k * way.cos(), k * way.sin(), dice.between(0.0, std::f64::consts::TAU)]
        })
        .collect();
    let linear = source.linear();
    let (width, height) = (linear.width(), linear.height());
    Grid::from_fn(width, height, |x, y| {
        let side = (0.5 - (x as f64 - width as f64 / 2.0) / 40.0).clamp(0.0, 1.0);
        let sum: f64 = waves.iter().map(|[u, v, p]| (u * x as f64 + v * y as f64 + p).cos()).sum();
        let absorbed = side * strength * sum * (2.0 / waves.len() as f64).sqrt();
        let rgb = linear.at(x, y);
        [0, 1, 2].map(|k| rgb[k] * (-absorbed * MELANIN[k]).exp() as f32)
    })
}

/// As a photo of skin: JPEG of quality 95 with the whole colour or half of it.
fn coded(linear: &Grid<[f32; 3]>, halved: bool) -> Photo {
    if !halved {
        return photo("after.jpg", &shots::jpeg(linear, 95));
    }
    let half = jpeg_encoder::SamplingFactor::R_4_2_0;
    photo("after.jpg", &camera::jpeg_sampled(&shots::rgb8(linear), 95, half))
}

/// Pigment is no texture: what varies over more than 3 mm moves it by less than 1 %, what is finer by
/// less than 5 %.
fn pigment(form: Form) {
    let subject = Subject::drawn(330, form);
    let source = subject.plain();
    // What pigment beyond a twentieth, or under halved colour, does is only printed, by the long form.
    let cases: Vec<([f64; 2], f64, bool)> =
        [([3.0, 12.0], 0.05), ([3.0, 12.0], 0.1), ([0.3, 3.0], 0.01), ([0.3, 3.0], 0.02)]
            .into_iter()
            .flat_map(|(periods, strength)| [false, true].map(|half| (periods, strength, half)))
            .filter(|(_, strength, halved)| form.long() || !halved && *strength <= 0.05)
            .collect();
    let before = photo("before.jpg", &shots::jpeg(&source.linear(), 95));
    let after = |&(periods_mm, strength, halved): &([f64; 2], f64, bool)| {
        coded(&pigmented(&source, periods_mm, strength), halved)
    };
    let photos: Vec<Photo> = [before].into_iter().chain(cases.iter().map(after)).collect();
    let report = report(&subject, &source, &photos, &Settings::default());
    for row in &report.changes {
        if row.metric.id == "texture_roughness" && row.region.ends_with("c1") {
            let (periods_mm, strength, halved) = cases[row.visit - 1];
            let change = row.change_percent.expect("a comparable texture");
            println!(
                "pigment of {periods_mm:?} mm, {strength} in green, halved colour {halved}: \
                 {} {:.3} moved by {change:+.2} %",
                row.region,
                row.baseline.unwrap_or(f64::NAN),
            );
            if strength <= 0.05 && !halved {
                let most = if periods_mm[0] >= 3.0 { 1.0 } else { 5.0 };
                assert!(change.abs() < most, "{change}");
            }
        }
    }
}
two_forms!(pigment: pigment_is_no_texture, pigment_is_no_texture_long);

/// Relief is no colour: where it is made shallower the tone stays within 0.3 ΔE00.
fn shallower_is_no_tone(treatments: &[(&str, Treatment)]) {
    let subject = Subject::drawn(331, Form::Long);
    let plain = subject.plain();
    let [width, height] = [plain.width, plain.height].map(|n| n as f64 * plain.mm_per_px);
    // The left half; the other is the reference.
    let zone = Zone {
        centre_mm: [-0.25 * width, 0.0],
        half_mm: [0.25 * width, 0.5 * height],
        ellipse: false,
    };
    let after = |(_, treatment): &(_, Treatment)| {
        let treatment = Treatment { zone: Some(zone), ..*treatment };
        subject.source(&treatment, [0.0; 2])
    };
    let sources: Vec<Source> =
        [plain.clone()].into_iter().chain(treatments.iter().map(after)).collect();
    // All follow-ups are taken alike.
    let photos: Vec<Photo> = [0]
        .into_iter()
        .chain(std::iter::repeat(1))
        .zip(&sources)
        .map(|(seed, source)| photo("skin.jpg", &still(source, seed).shoot(source)))
        .collect();
    let mut request = shots::request(subject.regions.clone(), Some(plain.mm_per_px));
    request.options.reference = Some("r2c2".into());
    let report = shots::analysis(&photos, &request).report;
    let cases = treatments.iter().enumerate().flat_map(|c| [(c, "r1c1"), (c, "r2c1")]);
    for ((k, (what, _)), region) in cases {
        let row = |metric: &str| {
            let mut rows = report.changes.iter().filter(|r| r.visit == k + 1);
            rows.find(|r| r.metric.id == metric && r.region == region).expect("a row")
        };
        let lab = ["lightness", "redness", "yellowness"].map(row);
        let difference = skindelta::cielab::delta_e00(
            lab.map(|row| row.baseline.expect("a colour")),
            lab.map(|row| row.follow_up.expect("a colour")),
        );
        let texture = row("texture_roughness").change_percent;
        println!("{what}: {difference:.3} ΔE00, texture {texture:+.1?} %");
        assert!(difference < 0.3, "{what}: {difference}");
    }
}

#[test]
fn relief_is_no_tone() {
    shallower_is_no_tone(&[
        ("wrinkles", Treatment { wrinkle_depth: 0.5, ..Treatment::default() }),
        ("pores", Treatment { pore_diameter: 0.7, ..Treatment::default() }),
    ]);
}

#[test]
#[ignore = "defect: fine relief halved moves the tone by 0.35 ΔE00"]
fn fine_relief_is_no_tone() {
    shallower_is_no_tone(&[(
        "fine relief",
        Treatment { fine_relief: 0.5, ..Treatment::default() },
    )]);
}

/// One person under 64 lamps of known direction (Yale B): azimuth and elevation in degrees, and the
/// photo; none where the data are not there.
fn lamps() -> Vec<([f64; 2], Tone)> {
    let Some(folder) = data::data("pairs/yaleB02_lights") else { return Vec::new() };
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "pgm"))
        .collect();
    names.sort();
    let angles = |path: &std::path::Path| -> Option<[f64; 2]> {
        let (azimuth, elevation) =
            path.file_stem()?.to_str()?.split_once("P00A")?.1.split_once('E')?;
        Some([azimuth.parse().ok()?, elevation.parse().ok()?])
    };
    let photo = |path: &std::path::Path| {
        let bytes = std::fs::read(path).expect("a file");
        // P5, 168 × 192, 255: the light is what follows the header.
        let pixels = &bytes[bytes.len() - 168 * 192..];
        Tone {
            cell_px: 1,
            rgb: Grid::from_fn(168, 192, |x, y| [f32::from(pixels[y * 168 + x]) / 255.0; 3]),
            valid: Mask::from_fn(168, 192, |x, y| (4..250).contains(&pixels[y * 168 + x])),
        }
    };
    names.iter().filter_map(|path| Some((angles(path)?, photo(path)))).collect()
}

/// The turn of the light between the photo lit from the front and each other, against its truth.
#[test]
fn the_light_of_yale_turns_as_it_did() {
    let lamps = lamps();
    let Some((_, front)) = lamps.iter().find(|(angles, _)| *angles == [0.0; 2]) else { return };
    // Marked by hand: the photos are cut alike.
    let face = Face {
        eyes: [[36.0, 46.0], [131.0, 46.0]],
        mouth: [83.0, 156.0],
        width_px: 200.0,
        nose_base: None,
        chin: None,
        pose: None,
        expression: None,
        mm_per_px: None,
    };
    let scale = skindelta::series::Scale {
        mm_per_px: None,
        source: ScaleSource::None,
        relative_uncertainty: 0.0,
        file_px: 1.0,
    };
    let settings = Settings::default();
    let [warns, fails] = settings.quality.light_turn_deg;
    let (mut errors, mut largest_passed, mut largest_unfailed) = (Vec::new(), 0f64, 0f64);
    for (angles, photo) in &lamps {
        let [azimuth, elevation] = angles.map(f64::to_radians);
        let truth = (elevation.cos() * azimuth.cos()).acos().to_degrees();
        let window = Window::full(168, 192);
        let change = light::change([front, photo], window, Some(&face), &scale, &settings.light);
        let turn = change.turn_deg.expect("a face that is lit");
        println!("{angles:?}: turned {truth:.0}°, told {turn:.0}°");
        // A lamp behind the head lights no skin: what is seen then is the room's light.
        if truth > 90.0 {
            continue;
        }
        if truth <= 50.0 {
            errors.push((turn - truth).abs());
        }
        if turn < warns {
            largest_passed = largest_passed.max(truth);
        }
        if turn < fails {
            largest_unfailed = largest_unfailed.max(truth);
        }
    }
    errors.sort_by(f64::total_cmp);
    let [median, worst] = [errors[errors.len() / 2], errors[errors.len() - 1]];
    println!(
        "up to 50°: median error {median:.1}°, largest {worst:.1}° of {}; passes up to {largest_passed:.0}°, \
         always fails from more than {largest_unfailed:.0}°",
        errors.len()
    );
    assert!(median < 5.0 && largest_passed <= 15.0 && largest_unfailed <= 30.0);
}
