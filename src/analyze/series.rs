//! A whole series of photos: opened, prepared and compared in order of visit.

use super::{Analyzer, Baseline, Comparison, FollowUp, PhotoInput, Request, report};
use crate::error::{Error, Result, Step};
use crate::photo::Photo;
use crate::plane::par_collect;
use crate::report::Report;
#[cfg(feature = "cli")]
use crate::report::{Maps, Pictures};
use crate::series::{Series, Visit};
#[cfg(feature = "cli")]
use crate::show::{self, DrawnVisit, VisitReadings};

/// What an analysis yields.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// The numbers.
    pub report: Report,
    /// The pictures of the page (empty unless asked for).
    #[cfg(feature = "cli")]
    pub pictures: Pictures,
    /// The maps (empty unless asked for).
    #[cfg(feature = "cli")]
    pub maps: Maps,
}

/// Runs the whole pipeline over one series of files.
///
/// # Errors
/// As [`Analyzer::files`].
pub fn analyze(request: &Request) -> Result<Analysis> {
    Analyzer::new(request.options.clone()).files(request)
}

/// The pipeline after decoding; `request.photos` is not looked at.
///
/// # Errors
/// As [`Analyzer::series`].
pub fn analyze_series(series: Series, request: &Request) -> Result<Analysis> {
    Analyzer::new(request.options.clone()).series(series, request)
}

/// All photos of a series, prepared and compared.
pub(super) struct PreparedSeries {
    /// Label and date of each visit.
    pub tags: Vec<(String, Option<String>)>,
    pub baseline: Baseline,
    pub follow_ups: Vec<FollowUp>,
    pub comparisons: Vec<Comparison>,
}

fn default_label(visit: usize) -> String {
    if visit == 0 { "baseline".into() } else { format!("visit {visit}") }
}

impl Analyzer {
    /// Opens the photos of a series and analyses it.
    ///
    /// # Errors
    /// A photo that cannot be read; as [`Analyzer::series`].
    pub fn files(&self, request: &Request) -> Result<Analysis> {
        let inputs = &request.photos;
        (0..inputs.len()).try_for_each(|k| self.stage(k, "decode"))?;
        let visits = par_collect(inputs.len(), |k| {
            let PhotoInput { path, label, date } = &inputs[k];
            let photo = Photo::open(path, &self.options.settings.photo)?;
            let label = label.clone().unwrap_or_else(|| default_label(k));
            Ok(Visit { label, date: date.clone(), photo })
        });
        let visits = visits.into_iter().collect::<Result<Vec<_>>>()?;
        self.series(Series { visits }, request)
    }

    /// The whole of a series: its report, and the pictures and maps that `request` asks for.
    ///
    /// # Errors
    /// A series without photos; as [`Analyzer::baseline`].
    pub fn series(&self, series: Series, request: &Request) -> Result<Analysis> {
        #[cfg(not(feature = "cli"))]
        let _ = request; // Pictures and maps are all that it asks for.
        let visit = |Visit { label, date, photo }| ((label, date), photo);
        let (tags, photos): (Vec<_>, Vec<Photo>) = series.visits.into_iter().map(visit).unzip();
        let faces = self.faces(0, &photos)?;
        let later_face = faces.iter().skip(1).any(Option::is_some);
        let mut photos = photos.into_iter().zip(faces);
        let Some((first, face)) = photos.next() else {
            return Err(Error::new("", Step::Usage, "a series needs at least one photo"));
        };
        let baseline = self.series_baseline(first, face, later_face)?;
        let mut follow_ups: Vec<FollowUp> = Vec::new();
        for (photo, face) in photos {
            follow_ups.push(self.prepare_follow_up(&baseline, &follow_ups, photo, face)?);
        }
        let comparisons = follow_ups.iter().map(|f| self.compare(&baseline, f));
        let comparisons = comparisons.collect::<Result<Vec<_>>>()?;
        let prepared = PreparedSeries { tags, baseline, follow_ups, comparisons };
        Ok(Analysis {
            report: report::report(self, &prepared),
            #[cfg(feature = "cli")]
            pictures: prepared.pictures(request),
            #[cfg(feature = "cli")]
            maps: prepared.maps(request),
        })
    }
}

#[cfg(feature = "cli")]
impl PreparedSeries {
    fn pictures(&self, request: &Request) -> Pictures {
        let wanted = request.pictures;
        if wanted {
            show::pictures(&self.baseline.regions, &self.shown())
        } else {
            Pictures::default()
        }
    }

    fn maps(&self, request: &Request) -> Maps {
        let (regions, scale) = (&self.baseline.regions, &self.baseline.scale);
        if request.maps { show::maps(regions, scale, &self.shown()) } else { Maps::default() }
    }

    /// Each visit as it is drawn.
    fn shown(&self) -> Vec<DrawnVisit<'_>> {
        let baseline = &self.baseline.prepared;
        let mut shown = vec![DrawnVisit {
            photo: &self.baseline.photo,
            field: Some(&baseline.field),
            measured: Some(&baseline.luminance.valid),
            readings: self.baseline.readings.as_ref().map(|all| VisitReadings { all, visit: 0 }),
        }];
        shown.extend(self.follow_ups.iter().zip(&self.comparisons).map(|(visit, comparison)| {
            DrawnVisit {
                photo: &visit.photo,
                field: visit.prepared.as_ref().map(|p| &p.field),
                measured: comparison.differences.as_ref().map(|d| &d.pair.baseline.valid),
                readings: comparison.readings.as_ref().map(|all| VisitReadings { all, visit: 1 }),
            }
        }));
        shown
    }
}
