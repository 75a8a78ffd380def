#![allow(clippy::unwrap_used)]

use chrono::DateTime;
use chrono_tz::Tz;

use super::super::cron::CronZone;
use super::*;

const START: &str = "2026-01-10T12:10:00Z";

fn millis(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
}

/// So many seconds after the start, by both clocks.
fn second(seconds: u64) -> Now {
    let wall = millis(START) + i64::try_from(seconds).unwrap() * 1000;
    Now { wall_millis: wall, elapsed: Duration::from_secs(seconds) }
}

fn every(seconds: u64) -> Trigger {
    Trigger::Every(Duration::from_secs(seconds))
}

fn cron(pattern: &str) -> Trigger {
    Trigger::Cron(CronSchedule::try_new(pattern, CronZone::Region(Tz::Europe__Berlin)).unwrap())
}

fn entry(table: &str, trigger: Trigger, last: Option<(i64, i64)>) -> Entry {
    let course = Course::resume(&trigger, last, second(0));
    Entry { table: TableName::new(table), trigger, course, running: false }
}

fn picked(entries: &[Entry], busy: &[&str], free: usize, now: Now) -> Pick {
    pick(entries, &busy.iter().map(|name| TableName::new(*name)).collect(), free, now)
}

fn wake(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

#[test]
fn a_start_answers_what_the_last_run_did_not() {
    let ago = |seconds: i64| millis(START) - seconds * 1000;
    for (what, trigger, last, starts, wakes) in [
        ("an interval without a past begins at once", every(60), None, true, None),
        ("an interval that is over begins at once", every(60), Some((ago(200), ago(100))), true, None),
        ("an interval goes on", every(60), Some((ago(70), ago(20))), false, wake(40)),
        ("an end in the future counts as now", every(30), Some((ago(0), ago(-9_999))), false, wake(30)),
        ("a pattern without a past waits for its tick", cron("11 * * * *"), None, false, wake(60)),
        ("one tick was missed", cron("0 * * * *"), Some((ago(3_600), ago(3_500))), true, None),
        ("a hundred ticks were missed", cron("* * * * *"), Some((ago(6_000), ago(6_000))), true, None),
        ("the tick was answered", cron("0 * * * *"), Some((ago(600), ago(500))), false, wake(60)),
        ("the clock was a year ahead", cron("11 * * * *"), Some((ago(-31_536_000), ago(-31_536_000))), false, wake(60)),
    ] {
        let pick = picked(&[entry("t", trigger, last)], &[], 1, second(0));
        assert_eq!((pick.start.len() == 1, pick.wake), (starts, wakes), "{what}");
    }
}

#[test]
fn missed_ticks_are_one_run() {
    let mut minute = entry("t", cron("* * * * *"), None);
    // Due at 12:11, ends at 12:21: ten ticks later.
    assert_eq!(picked(std::slice::from_ref(&minute), &[], 1, second(60)).start, [0]);
    minute.course.ended(&minute.trigger, second(60), second(660), Ending::Well);
    assert_eq!(picked(std::slice::from_ref(&minute), &[], 1, second(660)).start, [0]);
    minute.course.ended(&minute.trigger, second(660), second(665), Ending::Well);
    assert_eq!(picked(std::slice::from_ref(&minute), &[], 1, second(665)), Pick { wake: wake(55), ..Pick::default() });
}

#[test]
fn an_interval_starts_at_the_end_of_a_run() {
    let mut interval = entry("t", every(10), None);
    interval.course.ended(&interval.trigger, second(0), second(100), Ending::Well);
    assert_eq!(picked(std::slice::from_ref(&interval), &[], 1, second(100)).wake, wake(10));
    // Nobody who sets the wall clock changes that.
    let set = Now { wall_millis: 0, elapsed: Duration::from_secs(109) };
    assert_eq!(picked(std::slice::from_ref(&interval), &[], 1, set).wake, wake(1));
    assert_eq!(picked(&[interval], &[], 1, second(110)).start, [0]);
}

#[test]
fn a_table_has_one_run_and_the_longest_due_is_first() {
    let late = |table: &str, seconds: u64| {
        let mut entry = entry(table, every(10), None);
        entry.course.next = Duration::from_secs(100 - seconds);
        entry
    };
    let at_work = Entry { running: true, ..late("d", 99) };
    let entries = [late("a", 1), late("a", 5), late("b", 3), late("c", 9), at_work];
    for (busy, free, start, waiting) in [
        (&[][..], 9, vec![3, 1, 2], 1),
        (&[][..], 2, vec![3, 1], 2),
        (&["a"][..], 9, vec![3, 2], 2),
        (&["a", "b", "c"][..], 9, vec![], 4),
        (&[][..], 0, vec![], 4),
    ] {
        let pick = picked(&entries, busy, free, second(100));
        assert_eq!((pick.start, pick.waiting, pick.wake), (start, waiting, None), "{busy:?} {free}");
    }
}

#[test]
fn a_failure_waits_and_only_one_that_goes_away_comes_before_its_time() {
    for (trigger, wait, again, wakes) in [
        (every(10), 40, true, 40),
        (every(10), 40, false, 40),
        (every(50), 5, true, 5),
        (every(50), 5, false, 50),
        (cron("0 * * * *"), 5, true, 5),
        (cron("11 * * * *"), 5, false, 50),
        (cron("11 * * * *"), 55, false, 55),
    ] {
        let mut entry = entry("t", trigger, None);
        let ending = Ending::Failed { wait: Duration::from_secs(wait), again };
        entry.course.ended(&entry.trigger, second(0), second(10), ending);
        assert_eq!(entry.course.failures, 1);
        let pick = picked(std::slice::from_ref(&entry), &[], 1, second(10));
        assert_eq!((pick.start.as_slice(), pick.wake), (&[][..], wake(wakes)), "{:?} {wait} {again}", entry.trigger);
        let pick = picked(std::slice::from_ref(&entry), &[], 1, second(10 + wakes));
        assert_eq!(pick.start, [0], "{:?} {wait} {again}", entry.trigger);
        entry.course.ended(&entry.trigger, second(60), second(60), Ending::Well);
        assert_eq!((entry.course.failures, entry.course.again), (0, false));
    }
}

#[test]
fn nobody_sleeps_longer_than_a_minute_beside_a_wall_clock() {
    let nightly = [entry("t", cron("30 3 * * *"), None)];
    assert_eq!(picked(&nightly, &[], 1, second(0)).wake, wake(60));
    assert_eq!(picked(&[entry("t", cron("0 0 30 2 *"), None)], &[], 1, second(0)), Pick::default());
    assert_eq!(picked(&[], &[], 1, second(0)), Pick::default());
}

#[test]
fn a_clock_that_is_set_back_is_followed_and_one_that_is_corrected_answers_no_tick_twice() {
    for (back_seconds, starts) in [(2, false), (7_200, true)] {
        let mut minute = entry("t", cron("* * * * *"), None);
        minute.course.ended(&minute.trigger, second(60), second(60), Ending::Well);
        let now =
            |seconds: i64| Now { wall_millis: millis(START) + (60 - back_seconds + seconds) * 1000, ..second(60) };
        minute.course.follow(now(0).wall_millis);
        assert!(picked(std::slice::from_ref(&minute), &[], 1, now(0)).start.is_empty());
        // The tick of 12:11 again, or the next one two hours earlier.
        let again = if back_seconds == 2 { now(2) } else { now(60) };
        assert_eq!(!picked(std::slice::from_ref(&minute), &[], 1, again).start.is_empty(), starts, "{back_seconds}");
    }
}

/// 29 March in Berlin: 02:30 does not exist; 25 October: it comes twice.
#[test]
fn a_nightly_run_comes_once_on_the_days_of_23_and_25_hours() {
    for (from, ticks) in [("2026-03-28T12:00:00Z", 3), ("2026-10-24T12:00:00Z", 3)] {
        let start = millis(from);
        let now = |minutes: i64| Now {
            wall_millis: start + minutes * 60_000,
            elapsed: Duration::from_secs(u64::try_from(minutes).unwrap() * 60),
        };
        let trigger = cron("30 2 * * *");
        let mut entry = Entry { course: Course::resume(&trigger, None, now(0)), ..self::entry("t", trigger, None) };
        let mut runs = 0;
        for minute in 0..3 * 24 * 60 {
            if !picked(std::slice::from_ref(&entry), &[], 1, now(minute)).start.is_empty() {
                runs += 1;
                entry.course.ended(&entry.trigger, now(minute), now(minute), Ending::Well);
            }
        }
        assert_eq!(runs, ticks, "{from}");
    }
}
