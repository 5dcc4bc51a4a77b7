//! Every tunable number: its default, its unit, its source.
//!
//! One struct per stage, one file a struct; the numbers are those of `settings.toml` beside them. The whole
//! is written into result.json, so that a number can be traced.

mod align;
mod batch;
mod change;
mod light;
mod luminance;
mod metric;
mod photo;
mod quality;
mod region;
mod tone;

pub use align::AlignSettings;
pub use batch::BatchSettings;
pub use change::ChangeSettings;
pub use light::LightSettings;
pub use luminance::{LuminanceSettings, TransferSettings};
pub use metric::{GrooveSettings, MetricSettings};
pub use photo::PhotoSettings;
pub use quality::QualitySettings;
pub use region::{RegionSettings, SearchSettings};
pub use tone::ToneSettings;

use crate::error::{Error, Result, Step};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use toml::{Table, Value};

/// All settings of an analysis.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Reading photos.
    pub photo: PhotoSettings,
    /// Finding the face and its regions.
    pub region: RegionSettings,
    /// Mapping follow-ups onto the baseline.
    pub align: AlignSettings,
    /// Making luminance comparable.
    pub luminance: LuminanceSettings,
    /// Making colour comparable.
    pub tone: ToneSettings,
    /// Telling the light.
    pub light: LightSettings,
    /// Reading texture, pores, lines and tone.
    pub metric: MetricSettings,
    /// Judging the input.
    pub quality: QualitySettings,
    /// Telling a change from noise.
    pub change: ChangeSettings,
}

/// Factor by which a number may be larger or smaller than its default: what is meant to be without effect
/// is, and no size is 0, negative, or more than a machine can hold.
const RANGE: f64 = 100.0;

/// What `settings.toml` says.
struct Defaults {
    /// The tables of [`Settings`].
    table: Table,
    settings: Settings,
    batch: BatchSettings,
}

static DEFAULTS: LazyLock<Defaults> = LazyLock::new(|| {
    Defaults::read(include_str!("settings.toml")).expect("settings.toml fits the structs")
});

impl Defaults {
    fn read(text: &str) -> Result<Self, toml::de::Error> {
        let mut table: Table = toml::from_str(text)?;
        let batch = table.remove("batch").unwrap_or(Value::Table(Table::new())).try_into()?;
        Ok(Defaults { settings: table.clone().try_into()?, table, batch })
    }
}

impl Default for Settings {
    fn default() -> Self {
        DEFAULTS.settings.clone()
    }
}

impl Settings {
    /// The defaults with some numbers replaced, by a TOML text such as
    ///
    /// ```toml
    /// [metric]
    /// glcm_bin_width = 0.03
    /// ```
    ///
    /// # Errors
    /// What is no TOML; a key that no setting has; a value of another type, or one out of range: a number
    /// farther from its default than a factor of 100, an array without elements; two numbers that contradict
    /// each other.
    pub fn with_overrides(text: &str) -> Result<Self> {
        let error = |why: String| Error::new("", Step::Usage, why.trim_end());
        let overrides: Table = toml::from_str(text).map_err(|why| error(why.to_string()))?;
        let mut table = DEFAULTS.table.clone();
        replace_all(&mut table, overrides, "").map_err(error)?;
        // The second line of such an error names the key.
        let one_line = |why: toml::de::Error| error(why.to_string().replace('\n', " "));
        let settings: Settings = table.try_into().map_err(one_line)?;
        settings.check().map_err(error)?;
        Ok(settings)
    }

    /// Refuses numbers that are possible each, but not together.
    fn check(&self) -> Result<(), String> {
        let (region, metric) = (&self.region, &self.metric);
        if region.chroma_floor > region.chroma_cap {
            return Err("region.chroma_floor is larger than region.chroma_cap".into());
        }
        if metric.pore_diameter_mm[1] < 2.0 * metric.pore_mm_per_px_max {
            return Err(
                "metric.pore_diameter_mm: the largest pore has less than 2 px at the scale \
                        metric.pore_mm_per_px_max"
                    .into(),
            );
        }
        Ok(())
    }
}

/// Puts `values` in the place of the defaults, key by key; `path` names the table, with a point behind it.
fn replace_all(defaults: &mut Table, values: Table, path: &str) -> Result<(), String> {
    values.into_iter().try_for_each(|(name, value)| {
        let key = format!("{path}{name}");
        match (defaults.get_mut(&name), value) {
            (None, _) => Err(format!("unknown key {key}")),
            (Some(Value::Table(defaults)), Value::Table(values)) => {
                replace_all(defaults, values, &format!("{key}."))
            }
            (Some(default), value) if in_range(default, &value) => {
                *default = value;
                Ok(())
            }
            (Some(_), _) => Err(format!(
                "{key} is out of range: a number may be up to {RANGE} times larger or smaller than its \
                 default, and an array is not empty"
            )),
        }
    })
}

/// Whether a number lies within [`RANGE`] of a positive default, and an array has elements, all in range.
fn in_range(default: &Value, value: &Value) -> bool {
    let number = |value: &Value| value.as_float().or(value.as_integer().map(|n| n as f64));
    match (default, value) {
        (Value::Array(defaults), Value::Array(values)) => {
            let mut pairs = defaults.iter().cycle().zip(values);
            !values.is_empty() && pairs.all(|(default, value)| in_range(default, value))
        }
        _ => match (number(default), number(value)) {
            (Some(default), Some(value)) if default > 0.0 => {
                (default / RANGE..=default * RANGE).contains(&value)
            }
            (_, value) => value.is_none_or(f64::is_finite),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json, to_value};

    #[test]
    fn the_defaults_are_those_of_the_file() {
        let defaults = to_value(Settings::default()).unwrap();
        assert_eq!(to_value(Settings::with_overrides("").unwrap()).unwrap(), defaults);
        assert_eq!(to_value(PhotoSettings::default()).unwrap(), defaults["photo"]);
        assert_eq!(
            to_value(TransferSettings::default()).unwrap(),
            defaults["luminance"]["transfer"]
        );
        assert_eq!(to_value(GrooveSettings::default()).unwrap(), defaults["metric"]["groove"]);
        assert_eq!(BatchSettings::default().bytes_per_photo_pixel, 65);
    }

    /// The settings as result.json holds them, with `text` in the place of some.
    fn with(text: &str) -> Json {
        to_value(Settings::with_overrides(text).unwrap()).unwrap()
    }

    #[test]
    fn an_override_changes_its_keys_and_no_other() {
        let mut expected = with("");
        expected["metric"]["glcm_bin_width"] = json!(0.03);
        expected["metric"]["groove"]["depth_factor"] = json!(1.0);
        expected["metric"]["pore_sigmas_mm"] = json!([0.1, 0.2, 0.3, 0.4]);
        expected["change"]["replicates"] = json!(400);
        expected["quality"]["face_coverage_percent"] = json!([1.0, 0.0]);
        let text = "change.replicates = 400\nquality.face_coverage_percent = [1, 0]\n[metric]\n\
                    pore_sigmas_mm = [0.1, 0.2, 0.3, 0.4]\nglcm_bin_width = 0.03\ngroove = { depth_factor = 1 }";
        assert_eq!(with(text), expected);
        // Negative by default.
        assert_ne!(with("light.shading_weights = [1, 1, -1]"), with(""));
    }

    #[test]
    fn what_is_no_setting_is_an_error() {
        for (text, expected) in [
            ("[metric]\nfoo = 1", "unknown key metric.foo"),
            ("[metrics]", "unknown key metrics"),
            ("metric.groove.foo = 1", "unknown key metric.groove.foo"),
            ("change.capture = []", "unknown key change.capture"),
            ("batch.bytes_per_photo_pixel = 1", "unknown key batch"),
            ("metric.glcm_bin_width = \"wide\"", "expected f64 in `metric.glcm_bin_width`"),
            ("metric.glcm_bin_width = {}", "expected f64 in `metric.glcm_bin_width`"),
            ("change.replicates = 200.5", "expected usize in `change.replicates`"),
            ("metric.groove = 1", "in `metric.groove`"),
            ("metric = 1", "in `metric`"),
            ("quality.blur_px = [1.0]", "in `quality.blur_px`"),
            ("quality.blur_px = [1, 2, 3]", "in `quality.blur_px`"),
            ("quality.blur_px = [1, [2]]", "in `quality.blur_px`"),
            ("change.replicates = 0", "change.replicates is out of range"),
            ("change.replicates = -1", "out of range"),
            ("region.second_pass_px = 9_000_000_000_000_000_000", "out of range"),
            ("tone.cell_mm = 0", "tone.cell_mm is out of range"),
            ("tone.cell_mm = 1e-300", "out of range"),
            ("tone.cell_mm = -0.0", "out of range"),
            ("tone.cell_mm = nan", "out of range"),
            ("tone.cell_mm = inf", "out of range"),
            ("light.shading_weights = [1, 1, nan]", "out of range"),
            ("metric.scar_radii_mm = []", "out of range"),
            ("metric.scar_radii_mm = [1, 2, 3, 4, 5, 6, -7]", "out of range"),
            ("region.chroma_floor = 0.2", "region.chroma_floor is larger than region.chroma_cap"),
            ("metric.pore_mm_per_px_max = 0.6", "less than 2 px"),
            ("metric = ", "line 1, column 10"),
            ("[metric]\nglcm_bin_width = 1\nglcm_bin_width = 2", "line 3, column 1"),
        ] {
            let error = Settings::with_overrides(text).expect_err(text);
            assert_eq!((error.step, error.file.as_str()), (Step::Usage, ""), "{text}");
            assert!(error.why.contains(expected), "{text}: {}", error.why);
        }
    }
}
