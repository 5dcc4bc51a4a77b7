//! The outcome as text for people.

use super::Outcome;
use super::doses::HEADLINES;
use std::fmt::Write;

impl Outcome {
    /// The outcome as text for people.
    pub fn table(&self) -> String {
        let mut text = String::from(
            "Unchanged skin, photographed again (effects in % for ratios, else in the unit)\n",
        );
        let _ = writeln!(
            text,
            "  {:<31} {:>5} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}  {:>7} {:>7}  unit",
            "metric",
            "rows",
            "refused",
            "bias",
            "rms",
            "alarms",
            "covered",
            "width",
            "floor",
            "1cm2"
        );
        for row in &self.nulls {
            // To first order a difference of logs is a share.
            let (scale, unit) = if row.unit == "ln" { (100.0, "%") } else { (1.0, &*row.unit) };
            let _ =
                write!(text, "  {:<31} {:>5} {:>6.1} %", row.metric, row.rows, row.refused_percent);
            if let Some(s) = &row.spread {
                let _ = write!(
                    text,
                    " {:>8.2} {:>8.2} {:>6.1} % {:>6.1} % {:>8.2}  {:>7.2} {:>7.2}  {unit}",
                    scale * s.bias,
                    scale * s.rms,
                    s.false_alarm_percent,
                    s.coverage_percent,
                    scale * s.interval_width,
                    scale * s.floor,
                    scale * s.at_1_cm2,
                );
            }
            text.push('\n');
        }
        text.push_str("\nTreated skin: reported change (true change), and skins called improved\n");
        for row in &self.doses {
            let number = |v: Option<f64>| v.map_or_else(|| "-".to_string(), |v| format!("{v:.2}"));
            let _ = writeln!(
                text,
                "  {} -> {}: slope {}, R2 {} (of single pairs {}), refused {:.0} %, {}",
                row.parameter,
                row.metric,
                number(row.slope),
                number(row.r_squared),
                number(row.pair_r_squared),
                row.refused_percent,
                if row.monotone { "monotone" } else { "not monotone" },
            );
            for p in &row.points {
                let _ = match (p.reported_percent, p.true_percent) {
                    (Some(reported), Some(truth)) => writeln!(
                        text,
                        "    x {:<5} {reported:>+7.1} % ({truth:>+6.1} %)  {} of {}",
                        p.factor, p.improved, p.measured
                    ),
                    _ => writeln!(text, "    x {:<5} not measured", p.factor),
                };
            }
        }
        text.push_str("\nWhat each reports, in %, where one thing is scaled by 0.8\n");
        let _ = write!(text, "  {:<16}", "");
        HEADLINES.iter().for_each(|metric| {
            let _ = write!(text, " {metric:>17}");
        });
        for (i, cell) in self.cross_talk.iter().enumerate() {
            if i % HEADLINES.len() == 0 {
                let _ = write!(text, "\n  {:<16}", cell.parameter);
            }
            let told = cell.reported_percent.map_or_else(|| "-".into(), |v| format!("{v:+.1}"));
            let _ = write!(text, " {told:>17}");
        }
        text.push_str(
            "\n\nWhat one photo finds: pores, scars, and lines by the length of their centre\n",
        );
        for row in &self.places {
            let share = |percent: Option<f64>| {
                percent.map_or_else(|| "-".into(), |percent| format!("{percent:.0} %"))
            };
            let _ = writeln!(
                text,
                "  {} at {} px/mm, {} skin: {} of what is found are, {} are found",
                row.what,
                row.px_per_mm,
                row.skin,
                share(row.precision_percent),
                share(row.recall_percent)
            );
        }
        text.push_str("\nSizes that one photo tells, against the truth\n");
        for row in &self.sizes {
            if let (Some(error), Some(bias)) = (row.error_percent, row.bias_percent) {
                let _ = writeln!(
                    text,
                    "  {} at {} px/mm, {} skin: off by {error:.0} % (bias {bias:+.0} %), median of {} skins",
                    row.metric, row.px_per_mm, row.skin, row.skins
                );
            }
        }
        text
    }
}
