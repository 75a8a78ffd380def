#![allow(clippy::unwrap_used, clippy::panic)]
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use proptest::prelude::*;

use super::*;

const LIMIT: usize = 100;

#[derive(Clone, Debug)]
enum Op {
    Send(usize),
    Abandon(usize),
    Receive,
}

fn op() -> impl Strategy<Value = Op> {
    let weight = prop_oneof![8 => 0..=LIMIT, 1 => LIMIT + 1..3 * LIMIT];
    prop_oneof![4 => weight.prop_map(Op::Send), 1 => (0..4_usize).prop_map(Op::Abandon), 3 => Just(Op::Receive)]
}

type Sending = Pin<Box<dyn Future<Output = Result<(), Closed<usize>>> + Send>>;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn items_arrive_in_order_within_the_limit(ops in proptest::collection::vec(op(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (sender, mut receiver) = bounded::<usize>(LIMIT);
            let mut queued: VecDeque<(usize, usize)> = VecDeque::new();
            let mut waiting: VecDeque<(usize, usize, Sending)> = VecDeque::new();
            for (id, op) in ops.into_iter().enumerate() {
                match op {
                    Op::Send(weight) => {
                        let sender = sender.clone();
                        waiting.push_back((id, weight.max(1), Box::pin(async move { sender.send(id, weight).await })));
                    }
                    Op::Abandon(at) => drop(waiting.remove(at)),
                    Op::Receive => {
                        let mut receiving = Box::pin(receiver.recv());
                        let got = match futures::poll!(&mut receiving) {
                            Poll::Ready(item) => item,
                            Poll::Pending => None,
                        };
                        drop(receiving);
                        prop_assert_eq!(got, queued.pop_front().map(|(id, _)| id));
                    }
                }
                let mut still = VecDeque::new();
                for (id, weight, mut sending) in waiting.drain(..) {
                    let used: usize = queued.iter().map(|(_, weight)| weight).sum();
                    let fits = still.is_empty() && (used == 0 || used + weight <= LIMIT);
                    match futures::poll!(&mut sending) {
                        Poll::Ready(sent) => {
                            prop_assert_eq!((sent, fits), (Ok(()), true));
                            queued.push_back((id, weight));
                        }
                        Poll::Pending => {
                            prop_assert!(!fits);
                            still.push_back((id, weight, sending));
                        }
                    }
                }
                waiting = still;
                let used: usize = queued.iter().map(|(_, weight)| weight).sum();
                prop_assert!(used <= LIMIT || queued.len() == 1);
                prop_assert_eq!((sender.queued_bytes(), receiver.queued_bytes()), (used, used));
                prop_assert!((0.0..=1.0).contains(&sender.fill()));
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_waiting_sender_learns_that_the_receiver_left() {
    let (sender, receiver) = bounded(10);
    sender.send("first", 10).await.unwrap();
    let mut second = Box::pin(sender.send("second", 1));
    assert!(futures::poll!(&mut second).is_pending());
    drop(receiver);
    assert_eq!(second.await, Err(Closed("second")));
    assert_eq!(sender.send("third", 1).await, Err(Closed("third")));
    sender.closed().await;
}

#[tokio::test]
async fn what_was_sent_is_received_after_the_senders_left() {
    let (sender, mut receiver) = bounded(10);
    sender.send(1, 4).await.unwrap();
    sender.clone().send(2, 6).await.unwrap();
    drop(sender);
    assert_eq!((receiver.recv().await, receiver.recv().await, receiver.recv().await), (Some(1), Some(2), None));
}
