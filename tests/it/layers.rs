//! Who may import whom: the sources are read and held to the plan of the house.
//!
//! `units error output citations cielab srgb rng` ← `plane settings npy` ← `filter` ← the stages, in the order of the
//! pipeline ← `analyze` ← `arguments batch` ← `cli`, `main`. A stage may use the types of earlier
//! stages, and functions of none. Threads are split in `plane` and `batch` only, and `tract` is
//! known to `region/onnx.rs` only. Tests inside the files are free.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules below the stages, lowest first; a group may import itself and all before it.
const FOUNDATION: [&[&str]; 3] = [
    &["units", "error", "notice", "output", "citations", "cielab", "srgb", "rng"],
    &["plane", "settings", "npy"],
    &["filter"],
];
/// Stages in the order of the pipeline; `show` fills the pictures and maps whose types are the
/// report's, so it comes after.
const STAGES: [&str; 12] = [
    "photo",
    "series",
    "region",
    "align",
    "luminance",
    "tone",
    "light",
    "quality",
    "metric",
    "change",
    "report",
    "show",
];
/// Modules above the stages, lowest first.
const TOP: [&[&str]; 2] = [&["analyze"], &["arguments", "batch"]];
/// Apart: made for tests, benches and their own commands; nobody imports them.
const APART: [&str; 3] = ["phantom", "testing", "validate"];

/// Modules where the word may stand; everywhere else it is a violation.
const WORDS: [(&str, &[&str]); 4] = [
    ("rayon", &["plane.rs", "batch/", "main.rs"]),
    ("tract_onnx", &["region/onnx.rs"]),
    ("rustface", &["region/detector.rs"]),
    ("clap", &["main.rs", "cli/"]),
];

/// A path below `crate` that a file names: the module and what is taken from it.
#[derive(Debug, PartialEq)]
struct Use {
    path: Vec<String>,
}

#[test]
fn the_sources_keep_to_the_plan() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    gather(&src, &mut files);
    assert!(files.len() > 10, "sources found");
    let mut violations = Vec::new();
    for file in files {
        let name = file.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(&file).unwrap();
        violations.extend(check(&name, &text).iter().map(|why| format!("src/{name}: {why}")));
    }
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            gather(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// What a file does against the plan.
fn check(name: &str, text: &str) -> Vec<String> {
    let code = without_tests(&bare(text));
    let module = name.split('/').next().unwrap_or_default().trim_end_matches(".rs");
    let mut violations = Vec::new();
    for (word, allowed) in WORDS {
        if has_word(&code, word) && !allowed.iter().any(|place| name.starts_with(place)) {
            violations.push(format!("names {word}, which only {} may", allowed.join(", ")));
        }
    }
    if matches!(module, "lib" | "main" | "cli") {
        return violations;
    }
    if !known(module) {
        violations.push("is no module of the plan; give it a place in tests/it/layers.rs".into());
        return violations;
    }
    for used in uses(&code) {
        if let Some(why) = forbidden(module, &used) {
            violations.push(why);
        }
    }
    if module == "metric" && (code.contains("std::fs") || has_word(&code, "Path")) {
        violations.push("names files; metrics know pixels only".into());
    }
    violations
}

fn known(module: &str) -> bool {
    rank(module).is_some() || APART.contains(&module)
}

/// Height of a module in the house; stages by their place in the pipeline.
fn rank(module: &str) -> Option<usize> {
    let foundation = FOUNDATION.iter().position(|group| group.contains(&module));
    let stage = || STAGES.iter().position(|stage| *stage == module).map(|i| 10 + i);
    let top = || TOP.iter().position(|group| group.contains(&module)).map(|i| 100 + i);
    foundation.or_else(stage).or_else(top)
}

fn forbidden(module: &str, used: &Use) -> Option<String> {
    let path = used.path.join("::");
    let target = used.path.first()?.as_str();
    // Re-exports of the crate's root: `crate::Error`.
    if target == module || is_type(target) {
        return None;
    }
    if APART.contains(&target) {
        let alone = module == "validate" && target == "phantom";
        return (!alone).then(|| format!("uses {path}: {target} stands apart"));
    }
    let Some(theirs) = rank(target) else {
        return Some(format!("uses {path}: {target} is no module of the plan"));
    };
    let stage = STAGES.contains(&target);
    match module {
        "validate" => None,
        "phantom" if !stage || is_type(used.path.last()?) => None,
        _ => {
            let mine = rank(module).unwrap_or(usize::MAX);
            if theirs > mine {
                Some(format!("uses {path}, of a later stage"))
            } else if stage && mine < 100 && !is_type(used.path.last()?) {
                Some(format!("uses {path}: a stage uses types of earlier stages, no functions"))
            } else {
                None
            }
        }
    }
}

/// Whether a name is that of a type, a variant or a constant.
fn is_type(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
}

fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        !code[..at].ends_with(part) && !code[at + word.len()..].starts_with(part)
    })
}

/// What the text of a file takes from other modules, `module/item`; its tests are left out.
pub fn imports(text: &str) -> Vec<String> {
    uses(&without_tests(&bare(text))).into_iter().map(|used| used.path.join("/")).collect()
}

/// Every path that starts at `crate::`, in imports (braces opened) and in expressions.
fn uses(code: &str) -> Vec<Use> {
    let mut found = Vec::new();
    for (at, start) in code.match_indices("crate::") {
        if !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            tree(&code[at + start.len()..], &[], &mut found);
        }
    }
    found
}

/// Reads one path or brace group, below `prefix`, and returns what follows it. What a type leads
/// to (`Type::method`, a variant) belongs to the type.
fn tree<'a>(mut code: &'a str, prefix: &[String], found: &mut Vec<Use>) -> &'a str {
    let mut path = prefix.to_vec();
    loop {
        code = code.trim_start();
        if let Some(mut inside) = code.strip_prefix('{') {
            loop {
                inside = inside.trim_start();
                if let Some(rest) = inside.strip_prefix('}') {
                    return rest;
                }
                let rest = tree(inside, &path, found).trim_start();
                inside = rest.strip_prefix(',').unwrap_or(rest);
                if inside.is_empty() {
                    return inside;
                }
            }
        }
        let end = code.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '*'));
        let (name, rest) = code.split_at(end.unwrap_or(code.len()));
        if name != "self" {
            path.push(name.to_string());
        }
        code = rest;
        match code.strip_prefix("::") {
            Some(rest) if !is_type(name) && !rest.starts_with('<') => code = rest,
            _ => break,
        }
    }
    // `name as other`
    if let Some(rest) = code.trim_start().strip_prefix("as ") {
        code = rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
    }
    // Skip what follows a type inside a brace group: `Type::Variant`.
    while let Some(rest) = code.strip_prefix("::") {
        code = rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_' || c == '*');
        if code == rest {
            break;
        }
    }
    found.push(Use { path });
    code
}

/// The text without comments, and with strings and characters emptied.
fn bare(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(raw) = raw_string(rest) {
            raw
        } else if c == '"' {
            string(rest)
        } else if c == '\'' {
            character(rest)
        } else {
            out.push(c);
            c.len_utf8()
        };
        rest = &rest[skip..];
    }
    out
}

/// Length of a raw string at the start of the text.
fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let start = 2 + hashes;
    Some(text[start..].find(&close).map_or(text.len(), |end| start + end + close.len()))
}

/// Length of the string at the start of the text.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Length of the character at the start of the text; of a lifetime, just its mark.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => text[2..].find('\'').map_or(1, |end| {
            // '\'' closes at the second mark.
            if end == 0 { 4 } else { end + 3 }
        }),
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}

/// The code without its `#[cfg(test)]` items.
fn without_tests(code: &str) -> String {
    let mut out = String::new();
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let open = rest.find('{').unwrap_or(rest.len());
        let end = rest.find(';').unwrap_or(rest.len());
        if end < open {
            rest = &rest[end + 1..];
            continue;
        }
        let mut depth = 0;
        let close = rest.char_indices().find_map(|(at, c)| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            (c == '}' && depth == 0).then_some(at + 1)
        });
        rest = &rest[close.unwrap_or(rest.len())..];
    }
    out + rest
}

#[test]
fn violations_are_found() {
    for (name, text, expected) in [
        ("tone.rs", "use crate::{align::{self, Field}, photo::decode::stored_size};", 2),
        ("photo/mod.rs", "use crate::region::RegionMap;", 1),
        ("filter/warp.rs", "use crate::photo::Photo;", 1),
        ("align/mod.rs", "fn f() { crate::region::rasterise(&p); }", 1),
        ("align/mod.rs", "use rayon::prelude::*;", 1),
        ("region/face.rs", "use tract_onnx::prelude::*;", 1),
        ("metric/mod.rs", "use std::fs; use crate::align::Field;", 1),
        ("change.rs", "use crate::analyze::Request; use crate::batch;", 2),
        ("change.rs", "use crate::phantom::Spec;", 1),
        ("helpers.rs", "", 1),
        ("report/mod.rs", "use crate::metric as m;", 1),
    ] {
        let found = check(name, text);
        assert_eq!(found.len(), expected, "{name}: {text}: {found:?}");
    }
}

#[test]
fn what_is_allowed_is_let_through() {
    for (name, text) in [
        ("tone.rs", "use crate::align::{Field, refine::Spline};\nuse crate::filter::warp::warp;"),
        (
            "tone.rs",
            "use crate::region::{FACE_REGIONS, WHOLE}; fn f(s: Scale) { crate::tone::g() }",
        ),
        (
            "tone.rs",
            "// use crate::batch;\n/* rayon */ fn f() { let a = \"crate::batch\"; let b = '\"'; }",
        ),
        ("tone.rs", "fn f<'a>(x: &'a str) { r#\"use crate::batch; \"#; '\\''; }"),
        ("tone.rs", "fn f() {}\n#[cfg(test)]\nmod tests { use crate::batch; fn g() { if x { } } }"),
        ("tone.rs", "use crate::error::{Error, Result}; use crate::{Step, units::MmPerPx};"),
        ("tone.rs", "fn f() { crate::align::Field::identity(3); crate::align::Kind::Good; }"),
        ("plane.rs", "use rayon::prelude::*;"),
        ("batch/run.rs", "use crate::photo::decode::stored_size; use crate::report::{self, csv};"),
        ("validate.rs", "use crate::phantom::write; use crate::analyze::analyze;"),
    ] {
        assert_eq!(check(name, text), Vec::<String>::new(), "{name}: {text}");
    }
}

#[test]
fn brace_groups_are_opened() {
    let paths: Vec<String> = uses("use crate::{a::{self, b::C, d}, E, f::*, g as h};")
        .into_iter()
        .map(|used| used.path.join("::"))
        .collect();
    assert_eq!(paths, ["a", "a::b::C", "a::d", "E", "f::*", "g"]);
}
