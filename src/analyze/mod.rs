//! The pipeline: the only room that names all stages.
//!
//! Each photo is prepared once ([`Baseline`], [`FollowUp`]): decoded, searched for a face, registered,
//! resampled, searched for lines, pores and scars. A [`Comparison`] holds what depends on the two: what
//! differs between the photos, the checks, the changes. [`analyze`] does all of it for a series of files.

mod report;
mod request;
mod rows;

pub use request::{Options, PhotoInput, Request};
use rows::Ground;

use crate::align::{Aligner, Alignment, Field, Placement, Reference, Registered};
use crate::change::ChangeRow;
use crate::error::{Error, Result, Step};
use crate::light::{self, LightChange};
use crate::luminance::{self, Luminance, Pair};
use crate::metric::{self, Detections, Readings, View};
use crate::photo::Photo;
use crate::photo::turn::Turn;
use crate::quality::{self, QualityCheck};
use crate::region::{self, FoundFace, Model, RegionMap, RegionRequest, polygon};
#[cfg(feature = "cli")]
use crate::report::{Maps, Pictures};
use crate::report::{MeasurementRow, Report};
use crate::series::{Scale, Series, Visit};
use crate::settings::RegionSettings;
#[cfg(feature = "cli")]
use crate::show::{self, Shown};
use crate::tone::{self, Tone};
use std::ops::ControlFlow;

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

fn default_label(visit: usize) -> String {
    if visit == 0 { "baseline".into() } else { format!("visit {visit}") }
}

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

/// All photos of a series, prepared and compared.
struct PreparedSeries {
    /// Label and date of each visit.
    tags: Vec<(String, Option<String>)>,
    baseline: Baseline,
    follow_ups: Vec<FollowUp>,
    comparisons: Vec<Comparison>,
}

/// Analyses photos; made once, used for any number of series.
pub struct Analyzer {
    options: Options,
    watch: Option<Box<Watch>>,
}

/// Called before each stage with the number of the visit and the name of the stage; `Break` cancels.
pub type Watch = dyn Fn(usize, &'static str) -> ControlFlow<()> + Send + Sync;

impl Analyzer {
    /// An analyzer with these options.
    pub fn new(options: Options) -> Analyzer {
        Analyzer { options, watch: None }
    }

    /// The same, which calls `watch` before each stage.
    pub fn watched(
        self,
        watch: impl Fn(usize, &'static str) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Analyzer {
        Analyzer { watch: Some(Box::new(watch)), ..self }
    }

    fn stage(&self, visit: usize, stage: &'static str) -> Result<()> {
        match self.watch.as_ref().map(|watch| watch(visit, stage)) {
            Some(ControlFlow::Break(())) => {
                let why = format!("stopped before \"{stage}\" of visit {visit}, as asked");
                Err(Error::new("", Step::Cancelled, why))
            }
            _ => Ok(()),
        }
    }

    /// Prepares the photo that others are compared with.
    ///
    /// # Errors
    /// Regions that do not fit the photo, a model that cannot run, a cancelled run.
    pub fn baseline(&self, photo: Photo) -> Result<Baseline> {
        let face = self.face(0, &photo)?;
        self.place(photo, face, &self.options.settings.region)
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
        let visit = earlier.len() + 1;
        let (mut photo, mut face) = (photo, None);
        if baseline.regions.face.is_some() {
            face = match self.face(visit, &photo)? {
                // What shows one face is likely to show it again.
                None => self.find(&photo, &self.options.settings.region.thorough())?,
                found => found,
            };
        }
        let mut face = face.map(|found| found.face);
        let turn = face.map_or_else(Turn::default, |face| face.to_upright());
        if !turn.is_identity() {
            let size = [photo.width(), photo.height()];
            face = face.map(|face| face.turned(turn, size));
            photo = photo.turned(turn);
        }
        self.stage(visit, "register")?;
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
        let ground = self.ground(regions, &baseline.scale, prepared.as_ref());
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
        let (before, regions) = (&baseline.prepared, &baseline.regions);
        let mut differences = None;
        let (mut checks, mut readings) = (Vec::new(), None);
        if let Some(after) = &follow_up.prepared {
            let luminance = [&before.luminance, &after.luminance];
            let pair = luminance::comparable(luminance[0], luminance[1], &settings.luminance);
            let (tones, face) = ([&before.tone, &after.tone], regions.face.as_ref());
            let light =
                light::change(tones, regions.window, face, &baseline.scale, &settings.light);
            let alignment = &follow_up.alignment;
            checks = quality::pair(visit, &pair, tones, &light, alignment, &settings.quality);
            let views = [
                View { luminance: &pair.baseline, tone: &before.tone },
                View { luminance: &pair.follow_up, tone: &after.tone },
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

    /// Opens the photos of a series and analyses it.
    ///
    /// # Errors
    /// A photo that cannot be read; as [`Analyzer::series`].
    pub fn files(&self, request: &Request) -> Result<Analysis> {
        let visit = |(k, input): (usize, &PhotoInput)| {
            self.stage(k, "decode")?;
            let photo = Photo::open(&input.path, &self.options.settings.photo)?;
            let label = input.label.clone().unwrap_or_else(|| default_label(k));
            Ok(Visit { label, date: input.date.clone(), photo })
        };
        let visits = request.photos.iter().enumerate().map(visit).collect::<Result<Vec<_>>>()?;
        self.series(Series { visits }, request)
    }

    /// The whole of a series: its report, and the pictures and maps that `request` asks for.
    ///
    /// # Errors
    /// A series without photos; as [`Analyzer::baseline`].
    pub fn series(&self, series: Series, request: &Request) -> Result<Analysis> {
        #[cfg(not(feature = "cli"))]
        let _ = request; // Pictures and maps are all that it asks for.
        let mut visits = series.visits.into_iter();
        let (mut tags, mut photos) = (Vec::new(), Vec::new());
        for Visit { label, date, photo } in &mut visits {
            tags.push((label, date));
            photos.push(photo);
        }
        let mut photos = photos.into_iter();
        let Some(first) = photos.next() else {
            return Err(Error::new("", Step::Usage, "a series needs at least one photo"));
        };
        let baseline = self.first(first, photos.as_slice())?;
        let mut follow_ups: Vec<FollowUp> = Vec::new();
        for photo in photos {
            follow_ups.push(self.follow_up(&baseline, &follow_ups, photo)?);
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

    /// The face of a photo, where faces are measured.
    fn face(&self, visit: usize, photo: &Photo) -> Result<Option<FoundFace>> {
        if self.options.regions != RegionRequest::Face {
            return Ok(None);
        }
        self.stage(visit, "find face")?;
        self.find(photo, &self.options.settings.region)
    }

    fn find(&self, photo: &Photo, settings: &RegionSettings) -> Result<Option<FoundFace>> {
        region::find_face(photo, self.model(), settings)
    }

    fn model(&self) -> Option<&Model> {
        match (&self.options.model, &self.options.regions) {
            (Some(model), _) => Some(model),
            (None, RegionRequest::Face) => Model::built_in(),
            (None, _) => None,
        }
    }

    /// Prepares the first photo of a series: its face is sought thoroughly where the usual search finds none and a
    /// later photo shows one.
    fn first(&self, photo: Photo, later: &[Photo]) -> Result<Baseline> {
        let usual = &self.options.settings.region;
        let found = self.face(0, &photo)?;
        if found.is_none() {
            for (k, other) in later.iter().enumerate() {
                if self.face(k + 1, other)?.is_some() {
                    let thorough = &usual.thorough();
                    let found = self.find(&photo, thorough)?;
                    return self.place(photo, found, thorough);
                }
            }
        }
        self.place(photo, found, usual)
    }

    /// Prepares a baseline whose `face` has been sought by `search`. A photo whose face lies on its side or upside
    /// down is turned and searched again, and a notice of it says so.
    fn place(
        &self,
        mut photo: Photo,
        mut face: Option<FoundFace>,
        search: &RegionSettings,
    ) -> Result<Baseline> {
        let settings = &self.options.settings;
        if let RegionRequest::Polygons(list) = &self.options.regions {
            polygon::check(list, photo.width(), photo.height(), photo.file.as_ref())?;
        }
        let turn = face.as_ref().map_or_else(Turn::default, |found| found.face.to_upright());
        if !turn.is_identity() {
            photo = photo.turned(turn);
            face = self.find(&photo, search)?;
        }
        self.stage(0, "regions")?;
        let request = &self.options.regions;
        let regions = region::map(&photo, request, face.as_ref(), self.model(), &settings.region)?;
        if let Some(name) = &self.options.reference
            && !regions.regions.iter().any(|r| &r.name == name)
        {
            let why = format!("reference region {name}: no such region here");
            return Err(Error::new(&photo.file, Step::Usage, why));
        }
        let scale = regions.scale(self.options.scale, &settings.region);
        let reference = Reference::new(&photo, &regions, &scale, &settings.align);
        let field = &Field::identity();
        let placement = Placement { field, regions: &regions, skin: &regions.skin, scale: &scale };
        let prepared = self.prepare(0, &photo, &placement)?;
        let readings = self.read(&prepared, &scale);
        let ground = self.ground(&regions, &scale, Some(&prepared));
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

    fn ground<'a>(
        &'a self,
        regions: &'a RegionMap,
        scale: &'a Scale,
        photo: Option<&'a Prepared>,
    ) -> Ground<'a> {
        let valid = photo.map(|p| &p.luminance.valid);
        Ground { regions, scale, valid, settings: &self.options.settings }
    }

    /// What a photo shows by itself.
    fn read(&self, photo: &Prepared, scale: &Scale) -> Option<Readings> {
        let detections = photo.detections.as_ref()?;
        let view = View { luminance: &photo.luminance, tone: &photo.tone };
        metric::read(&[view], &[detections], scale, &self.options.settings.metric)
    }

    /// Resamples a photo, judges it, and searches it for lines, pores and scars.
    fn prepare(&self, visit: usize, photo: &Photo, placement: &Placement<'_>) -> Result<Prepared> {
        let settings = &self.options.settings;
        self.stage(visit, "resample")?;
        let luminance = luminance::luminance(photo, placement, &settings.luminance);
        let seen = Placement { skin: &luminance.valid, ..*placement };
        let tone = tone::tone(photo, &seen, &settings.tone);
        let (regions, scale) = (placement.regions, placement.scale);
        let of = (regions, scale);
        let checks = quality::photo(visit, photo, &luminance, &tone, of, &settings.quality);
        self.stage(visit, "detect")?;
        let view = View { luminance: &luminance, tone: &tone };
        let detections = metric::detect(&view, scale, &settings.metric);
        Ok(Prepared {
            #[cfg(feature = "cli")]
            field: placement.field.clone(),
            luminance,
            tone,
            detections,
            checks,
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
    fn shown(&self) -> Vec<Shown<'_>> {
        let baseline = &self.baseline.prepared;
        let mut shown = vec![Shown {
            photo: &self.baseline.photo,
            field: Some(&baseline.field),
            measured: Some(&baseline.luminance.valid),
            readings: self.baseline.readings.as_ref().map(|r| (r, 0)),
        }];
        shown.extend(self.follow_ups.iter().zip(&self.comparisons).map(|(visit, comparison)| {
            Shown {
                photo: &visit.photo,
                field: visit.prepared.as_ref().map(|p| &p.field),
                measured: comparison.differences.as_ref().map(|d| &d.pair.baseline.valid),
                readings: comparison.readings.as_ref().map(|r| (r, 1)),
            }
        }));
        shown
    }
}
