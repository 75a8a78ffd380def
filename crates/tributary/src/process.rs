//! Metrics about the process itself: which build it is, and what it takes of the machine.
//!
//! Names and meanings are those every Prometheus client library exports (`process_*`), so that
//! existing dashboards work. Read from `/proc` at the moment of the scrape; elsewhere they stay 0.

use std::fs;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Gauge, IntGauge, IntGaugeVec, Opts, Registry};
use tributary_runtime::{MetricDef, MetricKind};

use crate::build;

/// USER_HZ: what the kernel counts process times in, 100 on every architecture Linux runs on.
const TICKS_PER_SECOND: f64 = 100.0;

const fn gauge(name: &'static str, help: &'static str) -> MetricDef {
    MetricDef { name, help, kind: MetricKind::Gauge, labels: &[], stands_for: "" }
}

const BUILD_INFO: MetricDef =
    MetricDef { labels: &["version", "commit"], ..gauge("tributary_build_info", "Always 1; which build this is.") };
const RESIDENT: MetricDef = MetricDef {
    stands_for: "Status.JVM.Memory.Heap.Used + NonHeap.Used",
    ..gauge("process_resident_memory_bytes", "Resident memory size.")
};
const RESIDENT_PEAK: MetricDef =
    gauge("tributary_process_resident_memory_peak_bytes", "Largest resident memory size since the start (VmHWM).");
const CPU: MetricDef = MetricDef {
    kind: MetricKind::Counter,
    stands_for: "Status.JVM.CPU.Time",
    ..gauge("process_cpu_seconds_total", "User and system CPU time spent.")
};
const START: MetricDef = gauge("process_start_time_seconds", "Start time of the process since the Unix epoch.");
const OPEN_FDS: MetricDef = gauge("process_open_fds", "Open file descriptors.");
const MAX_FDS: MetricDef = gauge("process_max_fds", "Most file descriptors the process may open.");
const THREADS: MetricDef =
    MetricDef { stands_for: "Status.JVM.Threads.Count", ..gauge("process_threads", "OS threads of the process.") };

/// What this module exports.
pub(crate) const METRICS: &[MetricDef] = &[BUILD_INFO, RESIDENT, RESIDENT_PEAK, CPU, START, OPEN_FDS, MAX_FDS, THREADS];

/// Adds the build's and the process's metrics.
pub(crate) fn register(registry: &Registry) -> Result<(), prometheus::Error> {
    let which = IntGaugeVec::new(Opts::new(BUILD_INFO.name, BUILD_INFO.help), BUILD_INFO.labels)?;
    which.with_label_values(&[build::VERSION, build::COMMIT]).set(1);
    registry.register(Box::new(which))?;
    registry.register(Box::new(Process::try_new()?))
}

struct Process {
    resident: IntGauge,
    resident_peak: IntGauge,
    cpu: prometheus::Counter,
    start: Gauge,
    open_fds: IntGauge,
    max_fds: IntGauge,
    threads: IntGauge,
}

/// What `/proc` says now.
#[derive(Debug, Default, PartialEq)]
struct Reading {
    resident_bytes: i64,
    resident_peak_bytes: i64,
    threads: i64,
    cpu_seconds: f64,
    start_seconds: f64,
}

// === impl Process ===

impl Process {
    fn try_new() -> Result<Self, prometheus::Error> {
        let int = |def: MetricDef| IntGauge::new(def.name, def.help);
        Ok(Self {
            resident: int(RESIDENT)?,
            resident_peak: int(RESIDENT_PEAK)?,
            cpu: prometheus::Counter::new(CPU.name, CPU.help)?,
            start: Gauge::new(START.name, START.help)?,
            open_fds: int(OPEN_FDS)?,
            max_fds: int(MAX_FDS)?,
            threads: int(THREADS)?,
        })
    }

    fn members(&self) -> [&dyn Collector; 7] {
        [&self.resident, &self.resident_peak, &self.cpu, &self.start, &self.open_fds, &self.max_fds, &self.threads]
    }
}

impl Collector for Process {
    fn desc(&self) -> Vec<&Desc> {
        self.members().into_iter().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let text = |path| fs::read_to_string(path).unwrap_or_default();
        let reading = Reading::parse(&text("/proc/self/status"), &text("/proc/self/stat"), &text("/proc/stat"));
        self.resident.set(reading.resident_bytes);
        self.resident_peak.set(reading.resident_peak_bytes);
        self.threads.set(reading.threads);
        self.cpu.inc_by((reading.cpu_seconds - self.cpu.get()).max(0.0));
        self.start.set(reading.start_seconds);
        // One of the entries is the handle that lists them.
        let open = fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count().saturating_sub(1));
        self.open_fds.set(i64::try_from(open).unwrap_or(i64::MAX));
        self.max_fds.set(soft_limit(&text("/proc/self/limits")));
        self.members().into_iter().flat_map(Collector::collect).collect()
    }
}

// === impl Reading ===

impl Reading {
    /// From the texts of `/proc/self/status`, `/proc/self/stat` and `/proc/stat` (proc(5)).
    fn parse(status: &str, stat: &str, machine: &str) -> Self {
        // The process's name may hold spaces and brackets: fields are counted from the last bracket.
        let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let ticks = |field: usize| fields.get(field - 3).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        let boot = first_number(machine, "btime ").unwrap_or(0);
        Self {
            resident_bytes: first_number(status, "VmRSS:").unwrap_or(0) * 1024,
            resident_peak_bytes: first_number(status, "VmHWM:").unwrap_or(0) * 1024,
            threads: first_number(status, "Threads:").unwrap_or(0),
            cpu_seconds: (ticks(14) + ticks(15)) / TICKS_PER_SECOND,
            start_seconds: boot as f64 + ticks(22) / TICKS_PER_SECOND,
        }
    }
}

fn soft_limit(limits: &str) -> i64 {
    first_number(limits, "Max open files").unwrap_or(0)
}

/// The first number of the line that starts with `name`.
fn first_number(text: &str, name: &str) -> Option<i64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn proc_is_read_by_its_field_numbers() {
        let status = "Name:\ta\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t7\n";
        let stat = "42 (a b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 13 14 15 16 7 0 5000 20 21\n";
        let machine = "cpu 1 2 3\nbtime 1000\n";
        let expected = Reading {
            resident_bytes: 1024 * 1024,
            resident_peak_bytes: 2048 * 1024,
            threads: 7,
            cpu_seconds: 2.0,
            start_seconds: 1050.0,
        };
        assert_eq!(Reading::parse(status, stat, machine), expected);
        assert_eq!(Reading::parse("", "", ""), Reading::default());
        assert_eq!(soft_limit("Limit  Soft  Hard\nMax open files            1024   4096   files\n"), 1024);
    }

    #[test]
    fn every_declared_metric_is_exported_under_its_name() {
        let registry = Registry::new();
        register(&registry).unwrap();
        let families = registry.gather();
        for metric in METRICS {
            let family = families.iter().find(|family| family.name() == metric.name).unwrap();
            assert_eq!(family.help(), metric.help);
        }
        assert_eq!(families.len(), METRICS.len());
        let resident = families.iter().find(|family| family.name() == RESIDENT.name).unwrap();
        assert!(resident.get_metric()[0].get_gauge().get_value() > 0.0);
    }
}
