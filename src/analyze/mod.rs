//! The pipeline: the only module that names all stages.
//!
//! Each photo is prepared once ([`Baseline`], [`FollowUp`]): decoded, searched for a face, registered,
//! resampled, searched for lines, pores and scars. A [`Comparison`] holds what depends on the two: what
//! differs between the photos, the checks, the changes. [`analyze`] does all of it for a series of files.

mod face;
mod light;
mod prepare;
mod reduce;
mod report;
mod request;
mod rows;
mod series;
mod watch;

pub use request::{Options, PhotoInput, Request};
use rows::MeasuredSkin;
pub use series::{Analysis, analyze, analyze_series};
pub use watch::Watch;

use crate::align::{Aligner, Alignment, Field, Placement, Reference, Registered};
use crate::change::ChangeRow;
use crate::error::{Error, Result, Step};
use crate::light::LightChange;
use crate::luminance::{self, Luminance, Pair};
use crate::metric::{self, ComparableVisit, Detections, Readings};
use crate::photo::Photo;
use crate::quality::{self, CheckedPair, QualityCheck};
use crate::region::{self, FoundFace, RegionMap, RegionRequest, polygon};
use crate::report::MeasurementRow;
use crate::series::Scale;
use crate::settings::RegionSettings;
use crate::tone::Tone;

/// A photo on the baseline's pixels, and what it was searched for.
struct Prepared {
    #[cfg(feature = "cli")]
    field: Field,
    luminance: Luminance,
    tone: Tone,
    /// None without any scale.
    detections: Option<Detections>,
    checks: Vec<QualityCheck>,
}

/// The photo that all others are compared with, prepared once.
pub struct Baseline {
    photo: Photo,
    regions: RegionMap,
    scale: Scale,
    reference: Reference,
    prepared: Prepared,
    /// What the photo shows by itself, for the pictures; none without any scale.
    #[cfg(feature = "cli")]
    readings: Option<Readings>,
    /// What was measured in it.
    pub measurements: Vec<MeasurementRow>,
}

/// A later photo, prepared once.
pub struct FollowUp {
    visit: usize,
    photo: Photo,
    alignment: Alignment,
    /// None where registration failed.
    prepared: Option<Prepared>,
    /// Of its face against the baseline's.
    checks: Vec<QualityCheck>,
    /// What was measured in it by itself.
    pub measurements: Vec<MeasurementRow>,
}

/// A baseline and a follow-up held against each other.
pub struct Comparison {
    /// None where registration failed.
    differences: Option<Differences>,
    readings: Option<Readings>,
    checks: Vec<QualityCheck>,
    /// The changes, region by region, in the order of the metric table.
    pub changes: Vec<ChangeRow>,
}

/// What differs between two photos of the same skin, and both made comparable.
struct Differences {
    pair: Pair,
    light: LightChange,
}

/// Analyses photos; made once, used for any number of series.
pub struct Analyzer {
    options: Options,
    watch: Option<Box<Watch>>,
}

impl Analyzer {
    /// An analyzer with these options.
    pub fn new(options: Options) -> Analyzer {
        Analyzer { options, watch: None }
    }

    /// Prepares the photo that others are compared with.
    ///
    /// # Errors
    /// Regions that do not fit the photo, a model that cannot run, a cancelled run.
    pub fn baseline(&self, photo: Photo) -> Result<Baseline> {
        let face = self.face(0, &photo)?;
        self.prepare_baseline(photo, face, &self.options.settings.region)
    }

    /// Prepares a follow-up, registered to `baseline` directly or through one of the `earlier` ones.
    ///
    /// # Errors
    /// As [`Analyzer::baseline`].
    pub fn follow_up(
        &self,
        baseline: &Baseline,
        earlier: &[FollowUp],
        photo: Photo,
    ) -> Result<FollowUp> {
        let expected = baseline.regions.face.is_some();
        let face = if expected { self.face(earlier.len() + 1, &photo)? } else { None };
        self.prepare_follow_up(baseline, earlier, photo, face)
    }

    /// Prepares a follow-up whose `face` has been sought.
    fn prepare_follow_up(
        &self,
        baseline: &Baseline,
        earlier: &[FollowUp],
        photo: Photo,
        face: Option<FoundFace>,
    ) -> Result<FollowUp> {
        let visit = earlier.len() + 1;
        let expected = baseline.regions.face.is_some();
        let (photo, face) = self.upright_follow_up(photo, face, expected)?;
        self.stage(visit, "register")?;
        let (photo, face) = self.reduced_follow_up(baseline, photo, face);
        let settings = &self.options.settings;
        let aligner = Aligner {
            baseline: &baseline.photo,
            regions: &baseline.regions,
            reference: &baseline.reference,
            settings: &settings.align,
        };
        let earlier: Vec<_> = earlier.iter().map(|f| (&f.photo, &f.alignment)).collect();
        let Registered { photo, face, alignment } = aligner.register(photo, face, &earlier);
        let regions = &baseline.regions;
        let prepare = |field| {
            let skin = &*alignment.trusted(regions.window, &regions.skin);
            self.prepare(visit, &photo, &Placement { field, regions, skin, scale: &baseline.scale })
        };
        let prepared = alignment.field.as_ref().map(prepare).transpose()?;
        let checks = regions.face.as_ref().map_or_else(Vec::new, |before| {
            quality::faces(visit, before, face.as_ref(), &settings.quality)
        });
        let readings = prepared.as_ref().and_then(|p| self.read(p, &baseline.scale));
        let ground = MeasuredSkin::new(self, regions, &baseline.scale, prepared.as_ref());
        let measurements = ground.measurements(visit, Some(&alignment), readings.as_ref());
        Ok(FollowUp { visit, photo, alignment, prepared, checks, measurements })
    }

    /// Holds a follow-up against its baseline.
    ///
    /// # Errors
    /// A cancelled run.
    pub fn compare(&self, baseline: &Baseline, follow_up: &FollowUp) -> Result<Comparison> {
        let (settings, visit) = (&self.options.settings, follow_up.visit);
        self.stage(visit, "compare")?;
        let before = &baseline.prepared;
        let mut differences = None;
        let (mut checks, mut readings) = (Vec::new(), None);
        if let Some(after) = &follow_up.prepared {
            let luminance = [&before.luminance, &after.luminance];
            let pair = luminance::comparable(luminance[0], luminance[1], &settings.luminance);
            let tones = [&before.tone, &after.tone];
            let light = self.light_change(baseline, after).limited(pair.processing.relief_gain);
            let alignment = &follow_up.alignment;
            let checked = CheckedPair { pair: &pair, tones, light: &light, alignment };
            checks = quality::pair(visit, &checked, &settings.quality);
            let views = [
                ComparableVisit { luminance: &pair.baseline, tone: &before.tone },
                ComparableVisit { luminance: &pair.follow_up, tone: &after.tone },
            ];
            let detections = before.detections.as_ref().zip(after.detections.as_ref());
            readings = detections.and_then(|(b, f)| {
                metric::read(&views, &[b, f], &baseline.scale, &settings.metric)
            });
            differences = Some(Differences { pair, light });
        }
        let mut comparison = Comparison { differences, readings, checks, changes: Vec::new() };
        comparison.changes = rows::changes(self, baseline, follow_up, &comparison);
        Ok(comparison)
    }

    /// Prepares a baseline whose `face` has been sought by `search`.
    fn prepare_baseline(
        &self,
        photo: Photo,
        face: Option<FoundFace>,
        search: &RegionSettings,
    ) -> Result<Baseline> {
        let settings = &self.options.settings;
        if let RegionRequest::Polygons(list) = &self.options.regions {
            polygon::check(list, photo.width(), photo.height(), photo.file.as_ref())?;
        }
        let (photo, face) = self.upright(photo, face, search)?;
        self.stage(0, "regions")?;
        let (photo, face, scale) = self.reduced_baseline(photo, face);
        let request = &self.options.regions.reduced(&photo.reduction);
        let regions = region::map(&photo, request, face.as_ref(), self.model(), &settings.region)?;
        if let Some(name) = &self.options.reference
            && !regions.regions.iter().any(|r| &r.name == name)
        {
            let why = format!("reference region {name}: no such region here");
            return Err(Error::new(&photo.file, Step::Usage, why));
        }
        let reference = Reference::new(&photo, &regions, &scale, &settings.align);
        let field = &Field::identity();
        let placement = Placement { field, regions: &regions, skin: &regions.skin, scale: &scale };
        let prepared = self.prepare(0, &photo, &placement)?;
        let readings = self.read(&prepared, &scale);
        let ground = MeasuredSkin::new(self, &regions, &scale, Some(&prepared));
        let measurements = ground.measurements(0, None, readings.as_ref());
        Ok(Baseline {
            photo,
            regions,
            scale,
            reference,
            prepared,
            #[cfg(feature = "cli")]
            readings,
            measurements,
        })
    }
}
