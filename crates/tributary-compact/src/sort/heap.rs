//! A binary heap in a slice whose owner compares: neither element is smaller than the one at half its place.

use std::cmp::Ordering;

/// Lets the element at `place` sink to where it belongs; all others are in order.
pub(super) fn sift_down<T>(heap: &mut [T], mut place: usize, compare: impl Fn(&T, &T) -> Ordering) {
    let smaller = |heap: &[T], a: usize, b: usize| compare(&heap[a], &heap[b]) == Ordering::Less;
    loop {
        let children = [2 * place + 1, 2 * place + 2].into_iter().filter(|child| *child < heap.len());
        let Some(child) = children.reduce(|a, b| if smaller(heap, b, a) { b } else { a }) else { return };
        if !smaller(heap, child, place) {
            return;
        }
        heap.swap(child, place);
        place = child;
    }
}
