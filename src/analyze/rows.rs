//! The rows of measurements and changes: every region, every metric.

use super::{Analyzer, Baseline, Comparison, FollowUp, Prepared};
use crate::align::Alignment;
use crate::change::{self, ChangeRow, Resampling, RowContext, TrendRow};
use crate::light::LightChange;
use crate::luminance::Pair;
use crate::metric::tone::ReferenceSkin;
use crate::metric::{Group, METRICS, Metric, Readings, Reason, Tiles};
use crate::plane::{Mask, par_collect};
use crate::quality::{self, QualityCheck};
use crate::region::{Region, RegionMap, WHOLE};
use crate::report::MeasurementRow;
use crate::series::Scale;
use crate::settings::{ChangeSettings, Settings};

/// The regions of a baseline, and which of their skin is measured.
pub(super) struct MeasuredSkin<'a> {
    pub regions: &'a RegionMap,
    pub scale: &'a Scale,
    /// Valid skin of the window of the region map; none where registration failed.
    pub valid: Option<&'a Mask>,
    pub settings: &'a Settings,
}

/// One region with its measured skin.
struct MeasuredRegion<'a> {
    region: &'a Region,
    tiles: Tiles,
    coverage_percent: f64,
    /// Why no metric can be read here.
    obstacle: Option<Reason>,
}

impl<'a> MeasuredSkin<'a> {
    pub fn new(
        analyzer: &'a Analyzer,
        regions: &'a RegionMap,
        scale: &'a Scale,
        photo: Option<&'a Prepared>,
    ) -> MeasuredSkin<'a> {
        let valid = photo.map(|p| &p.luminance.valid);
        MeasuredSkin { regions, scale, valid, settings: &analyzer.options.settings }
    }

    /// Tiles over the valid skin of a region.
    fn tiles(&self, region: &Region) -> Tiles {
        let frame = self.regions.window;
        let window = region.window.within(frame);
        let inside = Mask::from_fn(window.width, window.height, |x, y| {
            let (x, y) = (window.x + x, window.y + y);
            region.inside.at(x + frame.x - region.window.x, y + frame.y - region.window.y)
                && self.valid.is_some_and(|valid| valid.at(x, y))
        });
        let area = inside.count() as f64;
        let s = &self.settings.change;
        let wanted = self.scale.mm_per_px.map_or(f64::INFINITY, |mm| s.tile_mm / mm.0);
        let side = wanted
            .min((area / s.tiles_target as f64).sqrt())
            .max((area / s.tiles_max as f64).sqrt())
            .max(s.tile_min_px as f64);
        Tiles::new(window, inside, side.round() as usize)
    }

    /// Share of a region that is measured, %; of `whole`, share of its skin.
    fn coverage_percent(&self, region: &Region, tiles: &Tiles) -> f64 {
        let whole = region.name == WHOLE;
        let all = if whole { self.regions.skin.count() } else { region.inside.count() };
        if all == 0 { 0.0 } else { 100.0 * tiles.pixels() as f64 / all as f64 }
    }

    /// Measured area, cm², of a nominal face where no scale is known.
    fn area_cm2(&self, tiles: &Tiles) -> f64 {
        self.scale.mm_per_px.map_or(1.0, |mm| tiles.pixels() as f64 * mm.0 * mm.0 / 100.0)
    }

    /// Region `i`; `alignment` is that of a follow-up.
    fn site(&self, i: usize, alignment: Option<&Alignment>) -> MeasuredRegion<'_> {
        let region = &self.regions.regions[i];
        let tiles = self.tiles(region);
        let coverage_percent = self.coverage_percent(region, &tiles);
        let aligned = |a: &Alignment| a.regions.get(i).is_some_and(|r| r.aligned);
        let obstacle = if self.valid.is_none() || !alignment.is_none_or(aligned) {
            Some(Reason::Alignment)
        } else if coverage_percent < self.settings.quality.region_coverage_percent {
            Some(Reason::LowCoverage)
        } else {
            None
        };
        MeasuredRegion { region, tiles, coverage_percent, obstacle }
    }

    /// The measurements of one visit by itself.
    pub fn measurements(
        &self,
        visit: usize,
        alignment: Option<&Alignment>,
        readings: Option<&Readings>,
    ) -> Vec<MeasurementRow> {
        let rows = largest_first(self.regions.regions.len(), |i| {
            let site = self.site(i, alignment);
            let row = |metric: &'static Metric, value: Result<f64, Reason>| MeasurementRow {
                visit,
                region: site.region.name.clone(),
                metric,
                value: value.ok(),
                unit: metric.unit.name(self.scale).into(),
                reason: value.err(),
                coverage_percent: site.coverage_percent,
            };
            let once = vec![1.0; site.tiles.count()];
            let group = |group| {
                let readings = readable(site.obstacle, readings)?;
                let sheet = readings.sheet(group, 0, &site.tiles, ReferenceSkin::OtherSkin)?;
                Ok((sheet.total(&once), readings.sampling))
            };
            each_metric(group, |metric, sums| {
                row(metric, sums.and_then(|(sums, sampling)| (metric.measure)(sums, sampling)))
            })
        });
        rows.into_iter().flatten().collect()
    }
}

/// The readings, where nothing stands against their use.
fn readable(obstacle: Option<Reason>, readings: Option<&Readings>) -> Result<&Readings, Reason> {
    obstacle.map_or_else(|| readings.ok_or(Reason::NoScale), Err)
}

/// Rows of all metrics in the order of the table, from the sums of their groups.
fn each_metric<S, R>(
    sums: impl Fn(Group) -> Result<S, Reason>,
    row: impl Fn(&'static Metric, Result<&S, Reason>) -> R,
) -> Vec<R> {
    let mut rows = Vec::new();
    for group in Group::ALL {
        let sums = sums(group);
        let of_group = METRICS.iter().filter(|m| m.group == group);
        rows.extend(of_group.map(|m| row(m, sums.as_ref().map_err(|reason| *reason))));
    }
    rows
}

/// A baseline, a follow-up, and what differs between them, as the rows of changes need them.
struct Changes<'a> {
    ground: MeasuredSkin<'a>,
    visit: usize,
    comparison: &'a Comparison,
    /// Region of untreated skin that the user names.
    reference: Option<(&'a str, Tiles)>,
    /// All checks of the baseline and of the follow-up.
    checks: Vec<QualityCheck>,
}

/// The changes between a baseline and one follow-up, with their verdicts.
pub(super) fn changes(
    analyzer: &Analyzer,
    baseline: &Baseline,
    follow_up: &FollowUp,
    comparison: &Comparison,
) -> Vec<ChangeRow> {
    let settings = &analyzer.options.settings;
    let ground = MeasuredSkin {
        regions: &baseline.regions,
        scale: &baseline.scale,
        valid: comparison.differences.as_ref().map(|d| &d.pair.baseline.valid),
        settings,
    };
    let reference = analyzer.options.reference.as_deref();
    let named = |name: &&str| ground.regions.regions.iter().find(|r| r.name == *name);
    let tiles = reference.as_ref().and_then(named).map(|region| ground.tiles(region));
    let own = follow_up.prepared.iter().flat_map(|p| &p.checks).chain(&follow_up.checks);
    let checks = baseline.prepared.checks.iter().chain(own).chain(&comparison.checks);
    let changes = Changes {
        reference: reference.zip(tiles),
        visit: follow_up.visit,
        checks: checks.cloned().collect(),
        comparison,
        ground,
    };
    let rows = largest_first(baseline.regions.regions.len(), |i| {
        changes.of_region(&changes.ground.site(i, Some(&follow_up.alignment)))
    });
    let mut rows: Vec<ChangeRow> = rows.into_iter().flatten().collect();
    change::decide(&mut rows, &settings.change);
    if reference.is_none() {
        change::withdraw_relative_colour(&mut rows);
    }
    rows
}

/// Results of `n` regions, in their order; the last one, which holds all others, is begun first, so that no thread waits
/// for it.
fn largest_first<R: Send>(n: usize, f: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
    let mut results = par_collect(n, |i| f(n - 1 - i));
    results.reverse();
    results
}

impl Changes<'_> {
    fn of_region(&self, site: &MeasuredRegion<'_>) -> Vec<ChangeRow> {
        let settings = self.ground.settings;
        let readings = self.comparison.readings.as_ref();
        let resampling = Resampling::new(&site.tiles.filled(), &settings.change);
        let group = |group| {
            let colour = group == Group::Tone;
            let readings = readable(site.obstacle, readings)?;
            if quality::forbids(&self.checks, self.visit, &site.region.name, colour) {
                return Err(Reason::Quality);
            }
            let sheet = |visit| readings.sheet(group, visit, &site.tiles, self.reference(site));
            let totals = resampling.totals(&sheet(0)?, &sheet(1)?);
            Ok((totals, readings))
        };
        each_metric(group, |metric, sums| match sums {
            Ok((totals, readings)) => {
                let mut cell = self.cell(metric, site);
                let noise_sd = readings.noise_sd(metric, totals.all());
                cell.transfer_sd = cell.transfer_sd.hypot(noise_sd);
                change::change(&cell, totals, &resampling, &readings.sampling, &settings.change)
            }
            Err(reason) => self.cell(metric, site).not_comparable(reason),
        })
    }

    fn cell<'a>(&self, metric: &'static Metric, site: &'a MeasuredRegion<'a>) -> RowContext<'a> {
        let differences = self.comparison.differences.as_ref();
        RowContext {
            visit: self.visit,
            region: &site.region.name,
            metric,
            unit: metric.unit.name(self.ground.scale),
            area_cm2: self.ground.area_cm2(&site.tiles),
            unseen: (1.0 - site.coverage_percent / 100.0).max(0.0),
            light: differences.map_or_else(LightChange::default, |d| d.light),
            transfer_sd: differences.map_or(0.0, |d| self.transfer_sd(metric, &d.pair, site)),
        }
    }

    /// Standard deviation that a difference in focus and processing leaves in a metric of a region.
    fn transfer_sd(&self, metric: &Metric, pair: &Pair, site: &MeasuredRegion<'_>) -> f64 {
        let MeasuredSkin { settings, scale, .. } = self.ground;
        let period = metric.period_mm.zip(scale.mm_per_px).map(|(mm, scale)| mm / scale.0);
        let inside =
            |x: f64, y: f64| site.tiles.of(x.round() as usize, y.round() as usize).is_some();
        period.map_or(0.0, |period| pair.relief_sd(period, inside, &settings.luminance))
    }

    /// Skin that the tone of a region is compared with.
    fn reference(&self, site: &MeasuredRegion<'_>) -> ReferenceSkin<'_> {
        let name = &site.region.name;
        // A single region has no other skin.
        let several = self.ground.regions.regions.iter().filter(|r| r.name != WHOLE).count() > 1;
        match &self.reference {
            Some((reference, tiles)) if name != reference => ReferenceSkin::Named(tiles),
            None if several && name != WHOLE => ReferenceSkin::OtherSkin,
            _ => ReferenceSkin::None,
        }
    }
}

/// Trends over two or more follow-ups: one for each region and metric.
pub(super) fn trends(
    changes: &[ChangeRow],
    follow_ups: usize,
    settings: &ChangeSettings,
) -> Vec<TrendRow> {
    if follow_ups < 2 {
        return Vec::new();
    }
    let each = changes.len() / follow_ups;
    let trend = |i: usize| {
        let rows: Vec<&ChangeRow> = (0..follow_ups).map(|k| &changes[k * each + i]).collect();
        change::trend(&rows, settings)
    };
    (0..each).map(trend).collect()
}
