//! report.html: one file that needs nothing else, neither network nor program.
//!
//! Its policy forbids every address; style and script are held by their hashes.

use super::draw::{self, Point};
use super::{ChangeRow, Pictures, Report, words};
use crate::change::Verdict;
use crate::metric::Reason;
use crate::quality::{QualityCheck, Status};
use crate::region::RegionSource;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, RgbImage, RgbaImage};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("assets/report.css");
const SCRIPT: &str = include_str!("assets/report.js");
const SYMBOLS: &str = include_str!("assets/symbols.svg");

/// Quality of the photos on the page (JPEG scale); they are for looking, not for measuring.
const JPEG_QUALITY: u8 = 88;
/// The interval drawings reach at least and at most so many times the SDC to each side.
const REACH: [f64; 2] = [3.0, 8.0];
/// Findings named per region in the summary; the table has the rest.
const FINDINGS: usize = 6;

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
                    @for visit in follow_ups(report) { (summary(report, visit)) }
                    (viewer(report, pictures))
                    @for visit in follow_ups(report) { (overview(report, visit)) }
                    (regions(report))
                    (quality(report))
                    (alignment(report))
                    (meaning(report))
                    (provenance(report))
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
                "For research and documentation. Not a medical device and not a diagnosis; no number here \
                 replaces an examination."
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
            let text = format!("{}\u{a0}mm per px", words::number(mm, words::decimals(&[mm])));
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

fn is_finding(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Improved | Verdict::Worsened | Verdict::Changed)
}

fn tally(rows: &[&ChangeRow], verdict: Verdict) -> usize {
    rows.iter().filter(|r| r.verdict == verdict).count()
}

const VERDICTS: [Verdict; 5] = [
    Verdict::Improved,
    Verdict::Worsened,
    Verdict::Changed,
    Verdict::NoDetectableChange,
    Verdict::NotComparable,
];

fn summary(report: &Report, visit: usize) -> Markup {
    let rows = rows(report, visit);
    let regions: Vec<&str> = region_names(report)
        .into_iter()
        .filter(|name| rows.iter().any(|r| r.region == *name && is_finding(r.verdict)))
        .collect();
    let all = region_names(report).len();
    let compared = rows.len() - tally(&rows, Verdict::NotComparable);
    html! {
        section class="summary" data-visit=(visit) {
            h2 { "In short" }
            p class="span" { (visit_name(report, 0)) " → " (visit_name(report, visit)) }
            p class="lead" {
                @if compared == 0 {
                    "Nothing could be compared between these two photos."
                } @else if regions.is_empty() {
                    "No change was found that exceeds what two photos of unchanged skin show. Smaller \
                     changes may be there: each row tells the smallest change that could have been detected."
                } @else {
                    "In " (regions.len()) " of " (words::count(all, "region", "regions"))
                    ", something changed by more than two photos of unchanged skin would show."
                }
            }
            ul class="tally" {
                @for verdict in VERDICTS {
                    @let n = tally(&rows, verdict);
                    @if n > 0 || matches!(verdict, Verdict::Improved | Verdict::Worsened) {
                        li { b { (n) } (chip(words::verdict(verdict))) }
                    }
                }
            }
            @if !regions.is_empty() {
                div class="findings" {
                    @for region in regions { (findings(&rows, region)) }
                }
            }
            (not_compared(&rows))
        }
    }
}

/// What changed in one region, headline metrics first.
fn findings(rows: &[&ChangeRow], region: &str) -> Markup {
    let mut found: Vec<&ChangeRow> =
        rows.iter().filter(|r| r.region == region && is_finding(r.verdict)).copied().collect();
    found.sort_by_key(|r| headline_rank(r.metric));
    html! {
        div class="finding" {
            h3 { a href={ "#" (anchor(region)) } { (words::region(region)) } }
            ul {
                @for row in found.iter().take(FINDINGS) {
                    @let (symbol, word) = words::verdict(row.verdict);
                    li class=(symbol) {
                        (icon(symbol)) (words::metric(row.metric)) " "
                        b { (change_text(row)) } " " span class="faint" { (word.to_lowercase()) }
                    }
                }
                @if found.len() > FINDINGS {
                    li class="faint" { "and " (found.len() - FINDINGS) " more in the table" }
                }
            }
        }
    }
}

/// How many rows could not be compared, for each reason.
fn not_compared(rows: &[&ChangeRow]) -> Markup {
    let mut reasons: Vec<(Reason, usize)> = Vec::new();
    for reason in rows.iter().filter_map(|r| r.reason) {
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, n)) => *n += 1,
            None => reasons.push((reason, 1)),
        }
    }
    reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    html! {
        @if !reasons.is_empty() {
            details class="why" {
                summary {
                    "Why " (tally(rows, Verdict::NotComparable)) " of " (rows.len())
                    " rows could not be compared"
                }
                ul { @for (reason, n) in reasons { li { b { (n) } " " (words::reason(reason)) } } }
            }
        }
    }
}

fn headline_rank(metric: &str) -> usize {
    words::HEADLINE.iter().position(|id| *id == metric).unwrap_or(words::HEADLINE.len())
}

fn anchor(region: &str) -> String {
    format!("region-{region}")
}

/// The change in percent of the baseline, or in the metric's unit where percent has no meaning.
fn change_text(row: &ChangeRow) -> String {
    match (row.change_percent, row.change) {
        (Some(percent), _) if percent.is_finite() => words::percent(percent),
        (_, Some(change)) if change.is_finite() => {
            format!("{}{}", words::signed(change, row_decimals(row)), words::unit(row.unit))
        }
        _ => "–".into(),
    }
}

/// Decimals for the values of a row.
fn row_decimals(row: &ChangeRow) -> usize {
    let values = [row.baseline, row.follow_up, row.change.filter(|_| row.change_percent.is_none())];
    words::decimals(&values.into_iter().flatten().filter(|v| v.is_finite()).collect::<Vec<_>>())
}

/// A number with its unit, a dash where there is none.
fn quantity(value: Option<f64>, decimals: usize, unit: &str) -> String {
    match value.filter(|v| v.is_finite()) {
        Some(v) => format!("{}{}", words::number(v, decimals), words::unit(unit)),
        None => "–".into(),
    }
}

/// Change, interval and SDC of a row in percent where it has them, else in its unit.
fn effect(row: &ChangeRow) -> Option<(f64, [f64; 2], f64)> {
    let percent = row.change_percent.zip(row.ci95_percent).zip(row.sdc_percent);
    let unit = row.change.zip(row.ci95).zip(row.sdc);
    let ((change, ci), sdc) = percent.or(unit)?;
    [change, ci[0], ci[1], sdc].iter().all(|v| v.is_finite()).then_some((change, ci, sdc))
}

fn viewer(report: &Report, pictures: &Pictures) -> Markup {
    let photo = |visit: usize| pictures.photos.get(visit).and_then(Option::as_ref).and_then(jpeg);
    let Some(baseline) = photo(0) else { return html! {} };
    let layer = |images: &[Option<RgbaImage>], visit: usize| {
        images.get(visit).and_then(Option::as_ref).and_then(png)
    };
    let visits = follow_ups(report);
    let overlays = |visit: usize| {
        html! {
            @if let Some(data) = layer(&pictures.wrinkles, visit) { img class="overlay wrinkles" src=(data) alt=""; }
            @if let Some(data) = layer(&pictures.pores, visit) { img class="overlay pores" src=(data) alt=""; }
        }
    };
    let has = |images: &[Option<RgbaImage>]| images.iter().any(Option::is_some);
    html! {
        section {
            h2 { "Pictures" }
            figure class="viewer" {
                div class="stage" {
                    div class="side" {
                        img class="picture" src=(baseline) alt={ "Baseline: " (label(report, 0)) };
                        (overlays(0))
                        span class="tag" { (label(report, 0)) }
                    }
                    @for visit in &visits {
                        @if let Some(data) = photo(*visit) {
                            div class="side follow-up" data-visit=(visit) {
                                img class="picture" src=(data)
                                    alt={ (label(report, *visit)) ", laid onto the baseline" };
                                (overlays(*visit))
                                span class="tag" { (label(report, *visit)) }
                            }
                        } @else {
                            p class="missing" data-visit=(visit) {
                                (label(report, *visit)) " could not be laid onto the baseline; see Alignment."
                            }
                        }
                    }
                    @if let Some(data) = pictures.regions.as_ref().and_then(png) {
                        img class="overlay regions" src=(data) alt="";
                    }
                    @if !visits.is_empty() {
                        div class="handle" role="slider" tabindex="0" aria-valuemin="0" aria-valuemax="100"
                            aria-valuenow="50" aria-label="Share of the picture that shows the baseline" {
                            span class="grip" {}
                        }
                    }
                }
                div class="layers" {
                    @if has(&pictures.wrinkles) {
                        label { input type="checkbox" value="wrinkles"; span { "Wrinkles" } }
                    }
                    @if has(&pictures.pores) {
                        label { input type="checkbox" value="pores"; span { "Pores" } }
                    }
                    @if pictures.regions.is_some() {
                        label { input type="checkbox" value="regions"; span { "Regions" } }
                    }
                }
                figcaption {
                    @if visits.is_empty() {
                        "The measured part of the photo. "
                    } @else {
                        "The measured part of the photos, each follow-up laid onto the baseline. Drag the line, or \
                         focus it and press the arrow keys. Compare light and focus first: where they differ, \
                         skin looks different though it has not changed. "
                    }
                    @if report.regions.source == RegionSource::Face {
                        "Left and right are the person’s own, so left is on the right of the picture."
                    }
                }
            }
        }
    }
}

fn jpeg(image: &RgbImage) -> Option<String> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    let (w, h) = image.dimensions();
    encoder.write_image(image, w, h, ExtendedColorType::Rgb8).ok()?;
    Some(format!("data:image/jpeg;base64,{}", BASE64.encode(bytes)))
}

fn png(image: &RgbaImage) -> Option<String> {
    let mut bytes = Vec::new();
    let (w, h) = image.dimensions();
    PngEncoder::new(&mut bytes).write_image(image, w, h, ExtendedColorType::Rgba8).ok()?;
    Some(format!("data:image/png;base64,{}", BASE64.encode(bytes)))
}

/// Regions × headline metrics at a glance.
fn overview(report: &Report, visit: usize) -> Markup {
    let rows = rows(report, visit);
    let compared = |metric: &str| {
        rows.iter().any(|r| r.metric == metric && r.verdict != Verdict::NotComparable)
    };
    let metrics: Vec<&str> = words::HEADLINE
        .into_iter()
        .filter(|m| compared(m) && !(*m == "texture_coarse" && compared("texture_roughness")))
        .collect();
    html! {
        @if !metrics.is_empty() {
            section class="overview" data-visit=(visit) {
                h2 { "Overview" }
                p class="span" { (visit_name(report, 0)) " → " (visit_name(report, visit)) }
                div class="scroll" tabindex="0" role="region" aria-label="Overview table" {
                    table {
                        thead { tr {
                            th scope="col" { "Region" }
                            @for metric in &metrics { th scope="col" { (words::metric(metric)) } }
                        } }
                        tbody {
                            @for region in region_names(report) {
                                tr {
                                    th scope="row" { a href={ "#" (anchor(region)) } { (words::region(region)) } }
                                    @for metric in &metrics {
                                        (overview_cell(rows.iter().find(|r| r.region == region && r.metric == *metric)))
                                    }
                                }
                            }
                        }
                    }
                }
                p class="legend" { @for verdict in VERDICTS { (chip(words::verdict(verdict))) } }
            }
        }
    }
}

fn overview_cell(row: Option<&&ChangeRow>) -> Markup {
    match row {
        Some(row) if row.verdict != Verdict::NotComparable => {
            let (symbol, word) = words::verdict(row.verdict);
            html! { td class=(symbol) title=(word) { (icon(symbol)) (change_text(row)) } }
        }
        _ => html! { td class="none" title="Not comparable" { "–" } },
    }
}

fn regions(report: &Report) -> Markup {
    let visits = follow_ups(report);
    let names = region_names(report);
    let last = visits.last().map_or(Vec::new(), |v| rows(report, *v));
    let first_open = names
        .iter()
        .position(|name| last.iter().any(|r| r.region == *name && is_finding(r.verdict)))
        .unwrap_or(0);
    html! {
        section class="regions" {
            div class="bar" {
                h2 { "Region by region" }
                button type="button" class="all" hidden { "Open all" }
            }
            @if !visits.is_empty() {
                p class="key" {
                    svg class="forest improved" viewBox="0 0 200 20" aria-hidden="true" {
                        rect class="band" x="70" y="2" width="60" height="16" {}
                        line class="zero" x1="100" x2="100" y1="0" y2="20" {}
                        line class="ci" x1="20" x2="64" y1="10" y2="10" {}
                        circle class="point" cx="42" cy="10" r="4" {}
                    }
                    span {
                        "Point: change. Bar: its 95 % interval. Grey band: what two photos of unchanged skin can \
                         show (± smallest detectable change), drawn equally wide in every row. Left of the line is less, \
                         right is more."
                    }
                }
            }
            @for (i, name) in names.iter().enumerate() {
                details class="region" id=(anchor(name)) open[i == first_open] {
                    summary {
                        span class="name" { (words::region(name)) }
                        @for visit in &visits { (region_tally(report, *visit, name)) }
                    }
                    (coverage(report, name))
                    @if visits.is_empty() { (measured(report, name)) }
                    @for visit in &visits { (region_changes(report, *visit, name)) }
                    (trends(report, name))
                }
            }
        }
    }
}

fn region_tally(report: &Report, visit: usize, region: &str) -> Markup {
    let rows: Vec<&ChangeRow> =
        report.changes.iter().filter(|r| r.visit == visit && r.region == region).collect();
    let found = VERDICTS.into_iter().filter(|v| is_finding(*v) && tally(&rows, *v) > 0);
    html! {
        span class="counts" data-visit=(visit) {
            @for verdict in found {
                @let (symbol, word) = words::verdict(verdict);
                span class={ "chip " (symbol) } {
                    (icon(symbol)) (tally(&rows, verdict)) " " (word.to_lowercase())
                }
            }
        }
    }
}

/// How much of the region could be seen in each photo.
fn coverage(report: &Report, region: &str) -> Markup {
    let seen: Vec<String> = report
        .photos
        .iter()
        .filter_map(|p| {
            let row =
                report.measurements.iter().find(|m| m.visit == p.visit && m.region == region)?;
            Some(format!("{} {}\u{a0}%", p.label, words::number(row.coverage_percent, 0)))
        })
        .collect();
    html! {
        @if !seen.is_empty() { p class="faint" { "Share of the region seen as skin: " (seen.join(", ")) } }
    }
}

/// The values of a single photo.
fn measured(report: &Report, region: &str) -> Markup {
    let rows: Vec<_> = report.measurements.iter().filter(|m| m.region == region).collect();
    let missing: Vec<_> = rows.iter().filter_map(|m| Some((m.metric, m.reason?))).collect();
    html! {
        table class="values" {
            thead { tr { th scope="col" { "Metric" } th scope="col" class="num" { "Value" } } }
            @for group in groups(rows.iter().filter(|m| m.value.is_some()).map(|m| m.metric)) {
                tbody {
                    tr class="group" { th colspan="2" scope="rowgroup" { (group) } }
                    @for row in rows.iter().filter(|m| m.value.is_some() && words::group(m.metric) == group) {
                        @let decimals = words::decimals(&row.value.into_iter().collect::<Vec<_>>());
                        tr {
                            th scope="row" { (words::metric(row.metric)) }
                            td class="num" { (quantity(row.value, decimals, row.unit)) }
                        }
                    }
                }
            }
        }
        (unmeasured(&missing))
    }
}

/// The headings of these metrics, in order of appearance.
fn groups<'a>(metrics: impl Iterator<Item = &'a str>) -> Vec<&'static str> {
    let mut groups = Vec::new();
    for group in metrics.map(words::group) {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

fn region_changes(report: &Report, visit: usize, region: &str) -> Markup {
    let all = rows(report, visit);
    let reach = reach(&all);
    let rows: Vec<&ChangeRow> = all.into_iter().filter(|r| r.region == region).collect();
    let missing: Vec<_> = rows
        .iter()
        .filter(|r| r.verdict == Verdict::NotComparable)
        .filter_map(|r| Some((r.metric, r.reason?)))
        .collect();
    let compared = |r: &&&ChangeRow| r.verdict != Verdict::NotComparable;
    let fine = rows.iter().filter(compared).any(|r| r.metric == "texture_roughness");
    let (mut first, rest): (Vec<&ChangeRow>, Vec<&ChangeRow>) =
        rows.iter().filter(compared).partition(|r| {
            is_finding(r.verdict)
                || (words::HEADLINE.contains(&r.metric) && !(fine && r.metric == "texture_coarse"))
        });
    first.sort_by_key(|r| headline_rank(r.metric));
    html! {
        div data-visit=(visit) {
            @if first.is_empty() && rest.is_empty() {
                p { "Nothing could be compared here." }
            } @else {
                table class="changes" {
                    (change_head(report, visit))
                    tbody { @for row in &first { (change_row(row, reach)) } }
                }
            }
            @if !rest.is_empty() {
                details class="more" {
                    summary { "More measurements (" (rest.len()) "), none beyond noise" }
                    table class="changes" {
                        (change_head(report, visit))
                        @for group in groups(rest.iter().map(|r| r.metric)) {
                            tbody {
                                tr class="group" { th colspan="6" scope="rowgroup" { (group) } }
                                @for row in rest.iter().filter(|r| words::group(r.metric) == group) {
                                    (change_row(row, reach))
                                }
                            }
                        }
                    }
                }
            }
            (unmeasured(&missing))
        }
    }
}

/// How many SDC the interval drawings of a visit reach to each side.
fn reach(rows: &[&ChangeRow]) -> f64 {
    let furthest = rows.iter().filter_map(|r| effect(r)).filter(|(_, _, sdc)| *sdc > 0.0);
    let furthest =
        furthest.fold(0.0f64, |a, (_, ci, sdc)| a.max(ci[0].abs().max(ci[1].abs()) / sdc));
    furthest.clamp(REACH[0], REACH[1])
}

fn change_head(report: &Report, visit: usize) -> Markup {
    html! {
        thead { tr {
            th scope="col" { "Metric" }
            th scope="col" class="num" { (label(report, 0)) }
            th scope="col" class="num" { (label(report, visit)) }
            th scope="col" class="num" { "Change (95 % interval)" }
            th scope="col" class="plot" { "Against noise" }
            th scope="col" { "Verdict" }
        } }
    }
}

fn change_row(row: &ChangeRow, reach: f64) -> Markup {
    let decimals = row_decimals(row);
    let (symbol, word) = words::verdict(row.verdict);
    let effect = effect(row);
    let in_percent = row.change_percent.is_some();
    let unit = if in_percent { "%" } else { row.unit };
    let interval = |(change, ci, sdc): (f64, [f64; 2], f64)| {
        let d = if in_percent { words::percent_decimals(change) } else { decimals };
        let (low, high) = (words::signed(ci[0], d), words::signed(ci[1], d));
        let unit = words::unit(unit);
        (format!("{low} to {high}{unit}"), format!("± {}{unit}", words::number(sdc, d)))
    };
    html! {
        tr class=(symbol) {
            th scope="row" { (words::metric(row.metric)) }
            td class="num from" { (quantity(row.baseline, decimals, row.unit)) }
            td class="num to" { (quantity(row.follow_up, decimals, row.unit)) }
            td class="num change" {
                b { (change_text(row)) }
                @if let Some((ci, _)) = effect.map(interval) { span class="interval" { (ci) } }
            }
            td class="plot" {
                @if let Some((change, ci, sdc)) = effect {
                    @let (ci_text, sdc_text) = interval((change, ci, sdc));
                    @let text = format!("change {}, interval {ci_text}, noise {sdc_text}", change_text(row));
                    (draw::forest(change, ci, sdc, reach, symbol, &text))
                    span class="interval" { "noise " (sdc_text) }
                }
            }
            td class="verdict" { (chip((symbol, word))) }
        }
    }
}

/// What was not measured in a region, and why.
fn unmeasured(missing: &[(&str, Reason)]) -> Markup {
    html! {
        @if !missing.is_empty() {
            details class="more" {
                summary { "Not measured (" (missing.len()) ")" }
                table class="missing" {
                    tbody {
                        @for (metric, reason) in missing {
                            tr { th scope="row" { (words::metric(metric)) } td { (words::reason(*reason)) } }
                        }
                    }
                }
            }
        }
    }
}

/// Headline metrics of a region over three visits and more.
fn trends(report: &Report, region: &str) -> Markup {
    let visits = follow_ups(report);
    if visits.len() < 2 {
        return html! {};
    }
    let charts: Vec<Markup> =
        words::HEADLINE.into_iter().filter_map(|metric| chart(report, region, metric)).collect();
    html! {
        @if !charts.is_empty() {
            h3 { "Over the visits" }
            p class="faint" { "Change from the baseline in percent, with its 95 % interval; grey: ± smallest detectable change." }
            div class="charts" { @for chart in charts { (chart) } }
        }
    }
}

fn chart(report: &Report, region: &str, metric: &str) -> Option<Markup> {
    let rows: Vec<&ChangeRow> =
        report.changes.iter().filter(|r| r.region == region && r.metric == metric).collect();
    let short =
        report.photos.len() <= 5 && report.photos.iter().all(|p| p.label.chars().count() <= 10);
    let name =
        |visit: usize| if short { label(report, visit).to_string() } else { visit.to_string() };
    let mut points = vec![Point { label: name(0), change: Some((0.0, [0.0; 2], 0.0)) }];
    points.extend(rows.iter().map(|r| Point {
        label: name(r.visit),
        change: effect(r).filter(|_| r.change_percent.is_some()),
    }));
    if points.iter().filter(|p| p.change.is_some()).count() < 3 {
        return None;
    }
    let trend = report.trends.iter().find(|t| t.region == region && t.metric == metric);
    let title = words::metric(metric);
    Some(html! {
        figure class="chart" {
            figcaption {
                b { (title) }
                @if let Some(trend) = trend {
                    @if let Some((slope, ci)) = trend.slope_percent_per_visit.zip(trend.ci95_percent_per_visit) {
                        span { (words::percent(slope)) " per visit (" (words::percent(ci[0])) " to " (words::percent(ci[1])) ")" }
                    }
                    (chip(words::verdict(trend.verdict)))
                }
            }
            (draw::trend(&points, &format!("{title}: change from the baseline over the visits")))
        }
    })
}

fn quality(report: &Report) -> Markup {
    let (passed, other): (Vec<_>, Vec<_>) =
        report.quality.iter().partition(|q| q.status == Status::Pass);
    html! {
        @if !report.quality.is_empty() {
            section {
                h2 { "Quality of the photos" }
                @if other.is_empty() {
                    p { "All " (words::count(passed.len(), "check", "checks")) " passed." }
                } @else {
                    (quality_table(report, &other))
                }
                @if !passed.is_empty() {
                    details class="more" {
                        summary { "Passed (" (passed.len()) ")" }
                        (quality_table(report, &passed))
                    }
                }
            }
        }
    }
}

fn quality_table(report: &Report, checks: &[&QualityCheck]) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Quality checks" {
            table class="plain" {
                thead { tr {
                    th scope="col" { "Photo" } th scope="col" { "Check" } th scope="col" { "Result" }
                    th scope="col" class="num" { "Value" } th scope="col" class="num" { "Limit" }
                    th scope="col" { "What to do" }
                } }
                tbody {
                    @for q in checks {
                        @let values: Vec<f64> = [q.value, q.limit].into_iter().flatten().filter(|v| v.is_finite()).collect();
                        @let decimals = words::decimals(&values);
                        tr {
                            td { (label(report, q.visit)) }
                            td {
                                (words::check(q.check))
                                @if let Some(region) = &q.region { span class="interval" { (words::region(region)) } }
                            }
                            td { (chip(words::status(q.status))) }
                            td class="num" { (quantity(q.value, decimals, q.unit)) }
                            td class="num" { (quantity(q.limit, decimals, q.unit)) }
                            td class="advice" { (q.advice.as_deref().unwrap_or("")) }
                        }
                    }
                }
            }
        }
    }
}

fn alignment(report: &Report) -> Markup {
    html! {
        @if !report.alignment.is_empty() {
            section {
                h2 { "Alignment" }
                p class="faint" {
                    "How well each follow-up lies on the baseline: the tool’s own estimate of what is left, in baseline pixels."
                }
                div class="scroll" tabindex="0" role="region" aria-label="Alignment" {
                    table class="plain" {
                        thead { tr {
                            th scope="col" { "Photo" } th scope="col" { "Region" } th scope="col" { "Result" }
                            th scope="col" class="num" { "Median" } th scope="col" class="num" { "95 % below" }
                            th scope="col" class="num" { "Overlap" } th scope="col" { "Why" }
                        } }
                        tbody {
                            @for row in &report.alignment {
                                tr {
                                    td { (label(report, row.visit)) }
                                    td { (row.region.as_deref().map_or("All".to_string(), words::region)) }
                                    td { (chip(words::alignment(row.status))) }
                                    td class="num" { (quantity(row.residual_median_px, 2, "px")) }
                                    td class="num" { (quantity(row.residual_p95_px, 2, "px")) }
                                    td class="num" { (quantity(row.overlap_percent, 0, "%")) }
                                    td class="advice" { (row.reason.as_deref().unwrap_or("")) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn meaning(report: &Report) -> Markup {
    html! {
        section class="meaning" {
            h2 { "What the numbers mean, and what they do not" }
            dl {
                dt { "They describe photos" }
                dd {
                    "Everything here is estimated from photos. Texture is the contrast of light and dark after uneven \
                     light has been taken out; it is not the height of the skin’s relief. Light from another side, focus, \
                     make-up or a phone’s smoothing change it too. The tool corrects for what it can and checks the rest."
                }
                dt { "Depth is an optical estimate" }
                dd {
                    "Wrinkle and scar depth are computed from how dark and how wide a groove looks. They are checked on \
                     synthetic skin with known depth, not against profilometry. Use them to compare visits, not as \
                     measurements in millimetres."
                }
                @if !follow_ups(report).is_empty() {
                    dt { "Change" }
                    dd {
                        "In percent of the baseline, both photos measured on the same skin and brought to the same \
                         sharpness. Where percent has no meaning (colour coordinates, values near zero) the change is in the unit itself."
                    }
                    dt { "95 % interval" }
                    dd {
                        "The range of changes that the photos are compatible with: it holds the variation over the region's skin \
                         and what is left of alignment, focus, light and noise."
                    }
                    dt { "Noise band" }
                    dd {
                        "The smallest detectable change (SDC): two photos of unchanged skin differ by less than this in 95 of \
                         100 cases."
                    }
                    dt { "Verdict" }
                    dd {
                        "“Improved”, “worsened” and “changed” need all three: the interval excludes zero, the change exceeds the \
                         SDC, and the row passes the Benjamini–Hochberg procedure at a false discovery rate of 5 % over all \
                         rows of the visit. “Changed” is for metrics that have no better or worse. “No detectable change” does not \
                         prove that nothing changed."
                    }
                    dt { "Cause" }
                    dd {
                        "A change tells that the skin in the photos differs, not why: treatment, season, hydration, expression and time \
                         of day all count."
                    }
                }
            }
            @if !report.citations.is_empty() {
                details class="more" {
                    summary { "Sources (" (report.citations.len()) ")" }
                    ul { @for citation in &report.citations { li { (citation) } } }
                }
            }
        }
    }
}

fn provenance(report: &Report) -> Markup {
    let regions = match report.regions.source {
        RegionSource::Face => "regions of the face",
        RegionSource::Whole => "the whole frame",
        RegionSource::Grid => "a grid",
        RegionSource::File => "a region file",
    };
    html! {
        footer {
            p {
                (report.tool.name) " " (report.tool.version) " · result format " (report.schema_version)
                " · regions: " (regions)
                @if let Some(model) = &report.regions.model { " from model " (model) }
            }
            p class="hash" { "Settings SHA-256 " (report.settings_sha256) }
            @for photo in &report.photos { p class="hash" { (photo.file) " SHA-256 " (photo.sha256) } }
            p { "All numbers, unrounded, are in result.json and metrics.csv beside this page." }
        }
    }
}
