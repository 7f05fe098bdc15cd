//! Work spread over threads, answers in the order of the questions.
//!
//! Batch *n* goes to thread *n* mod *t* and its answer is taken from there in the same turn, so
//! order needs no sorting and memory is bounded by a few batches a thread, whatever the length of
//! the input. The answers are the same for any number of threads.

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// How many batches may wait before and after each thread.
const DEPTH: usize = 2;

/// Takes batches from `source` until it gives none, runs `work` on `threads` threads, and gives
/// the answers to `sink` in order. Stops at the first error of `source` or `sink`.
///
/// # Errors
/// The first error of `source` or `sink`; batches read before it are answered first.
pub fn ordered<B, A, E>(
    threads: NonZeroUsize,
    mut source: impl FnMut() -> Result<Option<B>, E> + Send,
    work: impl Fn(B) -> A + Sync,
    mut sink: impl FnMut(A) -> Result<(), E>,
) -> Result<(), E>
where
    B: Send,
    A: Send,
    E: Send,
{
    let work = &work;
    std::thread::scope(|scope| {
        let mut questions: Vec<SyncSender<B>> = Vec::new();
        let mut answers: Vec<Receiver<A>> = Vec::new();
        for _ in 0..threads.get() {
            let (question_in, question_out) = sync_channel::<B>(DEPTH);
            let (answer_in, answer_out) = sync_channel::<A>(DEPTH);
            scope.spawn(move || {
                for batch in question_out {
                    if answer_in.send(work(batch)).is_err() {
                        break;
                    }
                }
            });
            questions.push(question_in);
            answers.push(answer_out);
        }
        let reader = scope.spawn(move || {
            for turn in (0..questions.len()).cycle() {
                match source()? {
                    // A closed channel means that the sink failed; its error is the one to tell.
                    Some(batch) => {
                        if questions[turn].send(batch).is_err() {
                            return Ok(());
                        }
                    }
                    None => return Ok(()),
                }
            }
            Ok(())
        });
        let mut outcome = Ok(());
        for turn in (0..answers.len()).cycle() {
            let Ok(answer) = answers[turn].recv() else { break };
            outcome = sink(answer);
            if outcome.is_err() {
                break;
            }
        }
        // With the receivers gone the threads stop, and with them the reader.
        drop(answers);
        match reader.join() {
            Ok(read) => outcome.and(read),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_order_for_any_number_of_threads() {
        for threads in [1, 2, 3, 8] {
            let mut next = 0;
            let mut out = Vec::new();
            let source = || {
                next += 1;
                Ok::<_, ()>((next <= 100).then_some(next))
            };
            let sink = |a| {
                out.push(a);
                Ok(())
            };
            ordered(NonZeroUsize::new(threads).expect("not zero"), source, |n| n * 2, sink)
                .expect("no errors");
            assert_eq!(out, (1..=100).map(|n| n * 2).collect::<Vec<_>>(), "{threads}");
        }
    }

    #[test]
    fn errors_of_either_end_stop_the_run() {
        let two = NonZeroUsize::new(2).expect("not zero");
        let mut next = 0;
        let mut seen = 0;
        let failing_source = || {
            next += 1;
            if next > 10 { Err("läsfel") } else { Ok(Some(next)) }
        };
        let counted = |_| {
            seen += 1;
            Ok(())
        };
        assert_eq!(ordered(two, failing_source, |n| n, counted), Err("läsfel"));
        assert_eq!(seen, 10);
        assert_eq!(ordered(two, || Ok(Some(1)), |n| n, |_| Err("skrivfel")), Err("skrivfel"));
    }
}
