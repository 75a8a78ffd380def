//! How a crate declares its metrics: once, as data, so that the reference and the registration agree.

/// One metric, as `METRICS` of a crate's `metrics.rs` lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricDef {
    /// `tributary_<part>_<noun>_<unit>[_total]`.
    pub name: &'static str,
    /// One sentence for the reference and the exposition.
    pub help: &'static str,
    /// What kind of number it is.
    pub kind: MetricKind,
    /// Label names, all from fixed sets of values.
    pub labels: &'static [&'static str],
    /// The Flink or Paimon metric it stands for; empty when there is none.
    pub stands_for: &'static str,
}

/// The kinds of number of the Prometheus exposition format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes both ways.
    Gauge,
    /// Observations in buckets.
    Histogram,
}
