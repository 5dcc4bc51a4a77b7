//! result.json: the report as text, the same bytes for the same report.

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::io::{self, Write};

/// The report as JSON: one key of the root per line, one row of a table per line, floats rounded to
/// 6 significant digits, `null` where there is no finite value, a line break at the end.
pub fn to_json(report: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let done = report.serialize(&mut Serializer::with_formatter(&mut bytes, Rows::default()));
    done.expect("a report is plain data, and memory takes every byte");
    bytes.push(b'\n');
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

/// A number as result.json and the tables write it: 6 significant digits, never −0. `None` where
/// it is not finite.
pub(super) fn number(value: f64) -> Option<String> {
    // Adding +0 turns −0 into 0 and leaves every other number alone.
    let rounded = format!("{value:.5e}").parse::<f64>().ok()? + 0.0;
    rounded.is_finite().then(|| format!("{rounded:?}"))
}

/// Layout of result.json: a line per key of the root and per row of its tables.
#[derive(Default)]
struct Rows {
    depth: usize,
    filled: bool,
}

impl Rows {
    fn separate<W: ?Sized + Write>(&self, w: &mut W, first: bool, breaks: &[u8]) -> io::Result<()> {
        if !first {
            w.write_all(b",")?;
        }
        w.write_all(if !breaks.is_empty() {
            breaks
        } else if first {
            b""
        } else {
            b" "
        })
    }
}

impl Formatter for Rows {
    fn write_f64<W: ?Sized + Write>(&mut self, w: &mut W, value: f64) -> io::Result<()> {
        w.write_all(number(value).as_deref().unwrap_or("null").as_bytes())
    }
    fn write_f32<W: ?Sized + Write>(&mut self, w: &mut W, value: f32) -> io::Result<()> {
        self.write_f64(w, value.into())
    }
    fn begin_object<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.depth += 1;
        w.write_all(b"{")
    }
    fn end_object<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.depth -= 1;
        w.write_all(b"}")
    }
    fn begin_object_key<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.separate(w, first, if self.depth == 1 && !first { b"\n " } else { b"" })
    }
    fn begin_object_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        w.write_all(b": ")
    }
    fn begin_array<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        w.write_all(b"[")
    }
    fn begin_array_value<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.separate(w, first, if self.depth == 2 { b"\n  " } else { b"" })
    }
    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }
    fn end_array<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.depth -= 1;
        w.write_all(if self.depth == 1 && self.filled { b"\n ]" } else { b"]" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_six_digits() {
        let text = |v| number(v).unwrap();
        assert_eq!(text(0.123_456_789), "0.123457");
        assert_eq!(text(123_456.789), "123457.0");
        assert_eq!(text(-9.999_999_9), "-10.0");
        assert_eq!(text(-0.0), "0.0");
        assert_eq!(text(-1e-320), "-1e-320");
        assert_eq!(text(f64::MAX), "1.79769e308");
        assert_eq!(number(f64::NAN), None);
        assert_eq!(number(f64::NEG_INFINITY), None);
    }

    #[test]
    fn layout_is_one_row_per_line() {
        let value = serde_json::json!({"a": 1, "rows": [{"x": 0.5, "y": [1.0, 2.5]}, {"x": null}],
            "z": []});
        let mut bytes = Vec::new();
        let mut out = Serializer::with_formatter(&mut bytes, Rows::default());
        value.serialize(&mut out).unwrap();
        let expected = "{\"a\": 1,\n \"rows\": [\n  {\"x\": 0.5, \"y\": [1.0, 2.5]},\n  \
                        {\"x\": null}\n ],\n \"z\": []}";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}
