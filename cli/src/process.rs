//! What the operating system must not do with this process.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// No core dump: it would hold keys, and names in clear. Nor may another process
/// of the same user look into this one's memory.
///
/// Where the system refuses, as some sandboxes do, the ledger is of use all the
/// same; the other of the two mostly works.
pub(crate) fn keep_to_itself() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _refused = setrlimit(Resource::Core, none);
    let _refused = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

#[cfg(test)]
mod tests {
    use rustix::process::{dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn a_process_that_keeps_to_itself_is_not_dumped() {
        let before = dumpable_behavior().unwrap();
        assert_eq!(before, DumpableBehavior::Dumpable);
        keep_to_itself();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        // What the yardsticks read of a process is still there.
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        assert!(status.contains("VmRSS"));
    }
}
