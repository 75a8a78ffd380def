//! Whether a quantity of a running process has grown.

/// Fewer say nothing of the end.
const LEAST_SAMPLES: usize = 8;

/// One quantity over time.
#[derive(Debug)]
pub(crate) struct Series {
    name: String,
    /// What it may grow by from its second quarter to its last: a share of it, and an amount.
    share: f64,
    amount: f64,
    samples: Vec<f64>,
}

// === impl Series ===

impl Series {
    pub(crate) fn new(name: String, share: f64, amount: f64) -> Self {
        Self { name, share, amount, samples: Vec::new() }
    }

    pub(crate) fn add(&mut self, sample: f64) {
        self.samples.push(sample);
    }

    /// What it did; an error when it grew. The first quarter is warming up, and a median forgives a moment.
    pub(crate) fn verdict(&self) -> Result<String, String> {
        let quarter = self.samples.len() / 4;
        if self.samples.len() < LEAST_SAMPLES {
            return Err(format!("{}: {} samples are too few; run it for longer", self.name, self.samples.len()));
        }
        let warm = median(&self.samples[quarter..2 * quarter]);
        let end = median(&self.samples[3 * quarter..]);
        let told = format!("{}: {warm} when warm, {end} at the end", self.name);
        if end <= warm * (1.0 + self.share) + self.amount { Ok(told) } else { Err(format!("{told}: it grows")) }
    }
}

fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

#[test]
fn growth_is_told_from_noise() {
    let series = |samples: &[f64]| Series { samples: samples.to_vec(), ..Series::new("x".to_owned(), 0.1, 1.0) };
    for (samples, flat) in [
        (&[1.0, 9.0, 10.0, 10.0, 11.0, 10.0, 10.0, 10.0][..], true),
        (&[50.0, 90.0, 100.0, 100.0, 100.0, 100.0, 111.0, 111.0], true),
        (&[50.0, 90.0, 100.0, 100.0, 105.0, 108.0, 112.0, 112.0], false),
        // A peak is no growth.
        (&[1.0, 1.0, 10.0, 10.0, 10.0, 10.0, 10.0, 90.0, 10.0, 10.0, 10.0, 10.0], true),
        (&[1.0, 1.0, 1.0], false),
    ] {
        assert_eq!(series(samples).verdict().is_ok(), flat, "{samples:?}");
    }
}
