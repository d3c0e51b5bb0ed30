//! Threads of their own for what comes in bulk: to read and convert a message of
//! thousands of commands takes long, and single requests must not wait behind it.

use std::{future::Future, io, thread::available_parallelism};

use tokio::runtime::{Builder, Runtime};

/// The threads; they end with this.
#[derive(Debug)]
pub(crate) struct Bulk(Option<Runtime>);

/// Where tasks are started on them.
#[derive(Clone, Debug)]
pub(crate) struct Handle(tokio::runtime::Handle);

impl Bulk {
    pub(crate) fn start() -> io::Result<(Self, Handle)> {
        // Half of what there is: the rest is for everybody else.
        let threads = available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("luzhang-bulk")
            .on_thread_start(give_way)
            .enable_time()
            .build()?;
        let handle = Handle(runtime.handle().clone());
        Ok((Self(Some(runtime)), handle))
    }
}

impl Drop for Bulk {
    fn drop(&mut self) {
        // This may happen on a thread that must not wait.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Handle {
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.0.spawn(task));
    }
}

/// How much less these threads matter than others, as `nice` says it.
const NICE: i32 = 10;

/// Where there is too little of the processor for all, others go first.
pub(crate) fn give_way() {
    // Where that is not possible, they are as important as others.
    let _as_before = rustix::process::setpriority_process(None, NICE);
}
