//! Rows are made while those before them are used, some batches ahead: neither side waits for the other's slow moments.

use std::collections::VecDeque;

use futures::stream::{self, FuturesUnordered};
use futures::{Stream, StreamExt, TryStreamExt};
use tokio::sync::mpsc::{Sender, channel};

/// Batches that may be ready at one time, beside the one that is made and the one that is used.
pub(crate) const BATCHES_AHEAD: usize = 2;

/// Sends what `items` gives, to its end or as long as somebody takes it. Poll it together with the one who takes.
///
/// # Errors
/// What the stream says.
pub(crate) async fn forward<T, E>(mut items: impl Stream<Item = Result<T, E>> + Unpin, to: Sender<T>) -> Result<(), E> {
    while let Some(item) = items.try_next().await? {
        if to.send(item).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// The items of these streams, one stream after the other, while the next ones of `at_once` already work.
pub(crate) fn in_turn<T, E, S>(streams: Vec<S>, at_once: usize) -> impl Stream<Item = Result<T, E>>
where
    S: Stream<Item = Result<T, E>> + Unpin,
{
    let state = (streams.into_iter(), FuturesUnordered::new(), VecDeque::new());
    stream::try_unfold(state, move |(mut waiting, mut at_work, mut given)| async move {
        loop {
            for items in waiting.by_ref().take(at_once - given.len()) {
                let (sender, receiver) = channel(BATCHES_AHEAD);
                at_work.push(forward(items, sender));
                given.push_back(receiver);
            }
            let Some(first) = given.front_mut() else { return Ok(None) };
            tokio::select! {
                biased;
                Some(done) = at_work.next() => done?,
                item = first.recv() => match item {
                    Some(item) => return Ok(Some((item, (waiting, at_work, given)))),
                    None => drop(given.pop_front()),
                },
            }
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn streams_in_turn_keep_their_order_and_only_so_many_work() {
        for at_once in 1..5 {
            let begun = Mutex::new(0);
            let numbers = |stream: usize| {
                let begun = &begun;
                let begin = move || *begun.lock().unwrap() += 1;
                let items = stream::iter((0..7).map(move |item| {
                    if item == 0 {
                        begin();
                    }
                    Ok::<_, ()>((stream, item))
                }));
                items.boxed_local()
            };
            let mut items = Box::pin(in_turn((0..9).map(numbers).collect(), at_once));
            for item in 0..63 {
                assert_eq!(items.try_next().await, Ok(Some((item / 7, item % 7))));
                let most = (item / 7 + at_once).min(9);
                assert!(*begun.lock().unwrap() <= most, "{at_once}: {begun:?} of {most}");
            }
            assert_eq!(items.try_next().await, Ok(None));
            assert_eq!(*begun.lock().unwrap(), 9);
        }
    }

    #[tokio::test]
    async fn a_failure_ends_what_is_in_turn() {
        let streams = [vec![Ok(1)], vec![Ok(2), Err("lost")], vec![Ok(3)]].map(stream::iter);
        let mut items = Box::pin(in_turn(streams.into(), 2));
        let end = loop {
            match items.try_next().await {
                Ok(Some(item)) => assert!(item < 3),
                end => break end,
            }
        };
        assert_eq!(end, Err("lost"));
    }
}
