#![allow(clippy::unwrap_used, clippy::panic)]
use proptest::prelude::*;

use super::*;

const LINGER: Duration = Duration::from_millis(50);
const MOST: u32 = 8_192;

fn pacer(rate: u32) -> Pacer {
    Pacer::new(NonZeroU32::new(rate).unwrap())
}

/// What was let through, and when.
struct Log {
    start: Instant,
    rows: u64,
    /// Time since the start, and rows so far.
    marks: Vec<(Duration, u64)>,
}

impl Log {
    fn new() -> Self {
        Self { start: Instant::now(), rows: 0, marks: vec![(Duration::ZERO, 0)] }
    }

    fn add(&mut self, rows: u32) {
        self.rows += u64::from(rows);
        self.marks.push((self.start.elapsed(), self.rows));
    }

    async fn run(&mut self, pacer: &mut Pacer, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let rows = pacer.take(MOST, LINGER).await;
            assert!((1..=MOST).contains(&rows));
            self.add(rows);
        }
    }

    /// Every window of at least `length` from one batch to another holds rate x time, to within one row.
    fn check_windows(&self, rate: f64, length: Duration) {
        for (n, (from, before)) in self.marks.iter().enumerate() {
            let Some((to, after)) = self.marks[n..].iter().find(|(to, _)| *to - *from >= length) else { break };
            let (rows, due) = ((after - before) as f64, rate * (*to - *from).as_secs_f64());
            assert!((rows - due).abs() <= 1.0, "rate {rate}: {rows} rows instead of {due} from {from:?} to {to:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_window_holds_rate_times_time_to_within_a_row() {
    for rate in [1, 3, 7, 15, 19, 100, 333, 997, 20_000, 999_983, 1_500_000] {
        let (mut pacer, mut log) = (pacer(rate), Log::new());
        log.run(&mut pacer, Duration::from_secs(25)).await;
        log.check_windows(rate.into(), Duration::from_secs(10));
        log.check_windows(rate.into(), Duration::from_millis(1));
    }
}

#[tokio::test(start_paused = true)]
async fn an_hour_does_not_drift() {
    for rate in [1, 7, 19, 333] {
        let (mut pacer, mut log) = (pacer(rate), Log::new());
        log.run(&mut pacer, Duration::from_secs(3_600)).await;
        let due = f64::from(rate) * log.start.elapsed().as_secs_f64();
        assert!((log.rows as f64 - due).abs() <= 1.0, "rate {rate}: {} instead of {due}", log.rows);
    }
}

#[tokio::test(start_paused = true)]
async fn at_a_slow_rate_rows_come_one_by_one() {
    let mut pacer = pacer(4);
    for n in 1..=20_u64 {
        let start = Instant::now();
        assert_eq!(pacer.take(MOST, LINGER).await, 1, "row {n}");
        assert_eq!(start.elapsed(), Duration::from_millis(250), "row {n}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_due_at_the_start() {
    for rate in [1, 1_000, 1_000_000] {
        let mut pacer = pacer(rate);
        assert!(tokio::time::timeout(Duration::ZERO, pacer.take(1, Duration::ZERO)).await.is_err(), "rate {rate}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_rate_holds_from_then_on() {
    let (mut pacer, mut log) = (pacer(100), Log::new());
    log.run(&mut pacer, Duration::from_secs(10)).await;
    for (rate, seconds) in [(20_000.0, 15), (0.5, 60), (333.0, 15)] {
        pacer.handle().set(rate).unwrap();
        assert_eq!(pacer.handle().get(), rate);
        let mut log = Log::new();
        log.run(&mut pacer, Duration::from_secs(seconds)).await;
        log.check_windows(rate, Duration::from_secs(10));
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_rate_is_felt_while_waiting() {
    let mut pacer = pacer(1);
    pacer.handle().set(0.001).unwrap();
    let (handle, start) = (pacer.handle(), Instant::now());
    let (rows, ()) = tokio::join!(pacer.take(MOST, LINGER), async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        handle.set(10.0).unwrap();
    });
    assert_eq!((rows, start.elapsed()), (1, Duration::from_millis(5_100)));
}

#[tokio::test(start_paused = true)]
async fn a_pause_stops_rows_and_owes_none() {
    let (mut pacer, mut log) = (pacer(1_000), Log::new());
    log.run(&mut pacer, Duration::from_secs(2)).await;
    let handle = pacer.handle();
    handle.pause();
    assert!(handle.is_paused());
    assert!(tokio::time::timeout(Duration::from_secs(600), pacer.take(MOST, LINGER)).await.is_err());
    handle.resume();
    let mut log = Log::new();
    log.run(&mut pacer, Duration::from_secs(12)).await;
    log.check_windows(1_000.0, Duration::from_secs(10));
    handle.pause();
    let (rows, ()) = tokio::join!(pacer.take(MOST, LINGER), async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        handle.resume();
    });
    assert_eq!(rows, 50);
}

#[tokio::test(start_paused = true)]
async fn a_stall_is_made_up_for_by_one_second_at_most() {
    for (rate, stall_millis, expected) in
        [(1_000, 400, 400), (1_000, 1_000, 1_000), (1_000, 30_000, 1_001), (1, 60_000, 2), (100, 900, 90)]
    {
        let mut pacer = pacer(rate);
        tokio::time::sleep(Duration::from_millis(stall_millis)).await;
        assert_eq!(pacer.take(MOST, LINGER).await, expected, "rate {rate}, {stall_millis} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_wait_takes_nothing() {
    let (mut pacer, mut log) = (pacer(100), Log::new());
    while log.start.elapsed() < Duration::from_secs(20) {
        if let Ok(rows) = tokio::time::timeout(Duration::from_millis(13), pacer.take(MOST, LINGER)).await {
            log.add(rows);
        }
    }
    log.check_windows(100.0, Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn rates_out_of_range_are_refused() {
    let handle = pacer(10).handle();
    for rate in [0.0, -1.0, 0.0001, f64::NAN, f64::INFINITY, MAX_ROWS_PER_SECOND * 2.0] {
        assert!(handle.set(rate).is_err(), "{rate}");
        assert_eq!(handle.get(), 10.0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever the rate and however often it is asked, as long as it is asked within the second.
    #[test]
    fn any_rate_is_kept(rate in 1_u32..3_000_000, busy_micros in 0_u64..2_000) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (mut pacer, mut log) = (pacer(rate), Log::new());
            while log.start.elapsed() < Duration::from_secs(3) {
                log.add(pacer.take(MOST.max(rate / 50), LINGER).await);
                tokio::time::advance(Duration::from_micros(busy_micros)).await;
            }
            log.check_windows(rate.into(), Duration::from_millis(1));
        });
    }
}
