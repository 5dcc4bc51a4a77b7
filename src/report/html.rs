//! report.html: one file that needs nothing else, neither network nor program.
//!
//! Its policy forbids every address; style and script are held by their hashes.

mod closing;
mod draw;
mod pictures;
mod regions;
mod summary;
mod words;

use super::{ChangeRow, Pictures, Report};
use crate::change::Verdict;
use crate::metric::{HEADLINES, Metric};
use crate::output::{Form, Sign};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use draw::Effect;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("assets/report.css");
const SCRIPT: &str = include_str!("assets/report.js");
const SYMBOLS: &str = include_str!("assets/symbols.svg");

/// How the page is known.
pub const SIGN: Sign =
    Sign::Form(Form("<!DOCTYPE html>", "<meta name=\"generator\" content=\"skindelta "));

/// The page of one series.
pub fn render(report: &Report, pictures: &Pictures) -> String {
    let style = format!("{STYLE}{}", frame_style(pictures));
    let policy = format!(
        "default-src 'none'; img-src data:; style-src '{}'; script-src '{}'; base-uri 'none'; \
         form-action 'none'",
        source_hash(&style),
        source_hash(SCRIPT)
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="generator" content={ (report.tool.name) " " (report.tool.version) };
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { "Skin texture report: " (title(report)) }
                style { (PreEscaped(&style)) }
            }
            body {
                (PreEscaped(SYMBOLS))
                (head(report))
                main {
                    (notices(report))
                    (visit_choice(report))
                    @for visit in follow_ups(report) { (summary::summary(report, visit)) }
                    (pictures::viewer(report, pictures))
                    @for visit in follow_ups(report) { (summary::overview(report, visit)) }
                    (regions::regions(report))
                    (closing::quality(report))
                    (closing::alignment(report))
                    (closing::meaning(report))
                    (closing::provenance(report))
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

fn source_hash(text: &str) -> String {
    format!("sha256-{}", BASE64.encode(Sha256::digest(text.as_bytes())))
}

/// The proportions of the pictures, which an attribute may not set under the page's policy.
fn frame_style(pictures: &Pictures) -> String {
    let Some(photo) = pictures.photos.iter().flatten().next() else {
        return String::new();
    };
    format!(":root{{--w:{};--h:{}}}\n", photo.width().max(1), photo.height().max(1))
}

fn follow_ups(report: &Report) -> Vec<usize> {
    report.photos.iter().map(|p| p.visit).filter(|v| *v > 0).collect()
}

/// The regions of the tables, in their order.
fn region_names(report: &Report) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for name in report
        .measurements
        .iter()
        .map(|m| &m.region)
        .chain(report.changes.iter().map(|c| &c.region))
    {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}

fn title(report: &Report) -> String {
    let labels: Vec<&str> = match report.photos.as_slice() {
        [first, .., last] => vec![&first.label, &last.label],
        photos => photos.iter().map(|p| p.file.as_str()).collect(),
    };
    labels.join(" → ")
}

fn label(report: &Report, visit: usize) -> &str {
    report.photos.iter().find(|p| p.visit == visit).map_or("", |p| &p.label)
}

/// Label and date of a visit.
fn visit_name(report: &Report, visit: usize) -> String {
    let photo = report.photos.iter().find(|p| p.visit == visit);
    match photo.and_then(|p| p.date.as_ref()) {
        Some(date) => format!("{} ({date})", label(report, visit)),
        None => label(report, visit).to_string(),
    }
}

/// A word with its symbol; colour is never the only sign.
fn chip((symbol, words): (&str, &str)) -> Markup {
    html! { span class={ "chip " (symbol) } { (icon(symbol)) (words) } }
}

fn icon(symbol: &str) -> Markup {
    html! { svg class="icon" aria-hidden="true" { use href={ "#" (symbol) } {} } }
}

fn head(report: &Report) -> Markup {
    let what = if report.photos.len() > 1 {
        "Skin texture: change between visits"
    } else {
        "Skin texture: measurement"
    };
    html! {
        header {
            p class="brand" { (report.tool.name) " " (report.tool.version) }
            h1 { (what) }
            p class="caution" {
                "For research and documentation. Not a medical device and not a diagnosis; no \
                 number here replaces an examination."
            }
            div class="photos" {
                @for photo in &report.photos {
                    div class="photo" {
                        p class="visit" { (photo.label) }
                        p { (photo.date.as_deref().unwrap_or("no date given")) }
                        p class="file" { (photo.file) }
                        p class="faint" { (photo.width_px) " × " (photo.height_px) " px" }
                    }
                }
                div class="photo scale" {
                    p class="visit" { "Scale" }
                    p { (scale(report)) }
                    p class="faint" { (words::scale_source(report.scale.source)) }
                }
            }
        }
    }
}

fn scale(report: &Report) -> String {
    match report.scale.mm_per_px {
        Some(mm) if mm.is_finite() => {
            let text =
                format!("{}\u{a0}mm per px", words::number(mm, words::decimals(&[Some(mm)])));
            let error = 100.0 * report.scale.relative_uncertainty;
            if error > 0.0 {
                format!("{text}, ± {}\u{a0}%", words::number(error, 1))
            } else {
                text
            }
        }
        _ => "unknown".into(),
    }
}

fn notices(report: &Report) -> Markup {
    html! {
        @if !report.notices.is_empty() {
            section class="notices" aria-label="Notices" {
                h2 { "Please note" }
                ul { @for notice in &report.notices { li { (notice) } } }
            }
        }
    }
}

fn visit_choice(report: &Report) -> Markup {
    let visits = follow_ups(report);
    html! {
        @if visits.len() > 1 {
            fieldset class="visits" {
                legend { (label(report, 0)) " compared with" }
                @for visit in &visits {
                    label {
                        input type="radio" name="visit" value=(visit)
                            checked[Some(visit) == visits.last()];
                        span { (label(report, *visit)) }
                    }
                }
            }
        }
    }
}

/// The rows of one visit.
fn rows(report: &Report, visit: usize) -> Vec<&ChangeRow> {
    report.changes.iter().filter(|c| c.visit == visit).collect()
}

fn tally(rows: &[&ChangeRow], verdict: Verdict) -> usize {
    rows.iter().filter(|r| r.verdict == verdict).count()
}

const VERDICTS: [Verdict; 6] = [
    Verdict::Improved,
    Verdict::Worsened,
    Verdict::Changed,
    Verdict::Unchanged,
    Verdict::Inconclusive,
    Verdict::NotComparable,
];

/// The headline metrics among those that `are` there; the coarse band only stands in for the whole.
fn headlines(are: impl Fn(&'static Metric) -> bool) -> Vec<&'static Metric> {
    let [whole, coarse, ..] = HEADLINES;
    let stands_in = |m: &Metric| m == coarse && are(whole);
    HEADLINES.into_iter().filter(|m| are(m) && !stands_in(m)).collect()
}

fn headline_rank(metric: &Metric) -> usize {
    HEADLINES.iter().position(|other| *other == metric).unwrap_or(HEADLINES.len())
}

fn anchor(region: &str) -> String {
    format!("region-{region}")
}

/// The change in percent of the baseline, or in the metric's unit where percent has no meaning.
fn change_text(row: &ChangeRow) -> String {
    match (row.change_percent, row.change) {
        (Some(percent), _) if percent.is_finite() => words::percent(percent),
        (_, Some(change)) if change.is_finite() => {
            format!("{}{}", words::signed(change, row_decimals(row)), words::unit(&row.unit))
        }
        _ => "–".into(),
    }
}

/// Decimals for the values of a row.
fn row_decimals(row: &ChangeRow) -> usize {
    let change = row.change.filter(|_| row.change_percent.is_none());
    words::decimals(&[row.baseline, row.follow_up, change])
}

/// A number with its unit, a dash where there is none.
fn quantity(value: Option<f64>, decimals: usize, unit: &str) -> String {
    match value.filter(|v| v.is_finite()) {
        Some(v) => format!("{}{}", words::number(v, decimals), words::unit(unit)),
        None => "–".into(),
    }
}

/// Change, interval and SDC of a row in percent where it has them, else in its unit.
fn effect(row: &ChangeRow) -> Option<Effect> {
    let percent = row.change_percent.zip(row.ci95_percent).zip(row.sdc_percent);
    let unit = row.change.zip(row.ci95).zip(row.sdc);
    let ((change, ci), sdc) = percent.or(unit)?;
    [change, ci[0], ci[1], sdc].iter().all(|v| v.is_finite()).then_some(Effect { change, ci, sdc })
}
