//! Opens the page in a headless Chromium, where there is one: the script runs, the policy holds.

#[path = "../sample/mod.rs"]
mod sample;

use skindelta::report::html;
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_page_comes_alive_without_errors() {
    let pages = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(&pages).unwrap();
    for visits in [1, 2, 4] {
        let page = pages.join(format!("report-{visits}.html"));
        fs::write(&page, html::render(&sample::report(visits), &sample::pictures(visits))).unwrap();
        let profile = tempfile::tempdir().unwrap();
        let run = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update"])
            .args(["--disable-sync", "--enable-logging=stderr", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("file://{}", page.display()))
            .output();
        let Ok(run) = run else {
            println!("no chromium on PATH: the page was not opened");
            return;
        };
        let dom = String::from_utf8_lossy(&run.stdout);
        let log = String::from_utf8_lossy(&run.stderr);
        // Errors of the script and breaches of the page's policy alike are logged as CONSOLE.
        let errors: Vec<&str> = log.lines().filter(|l| l.contains("CONSOLE")).collect();
        assert!(errors.is_empty(), "{visits} visits: {errors:#?}");
        assert!(dom.contains("data-ready=\"true\""), "{visits} visits: the script did not finish");
        let split = dom.contains("style=\"--split: 50%;\"");
        assert_eq!(split, visits > 1, "{visits} visits: slider");
        // Of the summaries, only that of the chosen visit is shown.
        let summaries = dom.split("<section class=\"summary\"").skip(1);
        let shown = summaries.filter(|s| !s.split('>').next().unwrap().contains("hidden"));
        assert_eq!(shown.count(), usize::from(visits > 1), "{visits} visits: summaries shown");
    }
}
