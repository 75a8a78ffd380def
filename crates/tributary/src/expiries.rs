//! When the credentials of catalogs end, asked at the moment of the scrape: alert on it before the catalog refuses them.

use std::sync::{Arc, Mutex, PoisonError};

use paimon_catalog::Catalog;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, Opts, Registry};
use tributary_runtime::{MetricDef, MetricKind};

const EXPIRY: MetricDef = MetricDef {
    name: "tributary_catalog_credentials_expiry_timestamp_seconds",
    help: "When the credentials in use for a catalog stop working, Unix time. Absent while that is not known.",
    kind: MetricKind::Gauge,
    labels: &["catalog"],
    stands_for: "",
};

/// What this module exports.
pub(crate) const METRICS: &[MetricDef] = &[EXPIRY];

/// A catalog and its name in the job.
type Named = (String, Arc<dyn Catalog>);

/// The catalogs that are watched, once they are open. Clones share them.
#[derive(Clone)]
pub(crate) struct Expiries {
    gauge: GaugeVec,
    catalogs: Arc<Mutex<Vec<Named>>>,
}

// === impl Expiries ===

impl Expiries {
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let gauge = GaugeVec::new(Opts::new(EXPIRY.name, EXPIRY.help), EXPIRY.labels)?;
        let expiries = Self { gauge, catalogs: Arc::default() };
        registry.register(Box::new(expiries.clone()))?;
        Ok(expiries)
    }

    /// Watches these from now on.
    pub(crate) fn watch(&self, catalogs: impl Iterator<Item = Named>) {
        self.catalogs.lock().unwrap_or_else(PoisonError::into_inner).extend(catalogs);
    }
}

impl Collector for Expiries {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        for (name, catalog) in &*self.catalogs.lock().unwrap_or_else(PoisonError::into_inner) {
            if let Some(millis) = catalog.credentials_expire_at_millis() {
                self.gauge.with_label_values(&[name]).set(millis as f64 / 1000.0);
            }
        }
        self.gauge.collect()
    }
}
