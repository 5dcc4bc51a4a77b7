//! Time and memory of each stage, for `-v`; never part of result.json.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Wall time and peak memory from stage to stage.
#[derive(Clone)]
pub struct Clock(Arc<Mutex<ClockState>>);

struct ClockState {
    last: Instant,
    now: &'static str,
    costs: Vec<Cost>,
}

/// Cost of one stage, all visits together.
#[derive(Clone)]
struct Cost {
    stage: &'static str,
    seconds: f64,
    /// Peak memory of the process so far, MiB; none where the system does not report it.
    peak_mib: Option<f64>,
}

impl Clock {
    /// A clock that starts now.
    pub fn new() -> Self {
        let state = ClockState { last: Instant::now(), now: "start", costs: Vec::new() };
        Clock(Arc::new(Mutex::new(state)))
    }

    /// Ends the current stage and starts the next one.
    pub fn stage(&self, stage: &'static str) -> ControlFlow<()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let seconds = (now - state.last).as_secs_f64();
        let (ended, peak_mib) = (state.now, peak_memory_mib());
        match state.costs.iter_mut().find(|cost| cost.stage == ended) {
            Some(cost) => {
                cost.seconds += seconds;
                cost.peak_mib = peak_mib;
            }
            None => state.costs.push(Cost { stage: ended, seconds, peak_mib }),
        }
        state.last = now;
        state.now = stage;
        ControlFlow::Continue(())
    }

    /// A line for each finished stage, and the sum.
    pub fn table(&self) -> String {
        let _ = self.stage("end");
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |cost: &Cost| {
            let peak = cost.peak_mib.map_or(String::new(), |m| format!("  {m:>6.0} MiB"));
            format!("{:<16} {:>8.2} s{peak}\n", cost.stage, cost.seconds)
        };
        let ran = || state.costs.iter().filter(|cost| cost.stage != "start");
        let total: f64 = ran().map(|cost| cost.seconds).sum();
        ran().map(line).collect::<String>() + &format!("{:<16} {total:>8.2} s\n", "all")
    }
}

/// Peak resident memory of this process (Linux: VmHWM).
fn peak_memory_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_of_several_visits_is_one_line() {
        let clock = Clock::new();
        for stage in ["decode", "decode", "register"] {
            assert_eq!(clock.stage(stage), ControlFlow::Continue(()));
        }
        let stages: Vec<String> =
            clock.table().lines().filter_map(|l| l.split(' ').next().map(String::from)).collect();
        assert_eq!(stages, ["decode", "register", "all"]);
    }
}
