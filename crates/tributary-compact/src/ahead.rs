//! Rows are made while those before them are used, some batches ahead: neither side waits for the other's slow moments.

use futures::{Stream, TryStreamExt};
use tokio::sync::mpsc::Sender;

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
