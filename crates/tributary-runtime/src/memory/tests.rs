#![allow(clippy::unwrap_used, clippy::panic)]
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

const LIMIT: usize = 100;

#[derive(Clone, Debug)]
enum Op {
    Ask(usize),
    Leave(usize),
    Release(usize),
    TryNow(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let bytes = prop_oneof![8 => 0..=LIMIT, 1 => LIMIT + 1..3 * LIMIT];
    prop_oneof![
        4 => bytes.clone().prop_map(Op::Ask),
        1 => (0..8_usize).prop_map(Op::Leave),
        3 => (0..8_usize).prop_map(Op::Release),
        1 => bytes.prop_map(Op::TryNow),
    ]
}

type Asking = Pin<Box<dyn Future<Output = Reservation> + Send>>;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// The budget against its description: a line in which the front is served as soon as it fits.
    #[test]
    fn grants_in_order_and_never_above_the_limit(ops in proptest::collection::vec(op(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let budget = MemoryBudget::new(LIMIT);
            let mut line: VecDeque<(usize, Asking)> = VecDeque::new();
            let mut held: Vec<Reservation> = Vec::new();
            for op in ops {
                match op {
                    Op::Ask(bytes) => {
                        let budget = budget.clone();
                        let mut asking: Asking = Box::pin(async move { budget.reserve(bytes).await });
                        match futures::poll!(&mut asking) {
                            Poll::Ready(reservation) => {
                                prop_assert!(line.is_empty(), "overtook the line");
                                held.push(reservation);
                            }
                            Poll::Pending => line.push_back((bytes, asking)),
                        }
                    }
                    Op::Leave(at) => drop(line.remove(at)),
                    Op::Release(at) => {
                        if at < held.len() {
                            drop(held.swap_remove(at));
                        }
                    }
                    Op::TryNow(bytes) => {
                        if let Some(reservation) = budget.try_reserve(bytes) {
                            prop_assert!(line.is_empty(), "overtook the line");
                            held.push(reservation);
                        }
                    }
                }
                let mut used: usize = held.iter().map(Reservation::bytes).sum();
                while let Some((bytes, mut asking)) = line.pop_front() {
                    let fits = used == 0 || used + bytes <= LIMIT;
                    match futures::poll!(&mut asking) {
                        Poll::Ready(reservation) => {
                            prop_assert!(fits, "granted {bytes} beside {used}");
                            used += reservation.bytes();
                            held.push(reservation);
                        }
                        Poll::Pending => {
                            prop_assert!(!fits, "left {bytes} waiting beside {used}");
                            line.push_front((bytes, asking));
                            break;
                        }
                    }
                }
                prop_assert_eq!(budget.used(), used);
                let oversized = held.iter().filter(|one| one.bytes() > 0).count() == 1;
                prop_assert!(used <= LIMIT || oversized, "{used} bytes in {} reservations", held.len());
            }
            drop((line, held));
            prop_assert_eq!(budget.used(), 0);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn resize_keeps_the_account_and_lets_the_next_one_in() {
    let budget = MemoryBudget::new(LIMIT);
    let mut first = budget.reserve(50).await;
    first.resize(120);
    assert_eq!((budget.used(), budget.fraction()), (120, 1.2));
    let mut second = Box::pin(budget.reserve(60));
    assert!(futures::poll!(&mut second).is_pending());
    first.resize(40);
    let second = second.await;
    assert_eq!((second.bytes(), first.bytes(), budget.used()), (60, 40, 100));
}

/// Every wake-up of every thread must arrive, or the test hangs into its time-out.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_wake_up_is_lost_between_threads() {
    let budget = MemoryBudget::new(LIMIT);
    let mut group = crate::Supervisor::<std::convert::Infallible>::new();
    for task in 0..16_usize {
        let budget = budget.clone();
        group.spawn(format!("holder {task}"), async move {
            for round in 0..300_usize {
                let bytes = (task * 31 + round * 17) % 120;
                // Every third attempt is given up as soon as it has to wait.
                let mut asking = Box::pin(budget.reserve(bytes));
                let attempt = futures::poll!(&mut asking);
                match attempt {
                    Poll::Ready(reservation) => drop(reservation),
                    Poll::Pending if round % 3 == 0 => drop(asking),
                    Poll::Pending => drop(asking.await),
                }
                tokio::task::yield_now().await;
            }
            Ok(())
        });
    }
    tokio::time::timeout(Duration::from_secs(20), group.join()).await.unwrap().unwrap();
    assert_eq!(budget.used(), 0);
}
