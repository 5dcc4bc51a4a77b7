//! `skindelta check`

use super::{Machine, SkinArgs, complain, photo, print};
use clap::Args;
use skindelta::Result;
use skindelta::quality::{QualityCheck, Status};
use skindelta::settings::QualitySettings;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Check photos before the patient leaves: retake, or go on
///
/// Each photo is checked on its own: sharpness, exposure, light, pose. Nothing is written. The exit
/// code is 0 whatever the result, and 1 if a photo cannot be read.
#[derive(Args)]
#[command(after_help = "\
Examples:
  skindelta check photo.jpg
  skindelta check *.jpg --regions whole --mm-per-px 0.02")]
pub struct Check {
    /// Photos: JPEG, PNG, TIFF or WebP
    #[arg(required = true, value_name = "PHOTO")]
    photos: Vec<PathBuf>,
    #[command(flatten)]
    skin: SkinArgs,
}

impl Check {
    pub fn run(&self, machine: &Machine) -> Result<ExitCode> {
        let mut request = self.skin.request(false, false)?;
        let mut code = ExitCode::SUCCESS;
        for path in &self.photos {
            request.photos = vec![photo(path)];
            match machine.analyze(&request) {
                Ok(analysis) => print(&summary(path, &analysis.report.quality))?,
                Err(error) => {
                    complain(&error);
                    code = ExitCode::FAILURE;
                }
            }
        }
        Ok(code)
    }
}

/// The overall result in a line, and the checks below it.
fn summary(path: &Path, checks: &[QualityCheck]) -> String {
    let any = |status| checks.iter().any(|check| check.status == status);
    let word = if any(Status::Fail) {
        "retake"
    } else if any(Status::Warn) {
        "usable, with less certainty"
    } else {
        "good, go on"
    };
    let mut text = format!("{}: {word}\n", path.display());
    for check in checks {
        let status = match check.status {
            Status::Pass => "pass",
            Status::Warn => "warn",
            Status::Fail => "FAIL",
        };
        let unit = if check.unit == "1" { "" } else { &*check.unit };
        let number = |value: Option<f64>| value.map(|v| format!("{v:.3} {unit}").trim_end().into());
        let value = number(check.value).unwrap_or_else(|| String::from("not measured"));
        let limit: Option<String> = number(check.limit);
        let [warn, fail] = check.check.limits(&QualitySettings::default());
        let bound = if fail > warn { "at most" } else { "at least" };
        let limit = limit.map(|limit| format!(" ({bound} {limit})")).unwrap_or_default();
        let region = check.region.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
        let _ = writeln!(text, "  {status}  {}{region}: {value}{limit}", check.check);
        if let Some(advice) = &check.advice {
            let _ = writeln!(text, "        {advice}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use skindelta::quality::Check;

    #[test]
    fn the_worst_check_decides() {
        let check = |status, advice: Option<&str>| QualityCheck {
            visit: 0,
            region: None,
            check: Check::Sharpness,
            status,
            value: Some(1.25),
            limit: Some(1.0),
            unit: "px".into(),
            advice: advice.map(String::from),
        };
        let path = Path::new("a.jpg");
        let good = summary(path, &[check(Status::Pass, None)]);
        assert_eq!(good, "a.jpg: good, go on\n  pass  sharpness: 1.250 px (at most 1.000 px)\n");
        let bad = [check(Status::Warn, None), check(Status::Fail, Some("Focus on the skin."))];
        let bad = summary(path, &bad);
        assert!(
            bad.starts_with("a.jpg: retake\n") && bad.ends_with("        Focus on the skin.\n")
        );
    }
}
