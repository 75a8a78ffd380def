//! A job: all pipelines of one process, run to their end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tributary_runtime::{Drain, Env, MemoryBudget, Supervisor, TaskFailure};
use tributary_sink::SinkMetrics;

use crate::error::JobError;
use crate::handle::{JobHandle, Shared};
use crate::pipeline::{PipelinePlan, Surroundings};

/// What a job needs besides its plans.
pub struct JobSetup {
    /// Clock, randomness, executor.
    pub env: Env,
    /// The process's drain.
    pub drain: Drain,
    /// How long the others may take to commit when one pipeline fails.
    pub drain_deadline: Duration,
    /// `memory.limit` in bytes, shared equally among the pipelines.
    pub memory_bytes: usize,
    /// The process's sink metrics.
    pub metrics: SinkMetrics,
}

/// Pipelines that are ready to run.
pub struct Job {
    pipelines: Vec<(PipelinePlan, Arc<Shared>)>,
    setup: JobSetup,
    handle: JobHandle,
}

const SAMPLE_EVERY: Duration = Duration::from_secs(1);

// === impl Job ===

impl Job {
    /// Nothing runs yet.
    pub fn new(plans: Vec<PipelinePlan>, setup: JobSetup) -> Self {
        let pipelines: Vec<_> = plans
            .into_iter()
            .map(|plan| {
                let shared = Arc::new(Shared::new(plan.id.clone(), plan.table.clone()));
                (plan, shared)
            })
            .collect();
        let handle = JobHandle::new(pipelines.iter().map(|(_, shared)| Arc::clone(shared)).collect());
        Self { pipelines, setup, handle }
    }

    /// For the status page and the admin verbs; may be asked before and after the run.
    pub fn handle(&self) -> JobHandle {
        self.handle.clone()
    }

    /// Runs every pipeline until its source ends or a drain is over. When one fails, the others are drained: what
    /// they have read is committed.
    ///
    /// # Errors
    /// The first failure in time.
    pub async fn run(self) -> Result<(), JobError> {
        let Self { pipelines, setup, handle } = self;
        let share = setup.memory_bytes / pipelines.len().max(1);
        let mut tasks = Supervisor::<JobError>::new();
        let (failed, mut failures) = mpsc::channel(pipelines.len().max(1));
        for (plan, shared) in pipelines {
            let around = Surroundings {
                env: setup.env.clone(),
                drain: setup.drain.clone(),
                metrics: setup.metrics.clone(),
                budget: MemoryBudget::new(share),
            };
            let (failed, deadline) = (failed.clone(), setup.drain_deadline);
            tasks.spawn(format!("pipeline {}", plan.id), async move {
                let outcome = plan.run(&around, &shared).await;
                shared.ended(&outcome);
                if let Err(source) = outcome {
                    tracing::error!(pipeline = %plan.id, error = %source, "pipeline stopped");
                    // A second request would be a hard stop.
                    if !around.drain.is_requested() {
                        around.drain.request(deadline);
                    }
                    // One place each, so there is room.
                    let _ = failed.try_send(JobError::Pipeline { pipeline: plan.id.clone(), source: Box::new(source) });
                } else {
                    tracing::info!(pipeline = %plan.id, rows = shared.rows_committed(), "pipeline is done");
                }
                Ok(())
            });
        }
        drop(failed);
        let sampled = async {
            loop {
                handle.sample();
                tokio::time::sleep(SAMPLE_EVERY).await;
            }
        };
        tokio::select! {
            biased;
            ended = tasks.join() => match ended {
                Ok(()) => {}
                Err(TaskFailure::Failed { error, .. }) => return Err(error),
                Err(TaskFailure::Panicked { task, panic }) => return Err(JobError::Panicked { task, source: panic }),
            },
            () = sampled => {}
        }
        failures.try_recv().map_or(Ok(()), Err)
    }
}
