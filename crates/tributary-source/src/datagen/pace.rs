//! The pace: how many rows are due.
//!
//! The limiter is governor's GCRA, on a clock of its own that runs `rate` x [`TICKS_PER_ROW`] ticks a second. In
//! that time the period of a row is the same whole number whatever the rate, so nothing is lost to rounding: after
//! any time exactly the rows due have been let through, to within the one that is not due yet. Pausing stops that
//! clock; changing the rate changes its speed.
//!
//! Everything due is taken at once, so a timer that fires late delays rows but never loses any. What became due
//! while nobody asked is made up for, up to one second's worth; beyond that the source was slower than its rate.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, Reference};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::watch;
use tokio::time::Instant;

/// The highest rate there is.
pub const MAX_ROWS_PER_SECOND: f64 = 100_000_000.0;

/// Ticks of the limiter's clock per row. At the highest rate its 64 bits last for 58 years.
const TICKS_PER_ROW: u64 = 100;

/// Rates are kept in thousandths of a row per second.
const MILLI: f64 = 1_000.0;

/// How late tokio's timers may fire: their resolution, and as much again for the wake-up.
const TIMER_SLACK: Duration = Duration::from_millis(2);

/// Changes a source's rate while it runs. Clones control the same source.
#[derive(Clone, Debug)]
pub struct RateHandle {
    shared: Arc<Shared>,
}

/// A rate that is not above 0 and at most [`MAX_ROWS_PER_SECOND`].
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "a rate of {rows_per_second} rows per second is not between 0.001 and {MAX_ROWS_PER_SECOND}; `pause` stops a source"
)]
pub struct InvalidRate {
    rows_per_second: f64,
}

/// The asking side; one per source.
#[derive(Debug)]
pub(super) struct Pacer {
    shared: Arc<Shared>,
    changed: watch::Receiver<()>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, Ticks, StateInformationMiddleware>;

#[derive(Debug)]
struct State {
    milli_rows: u64,
    paused: bool,
    limiter: Limiter,
    ticks: Ticks,
    /// The limiter's clock showed `ticks_then` at `then`.
    then: Instant,
    ticks_then: u64,
}

/// The limiter's clock: shows what it was last set to.
#[derive(Clone, Debug)]
struct Ticks(Arc<AtomicU64>);

/// What to do about a wish for rows.
#[derive(Debug, PartialEq, Eq)]
enum Due {
    Rows(u32),
    After(Duration),
    /// Paused: not before something changes.
    Unknown,
}

// === impl RateHandle ===

impl RateHandle {
    /// From now on, this many rows per second.
    ///
    /// # Errors
    /// [`InvalidRate`] when it is not above 0 (to the thousandth) and at most [`MAX_ROWS_PER_SECOND`].
    pub fn set(&self, rows_per_second: f64) -> Result<(), InvalidRate> {
        let milli_rows = (rows_per_second * MILLI).round();
        if !(1.0..=MAX_ROWS_PER_SECOND * MILLI).contains(&milli_rows) {
            return Err(InvalidRate { rows_per_second });
        }
        self.shared.state().change_rate(milli_rows as u64);
        self.shared.changed.send_replace(());
        Ok(())
    }

    /// Rows per second, paused or not.
    pub fn get(&self) -> f64 {
        self.shared.state().milli_rows as f64 / MILLI
    }

    /// No rows until [`RateHandle::resume`]; nothing becomes due meanwhile.
    pub fn pause(&self) {
        self.set_paused(true);
    }

    /// Goes on at the rate set.
    pub fn resume(&self) {
        self.set_paused(false);
    }

    /// Whether the source is paused.
    pub fn is_paused(&self) -> bool {
        self.shared.state().paused
    }

    fn set_paused(&self, paused: bool) {
        let mut state = self.shared.state();
        state.advance();
        state.paused = paused;
        drop(state);
        self.shared.changed.send_replace(());
    }
}

// === impl Pacer ===

impl Pacer {
    /// Starts now, with nothing due.
    pub(super) fn new(rows_per_second: NonZeroU32) -> Self {
        let (changed, watching) = watch::channel(());
        let state = State::starting(u64::from(rows_per_second.get()) * MILLI as u64);
        Self { shared: Arc::new(Shared { state: Mutex::new(state), changed }), changed: watching }
    }

    pub(super) fn handle(&self) -> RateHandle {
        RateHandle { shared: Arc::clone(&self.shared) }
    }

    /// Forgets what is due.
    pub(super) fn restart(&self) {
        let mut state = self.shared.state();
        let milli_rows = state.milli_rows;
        state.change_rate(milli_rows);
    }

    /// Waits until rows are due, and takes them: 1 to `most`, after about `linger`, or sooner when `most` is. Cancel-safe.
    pub(super) async fn take(&mut self, most: u32, linger: Duration) -> u32 {
        loop {
            self.changed.mark_unchanged();
            let due = self.shared.state().ask(most, linger);
            let wait = match due {
                Due::Rows(count) => return count,
                Due::After(wait) => Some(wait),
                Due::Unknown => None,
            };
            let timer = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                // Cannot fail: the sender lives in `self`.
                _ = self.changed.changed() => {}
                () = timer => {}
            }
        }
    }
}

// === impl Shared ===

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    fn starting(milli_rows: u64) -> Self {
        let ticks = Ticks(Arc::new(AtomicU64::new(0)));
        let limiter = drained_limiter(milli_rows, &ticks);
        Self { milli_rows, paused: false, limiter, ticks, then: Instant::now(), ticks_then: 0 }
    }

    /// Brings the limiter's clock up to now.
    fn advance(&mut self) {
        let now = Instant::now();
        if self.paused {
            self.then = now;
            self.ticks_then = self.ticks.get();
            return;
        }
        let nanos = now.saturating_duration_since(self.then).as_nanos();
        let ticks = nanos * u128::from(self.milli_rows * TICKS_PER_ROW) / 1_000_000_000_000;
        // A process does not live for the 58 years after which this would saturate.
        self.ticks.set(self.ticks_then.saturating_add(u64::try_from(ticks).unwrap_or(u64::MAX)));
    }

    fn change_rate(&mut self, milli_rows: u64) {
        self.advance();
        self.then = Instant::now();
        self.ticks_then = self.ticks.get();
        self.milli_rows = milli_rows;
        self.limiter = drained_limiter(milli_rows, &self.ticks);
    }

    /// Rows in a duration at the current rate, rounded down.
    fn rows_in(&self, time: Duration) -> u64 {
        u64::try_from(time.as_nanos() * u128::from(self.milli_rows) / 1_000_000_000_000).unwrap_or(u64::MAX)
    }

    fn ask(&mut self, most: u32, linger: Duration) -> Due {
        if self.paused {
            return Due::Unknown;
        }
        self.advance();
        // Less than `most`, so that what a late timer adds still fits and nothing due stays behind.
        let room = u64::from(most).saturating_sub(self.rows_in(TIMER_SLACK)).max(u64::from(most / 2));
        let wanted = self.rows_in(linger).clamp(1, room.max(1));
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX).min(second_of_rows(self.milli_rows));
        let Some(wanted) = NonZeroU32::new(wanted) else { return Due::Unknown };
        match self.limiter.check_n(wanted) {
            Ok(Ok(after)) => {
                let more = after.remaining_burst_capacity().min(most.saturating_sub(wanted.get()));
                let more = NonZeroU32::new(more).filter(|more| matches!(self.limiter.check_n(*more), Ok(Ok(_))));
                Due::Rows(wanted.get() + more.map_or(0, NonZeroU32::get))
            }
            Ok(Err(not_until)) => {
                let ticks = u128::from(u64::from(not_until.earliest_possible().duration_since(self.ticks.now())));
                // From the base on, so that no fraction of a tick is lost on the way.
                let target = u128::from(self.ticks.get() - self.ticks_then) + ticks;
                let rate = u128::from(self.milli_rows * TICKS_PER_ROW);
                let nanos = (target * 1_000_000_000_000).div_ceil(rate);
                let at = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
                Due::After(at.saturating_sub(self.then.elapsed()))
            }
            // `wanted` is within the limiter's capacity by construction; wait for a change of rate.
            Err(_) => Due::Unknown,
        }
    }
}

/// One second's worth, the most that is made up for; at least one row.
fn second_of_rows(milli_rows: u64) -> u32 {
    u32::try_from(milli_rows.div_ceil(1_000)).unwrap_or(u32::MAX).max(1)
}

/// A limiter with nothing due at the time its clock shows.
fn drained_limiter(milli_rows: u64, ticks: &Ticks) -> Limiter {
    // One above a second's worth: the limiter's tolerance is a row less than its burst.
    let burst = NonZeroU32::MIN.saturating_add(second_of_rows(milli_rows));
    let period = Duration::from_nanos(TICKS_PER_ROW);
    let quota = Quota::with_period(period).map(|quota| quota.allow_burst(burst));
    let quota = quota.unwrap_or_else(|| Quota::per_second(burst));
    let limiter = RateLimiter::direct_with_clock(quota, ticks.clone()).with_middleware::<StateInformationMiddleware>();
    // A new limiter grants its whole burst at once; that is not wanted here.
    let _ = limiter.check_n(burst);
    limiter
}

// === impl Ticks ===

impl Ticks {
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, ticks: u64) {
        self.0.store(ticks, Ordering::Relaxed);
    }
}

impl Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.get())
    }
}

#[cfg(test)]
mod tests;
