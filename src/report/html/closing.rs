//! The end of the page: checks of the photos, alignment, what the numbers mean, provenance.

use super::{chip, follow_ups, label, quantity, words};
use crate::quality::{QualityCheck, Status};
use crate::region::RegionSource;
use crate::report::Report;
use maud::{Markup, html};

pub fn quality(report: &Report) -> Markup {
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
                    th scope="col" { "Photo" }
                    th scope="col" { "Check" }
                    th scope="col" { "Result" }
                    th scope="col" class="num" { "Value" } th scope="col" class="num" { "Limit" }
                    th scope="col" { "What to do" }
                } }
                tbody {
                    @for q in checks {
                        @let decimals = words::decimals(&[q.value, q.limit]);
                        tr {
                            td { (label(report, q.visit)) }
                            td {
                                (words::check(q.check.name()))
                                @if let Some(region) = &q.region {
                                    span class="interval" { (words::region(region)) }
                                }
                            }
                            td { (chip(words::status(q.status))) }
                            td class="num" data-label="value" {
                                (quantity(q.value, decimals, &q.unit))
                            }
                            td class="num" data-label="limit" {
                                (quantity(q.limit, decimals, &q.unit))
                            }
                            td class="advice" { (q.advice.as_deref().unwrap_or("")) }
                        }
                    }
                }
            }
        }
    }
}

pub fn alignment(report: &Report) -> Markup {
    html! {
        @if !report.alignment.is_empty() {
            section {
                h2 { "Alignment" }
                p class="faint" {
                    "How well each follow-up lies on the baseline: the tool’s own estimate of \
                     what is left, in baseline pixels."
                }
                div class="scroll" tabindex="0" role="region" aria-label="Alignment" {
                    table class="plain" {
                        thead { tr {
                            th scope="col" { "Photo" }
                            th scope="col" { "Region" }
                            th scope="col" { "Result" }
                            th scope="col" class="num" { "Median" }
                            th scope="col" class="num" { "95 % below" }
                            th scope="col" class="num" { "Overlap" } th scope="col" { "Why" }
                        } }
                        tbody {
                            @for row in &report.alignment {
                                tr {
                                    td { (label(report, row.visit)) }
                                    td {
                                        (row.region.as_deref().map_or("All".to_string(), words::region))
                                    }
                                    td { (chip(words::alignment(row.status))) }
                                    td class="num" data-label="median" {
                                        (quantity(row.residual_median_px, 2, "px"))
                                    }
                                    td class="num" data-label="95 % below" {
                                        (quantity(row.residual_p95_px, 2, "px"))
                                    }
                                    td class="num" data-label="overlap" {
                                        (quantity(row.overlap_percent, 0, "%"))
                                    }
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

pub fn meaning(report: &Report) -> Markup {
    html! {
        section class="meaning" {
            h2 { "What the numbers mean, and what they do not" }
            dl {
                dt { "They describe photos" }
                dd {
                    "Everything here is estimated from photos. Texture is the contrast of light \
                     and dark after uneven light has been taken out; it is not the height of the \
                     skin’s relief. Light from another side, focus, make-up or a phone’s \
                     smoothing change it too. The tool corrects for what it can and checks the \
                     rest."
                }
                dt { "Depth is an optical estimate" }
                dd {
                    "Wrinkle depth is computed from how dark and how wide a groove looks, scar \
                     depth from its lit and its shaded side. They are checked on synthetic skin \
                     with known depth, not against profilometry. Use them to compare visits, \
                     not as measurements in millimetres."
                }
                @if !follow_ups(report).is_empty() {
                    dt { "Change" }
                    dd {
                        "In percent of the baseline, both photos measured on the same skin and \
                         brought to the same sharpness. Where percent has no meaning (colour \
                         coordinates, values near zero) the change is in the unit itself."
                    }
                    dt { "95 % interval" }
                    dd {
                        "The range of changes that the photos are compatible with: it holds what \
                         another photo of the same skin would show, and what is left of alignment, \
                         focus, light and noise."
                    }
                    dt { "Noise band" }
                    dd {
                        "Two photos of unchanged skin differ by less than this in 95 of 100 \
                         cases (SDC)."
                    }
                    dt { "Verdict" }
                    dd {
                        "“Improved”, “worsened” and “changed” need two things: the interval \
                         excludes zero, and the row passes the Benjamini–Hochberg procedure at a \
                         false discovery rate of 5 % over all rows of the visit. “Changed” is for \
                         metrics that have no better or worse. “Unchanged”: the change is shown \
                         to be "
                        (report.within_margin())
                        " (two one-sided tests at 5 %). \
                         “Inconclusive”: neither is shown, something may have changed."
                    }
                    dt { "Cause" }
                    dd {
                        "A change tells that the skin in the photos differs, not why: treatment, \
                         season, hydration, expression and time of day all count."
                    }
                }
            }
            @if !report.citations.is_empty() {
                h3 { "Sources" }
                ul { @for citation in &report.citations { li { (citation) } } }
            }
        }
    }
}

pub fn provenance(report: &Report) -> Markup {
    let regions = match report.regions.source {
        RegionSource::Face => "regions of the face",
        RegionSource::Whole => "the whole frame",
        RegionSource::Grid => "a grid",
        RegionSource::File => "a region file",
    };
    html! {
        footer {
            p {
                (report.tool.name) " " (report.tool.version)
                " · result format " (report.schema_version)
                " · regions: " (regions)
                @if let Some(model) = &report.regions.model { " from model " (model) }
            }
            p class="hash" { "Settings SHA-256 " (report.settings_sha256) }
            @for photo in &report.photos {
                p class="hash" { (photo.file) " SHA-256 " (photo.sha256) }
            }
            p { "All numbers, unrounded, are in result.json and metrics.csv beside this page." }
        }
    }
}
