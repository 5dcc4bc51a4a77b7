//! The tables of the page, region by region, and the course of a series.

use super::draw::{self, Effect, Point};
use super::{
    VERDICTS, anchor, change_text, chip, effect, follow_ups, headline_rank, headlines, icon, label,
    quantity, region_names, row_decimals, rows, tally, words,
};
use crate::change::Verdict;
use crate::metric::{Metric, Reason};
use crate::report::{ChangeRow, Report};
use maud::{Markup, html};

/// The interval drawings reach at least and at most so many times the SDC to each side.
const REACH: [f64; 2] = [3.0, 8.0];

/// One section per region that opens and closes.
pub fn regions(report: &Report) -> Markup {
    let visits = follow_ups(report);
    let names = region_names(report);
    let last = visits.last().map_or(Vec::new(), |v| rows(report, *v));
    let first_open = names
        .iter()
        .position(|name| last.iter().any(|r| r.region == *name && r.verdict.is_change()))
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
                        "Point: change. Bar: its 95 % interval. Grey band: what two photos of \
                         unchanged skin can show, drawn equally \
                         wide in every row. Left of the line is less, right is more."
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
    let shown = |v: &Verdict| v.is_change() || *v == Verdict::Unchanged;
    let found: Vec<Verdict> =
        VERDICTS.into_iter().filter(|v| shown(v) && tally(&rows, *v) > 0).collect();
    let compared = rows.len() > tally(&rows, Verdict::NotComparable);
    html! {
        span class="counts" data-visit=(visit) {
            @for verdict in &found {
                @let (symbol, word) = words::verdict(*verdict);
                span class={ "chip " (symbol) } {
                    (icon(symbol)) (tally(&rows, *verdict)) " " (word.to_lowercase())
                }
            }
            @if found.is_empty() && compared { (chip(words::verdict(Verdict::Inconclusive))) }
            @if !compared { (chip(words::verdict(Verdict::NotComparable))) }
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
        @if !seen.is_empty() {
            p class="faint" { "Share of the region seen as skin: " (seen.join(", ")) }
        }
    }
}

/// The values of a single photo.
fn measured(report: &Report, region: &str) -> Markup {
    let rows: Vec<_> = report.measurements.iter().filter(|m| m.region == region).collect();
    let missing: Vec<_> = rows.iter().filter_map(|m| Some((m.metric, m.reason?))).collect();
    let known: Vec<_> = rows.into_iter().filter(|m| m.value.is_some()).collect();
    html! {
        table class="values" {
            thead { tr { th scope="col" { "Metric" } th scope="col" class="num" { "Value" } } }
            @for (group, rows) in grouped(&known, |m| m.metric) {
                tbody {
                    tr class="group" { th colspan="2" scope="rowgroup" { (group) } }
                    @for row in rows {
                        @let decimals = words::decimals(&[row.value]);
                        tr {
                            th scope="row" { (row.metric.heading) }
                            td class="num" { (quantity(row.value, decimals, &row.unit)) }
                        }
                    }
                }
            }
        }
        (unmeasured(&missing))
    }
}

/// Rows under the headings of their metrics, in order of appearance.
fn grouped<T>(rows: &[T], metric: impl Fn(&T) -> &'static Metric) -> Vec<(&'static str, Vec<&T>)> {
    let mut groups: Vec<(&'static str, Vec<&T>)> = Vec::new();
    for row in rows {
        let group = metric(row).section;
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((group, vec![row])),
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
    let compared: Vec<&ChangeRow> =
        rows.into_iter().filter(|r| r.verdict != Verdict::NotComparable).collect();
    let headlines = headlines(|metric| compared.iter().any(|r| r.metric == metric));
    let (mut first, rest): (Vec<&ChangeRow>, Vec<&ChangeRow>) =
        compared.iter().partition(|r| r.verdict.is_change() || headlines.contains(&r.metric));
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
                    summary { "More measurements (" (rest.len()) "), no change established" }
                    table class="changes" {
                        (change_head(report, visit))
                        @for (group, rows) in grouped(&rest, |r| r.metric) {
                            tbody {
                                tr class="group" { th colspan="6" scope="rowgroup" { (group) } }
                                @for row in rows { (change_row(row, reach)) }
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
    let furthest = rows.iter().filter_map(|r| effect(r)).filter(|e| e.sdc > 0.0);
    let furthest = furthest.fold(0.0f64, |a, e| a.max(e.ci[0].abs().max(e.ci[1].abs()) / e.sdc));
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
    let unit = if in_percent { "%" } else { &row.unit };
    let interval = |Effect { change, ci, sdc }| {
        let d = if in_percent { words::percent_decimals(change) } else { decimals };
        let (low, high) = (words::signed(ci[0], d), words::signed(ci[1], d));
        let unit = words::unit(unit);
        (format!("{low} to {high}{unit}"), format!("± {}{unit}", words::number(sdc, d)))
    };
    html! {
        tr class=(symbol) {
            th scope="row" { (row.metric.heading) }
            td class="num from" { (quantity(row.baseline, decimals, &row.unit)) }
            td class="num to" { (quantity(row.follow_up, decimals, &row.unit)) }
            td class="num change" {
                b { (change_text(row)) }
                @if let Some((ci, _)) = effect.map(interval) { span class="interval" { (ci) } }
            }
            td class="plot" {
                @if let Some(effect) = effect {
                    @let (ci_text, sdc_text) = interval(effect);
                    @let label = format!("interval {ci_text}, noise {sdc_text}");
                    (draw::forest(effect, reach, symbol, &label))
                    span class="interval" { "noise " (sdc_text) }
                }
            }
            td class="verdict" { (chip((symbol, word))) }
        }
    }
}

/// What was not measured in a region, and why.
fn unmeasured(missing: &[(&Metric, Reason)]) -> Markup {
    html! {
        @if !missing.is_empty() {
            details class="more" {
                summary { "Not measured (" (missing.len()) ")" }
                table class="missing" {
                    tbody {
                        @for (metric, reason) in missing {
                            tr {
                                th scope="row" { (metric.heading) }
                                td { (words::reason(*reason)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Headline metrics of a region over three visits and more.
fn trends(report: &Report, region: &str) -> Markup {
    let metrics = headlines(|metric| course(report, region, metric).is_some());
    html! {
        @if !metrics.is_empty() {
            h3 { "Over the visits" }
            p class="faint" {
                "Change from the baseline in percent, with its 95 % interval; grey: what two \
                 photos of unchanged skin can show."
            }
            div class="charts" { @for metric in metrics { (chart(report, region, metric)) } }
        }
    }
}

/// The visits of one metric in percent of the baseline; none where fewer than two follow-ups can
/// be shown.
fn course(report: &Report, region: &str, metric: &'static Metric) -> Option<Vec<Point>> {
    let short =
        report.photos.len() <= 5 && report.photos.iter().all(|p| p.label.chars().count() <= 10);
    let name = |v: usize| if short { label(report, v).to_string() } else { v.to_string() };
    let mut points = vec![Point {
        label: name(0),
        change: Some(Effect { change: 0.0, ci: [0.0; 2], sdc: 0.0 }),
    }];
    points.extend(report.changes.iter().filter(|r| r.region == region && r.metric == metric).map(
        |r| Point {
            label: name(r.visit),
            change: effect(r).filter(|_| r.change_percent.is_some()),
        },
    ));
    (points.iter().filter(|p| p.change.is_some()).count() > 2).then_some(points)
}

fn chart(report: &Report, region: &str, metric: &'static Metric) -> Markup {
    let points = course(report, region, metric).unwrap_or_default();
    let trend = report.trends.iter().find(|t| t.region == region && t.metric == metric);
    let slope = trend.and_then(|t| t.slope_percent_per_visit.zip(t.ci95_percent_per_visit));
    let title = metric.heading;
    html! {
        figure class="chart" {
            figcaption {
                b { (title) }
                @if let Some((slope, ci)) = slope {
                    span {
                        (words::percent(slope)) " per visit ("
                        (words::percent(ci[0])) " to " (words::percent(ci[1])) ")"
                    }
                }
                @if let Some(trend) = trend { (chip(words::verdict(trend.verdict))) }
            }
            (draw::trend(&points, &format!("{title}: change from the baseline over the visits")))
        }
    }
}
