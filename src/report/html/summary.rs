//! The beginning of the page: what changed, in words and at a glance.

use super::{
    VERDICTS, anchor, change_text, chip, headline_rank, headlines, icon, region_names, rows, tally,
    visit_name, words,
};
use crate::align::AlignmentStatus;
use crate::change::Verdict;
use crate::metric::{Metric, Reason};
use crate::report::{ChangeRow, Report};
use maud::{Markup, html};

/// Findings named per region in the summary; the table has the rest.
const FINDINGS: usize = 6;

/// What changed until one visit, in words.
pub fn summary(report: &Report, visit: usize) -> Markup {
    let rows = rows(report, visit);
    let regions: Vec<&str> = region_names(report)
        .into_iter()
        .filter(|name| rows.iter().any(|r| r.region == *name && r.verdict.is_change()))
        .collect();
    let all = region_names(report).len();
    let compared = rows.len() - tally(&rows, Verdict::NotComparable);
    let failed = report
        .alignment
        .iter()
        .find(|a| a.visit == visit && a.region.is_none() && a.status == AlignmentStatus::Failed);
    html! {
        section class="summary" data-visit=(visit) {
            h2 { "In short" }
            p class="span" { (visit_name(report, 0)) " → " (visit_name(report, visit)) }
            @for warning in report.warnings() { p class="lead warning" { (warning) } }
            p class="lead" {
                @if compared == 0 {
                    "Nothing could be compared between these two photos."
                    @if let Some(why) = failed.and_then(|a| a.reason.as_ref()) {
                        " They could not be registered to each other: " (why)
                    }
                } @else if regions.is_empty() {
                    "No change was established: " (tally(&rows, Verdict::Unchanged))
                    " measurements are unchanged (" (report.within_margin()) "), "
                    (tally(&rows, Verdict::Inconclusive)) " are inconclusive."
                } @else {
                    "A change was established in " (regions.len()) " of "
                    (words::count(all, "region", "regions")) "; "
                    (tally(&rows, Verdict::Unchanged))
                    " measurements are unchanged (" (report.within_margin()) ")."
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
        rows.iter().filter(|r| r.region == region && r.verdict.is_change()).copied().collect();
    found.sort_by_key(|r| headline_rank(r.metric));
    // What is neither better nor worse is named only where nothing else is.
    let named: Vec<&&ChangeRow> =
        found.iter().filter(|r| r.verdict != Verdict::Changed).take(FINDINGS).collect();
    let named = if named.is_empty() { found.iter().take(FINDINGS).collect() } else { named };
    html! {
        div class="finding" {
            h3 { a href={ "#" (anchor(region)) } { (words::region(region)) } }
            ul {
                @for row in &named {
                    @let (symbol, word) = words::verdict(row.verdict);
                    li class=(symbol) {
                        svg class="icon" role="img" aria-label=(word) {
                            use href={ "#" (symbol) } {}
                        }
                        (row.metric.heading) " " b { (change_text(row)) }
                    }
                }
                @if found.len() > named.len() {
                    li class="faint" { "and " (found.len() - named.len()) " more in the table" }
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

/// Regions × headline metrics at a glance.
pub fn overview(report: &Report, visit: usize) -> Markup {
    let rows = rows(report, visit);
    let compared = |metric: &'static Metric| {
        rows.iter().any(|r| r.metric == metric && r.verdict != Verdict::NotComparable)
    };
    let metrics = headlines(compared);
    html! {
        @if !metrics.is_empty() {
            section class="overview" data-visit=(visit) {
                h2 { "Overview" }
                p class="span" { (visit_name(report, 0)) " → " (visit_name(report, visit)) }
                div class="scroll" tabindex="0" role="region" aria-label="Overview table" {
                    table {
                        thead { tr {
                            th scope="col" { "Region" }
                            @for metric in &metrics { th scope="col" { (metric.heading) } }
                        } }
                        tbody {
                            @for region in region_names(report) {
                                tr {
                                    th scope="row" {
                                        a href={ "#" (anchor(region)) } { (words::region(region)) }
                                    }
                                    @for metric in &metrics {
                                        @let row = rows.iter().find(|r| r.region == region && r.metric == *metric);
                                        (overview_cell(row))
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
