//! The history on disk: a line of JSON for the start of a run and one for its end, the last word on a run counts.
//!
//! A line is synced before the run goes on. A torn last line, as a crash or a full disk leaves it, is dropped at the next
//! start. When most lines are history the file is written anew beside itself and renamed. A second file, locked, keeps a
//! second worker away.
//!
//! A newer version may have written what this one does not know: an action, a state. Such a line is kept as it is, for when
//! that version comes back, and its run is not shown meanwhile. A field that is not known is dropped.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tracing::warn;
use tributary_runtime::{Classify, FailureKind};

use super::record::{RunId, RunRecord};

/// Lines beyond twice the runs that are kept before the file is written anew.
const SLACK: usize = 200;

/// An open history.
#[derive(Debug)]
pub(super) struct HistoryFile {
    path: PathBuf,
    file: File,
    lines: usize,
    /// The end of the file is not known to be the end of a line.
    torn: bool,
    /// Lines of a newer version.
    foreign: BTreeMap<RunId, String>,
    /// Held as long as the history is open.
    _lock: File,
}

/// What a file holds.
#[derive(Debug, Default, PartialEq)]
pub struct Written {
    /// In the order they were written.
    pub runs: Vec<RunRecord>,
    /// The newest run of all, known or not.
    pub newest: Option<RunId>,
}

/// The history cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The system refused.
    #[error("cannot open the history {}: {source}; correct compactor.history or the folder's permissions", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another worker has it open.
    #[error("another compactor keeps its history in {}; give each one its own with compactor.history", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A line is no run of any version, and it is not the last one.
    #[error("{}:{line} is no run of a compactor: {why}; move the file away to begin a new history", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

// === impl HistoryFile ===

impl HistoryFile {
    /// Opens or creates it, and reads what it holds, in the order it was written.
    pub(super) fn open(path: &Path) -> Result<(Self, Written), HistoryError> {
        let io = |source| HistoryError::Io { path: path.to_owned(), source };
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).open(beside(path, "lock")).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(HistoryError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(io)?;
        let bytes = std::fs::read(path).map_err(io)?;
        let parsed = parse(&bytes).map_err(|(line, why)| HistoryError::Corrupt { path: path.to_owned(), line, why })?;
        let Parsed { runs, foreign, torn } = parsed;
        if !foreign.is_empty() {
            warn!(
                path = %path.display(), runs = foreign.len(),
                "a newer version has written runs that this one cannot show; they are kept"
            );
        }
        let newest = runs.iter().map(|run| run.id).chain(foreign.keys().copied()).max();
        let file = Self { path: path.to_owned(), file, lines: runs.len(), torn, foreign, _lock: lock };
        Ok((file, Written { runs, newest }))
    }

    /// Adds what is new about a run; `kept` is all that is remembered, this run included.
    pub(super) fn write(
        &mut self,
        run: &RunRecord,
        kept: impl FnOnce() -> Vec<RunRecord>,
        most: usize,
    ) -> io::Result<()> {
        if self.torn || self.lines > 2 * most + SLACK {
            return self.rewrite(&kept());
        }
        self.torn = true;
        self.file.write_all(line(run)?.as_bytes())?;
        self.file.sync_data()?;
        (self.torn, self.lines) = (false, self.lines + 1);
        Ok(())
    }

    fn rewrite(&mut self, kept: &[RunRecord]) -> io::Result<()> {
        let fresh = beside(&self.path, "new");
        let mut text: String = self.foreign.values().map(String::as_str).collect();
        for run in kept {
            text += &line(run)?;
        }
        let mut file = File::create(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, &self.path)?;
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        self.file = OpenOptions::new().append(true).open(&self.path)?;
        (self.torn, self.lines) = (false, kept.len());
        Ok(())
    }
}

fn line(run: &RunRecord) -> io::Result<String> {
    Ok(serde_json::to_string(run)? + "\n")
}

#[derive(Default)]
struct Parsed {
    runs: Vec<RunRecord>,
    /// The last word on a run, where this version does not know it.
    foreign: BTreeMap<RunId, String>,
    /// Whether the last line is torn.
    torn: bool,
}

/// What every version writes of a run.
#[derive(Deserialize)]
struct Foreign {
    id: RunId,
}

fn parse(bytes: &[u8]) -> Result<Parsed, (usize, String)> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let mut parsed = Parsed { torn: whole < bytes.len(), ..Parsed::default() };
    for (index, line) in bytes[..whole].split_inclusive(|byte| *byte == b'\n').enumerate() {
        let why = match serde_json::from_slice::<RunRecord>(line) {
            Ok(run) => {
                parsed.foreign.remove(&run.id);
                parsed.runs.push(run);
                continue;
            }
            Err(why) => why.to_string(),
        };
        match (serde_json::from_slice::<Foreign>(line), str::from_utf8(line)) {
            (Ok(Foreign { id }), Ok(line)) => {
                parsed.runs.retain(|run| run.id != id);
                parsed.foreign.insert(id, line.to_owned());
            }
            _ => return Err((index + 1, why)),
        }
    }
    Ok(parsed)
}

/// `NAME.ENDING` in the same folder.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

impl Classify for HistoryError {
    fn kind(&self) -> FailureKind {
        FailureKind::Usage
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::record::{Cause, Report, RunStatus, TableName};
    use super::super::{ActionKind, Given};
    use super::*;

    fn run(id: u64) -> RunRecord {
        RunRecord {
            id: RunId(id),
            table: TableName::new("db.t"),
            action: ActionKind::RemoveOrphanFiles,
            arguments: Given::from([("older_than".to_owned(), "1 d".to_owned())]),
            cause: Cause::Manual,
            status: RunStatus::Succeeded,
            started_millis: 1,
            ended_millis: Some(2),
            error: None,
            report: Report { details: [("orphan_files".to_owned(), 3.into())].into(), ..Report::default() },
            log: vec!["a\nb".to_owned()],
        }
    }

    #[test]
    fn every_tear_of_the_last_line_loses_that_line_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.jsonl");
        let (mut file, written) = HistoryFile::open(&path).unwrap();
        assert_eq!(written, Written::default());
        for id in 1..=2 {
            file.write(&run(id), || unreachable!(), 10).unwrap();
        }
        drop(file);
        let whole = std::fs::read(&path).unwrap();
        let second = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for length in second..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let (mut file, written) = HistoryFile::open(&path).unwrap();
            assert_eq!(written, Written { runs: vec![run(1)], newest: Some(RunId(1)) }, "{length}");
            file.write(&run(3), || vec![run(1), run(3)], 10).unwrap();
            drop(file);
            assert_eq!(HistoryFile::open(&path).unwrap().1.runs, [run(1), run(3)], "{length}");
        }
    }

    #[test]
    fn it_is_written_anew_when_most_of_it_is_history() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.jsonl");
        let (mut file, _) = HistoryFile::open(&path).unwrap();
        let mut longest = 0;
        for id in 1..1_000 {
            file.write(&run(id), || vec![run(id)], 1).unwrap();
            longest = longest.max(file.lines);
        }
        drop(file);
        assert!(longest <= 2 + SLACK + 1, "{longest}");
        assert_eq!(HistoryFile::open(&path).unwrap().1.runs.last(), Some(&run(999)));
    }

    #[test]
    fn what_a_full_disk_refused_is_written_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.jsonl");
        let (mut file, _) = HistoryFile::open(&path).unwrap();
        file.write(&run(1), Vec::new, 10).unwrap();
        file.file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert_eq!(file.write(&run(2), Vec::new, 10).unwrap_err().kind(), io::ErrorKind::StorageFull);
        file.write(&run(3), || vec![run(1), run(2), run(3)], 10).unwrap();
        file.write(&run(4), Vec::new, 10).unwrap();
        drop(file);
        assert_eq!(HistoryFile::open(&path).unwrap().1.runs, [run(1), run(2), run(3), run(4)]);
    }

    #[test]
    fn a_second_worker_and_a_foreign_file_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.jsonl");
        let first = HistoryFile::open(&path).unwrap();
        let refused = HistoryFile::open(&path).unwrap_err();
        assert!(matches!(refused, HistoryError::InUse { .. }), "{refused}");
        drop(first);
        std::fs::write(&path, "not a run\n").unwrap();
        let refused = HistoryFile::open(&path).unwrap_err().to_string();
        assert!(refused.contains("runs.jsonl:1 is no run"), "{refused}");
        let nowhere = HistoryFile::open(&folder.path().join("no/such/file")).unwrap_err().to_string();
        assert!(nowhere.contains("correct compactor.history"), "{nowhere}");
    }

    #[test]
    fn what_a_newer_version_wrote_is_kept_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.jsonl");
        let (known, line_of) = (run(1), |id| line(&run(id)).unwrap());
        let newer = [
            line_of(7).replace("remove_orphan_files", "rewrite_manifests"),
            line_of(8).replace("\"succeeded\"", "\"timed_out\""),
            line_of(9).replace("\"manual\"", "{\"webhook\":\"x\"}"),
        ];
        let more = line_of(1).replacen('{', "{\"attempt\":{\"number\":2},", 1);
        // The last word on run 8 is one that is not known, that on run 7 one that is.
        let text = [more.as_str(), &line_of(8), &newer.concat(), &line_of(7)].concat();
        std::fs::write(&path, text).unwrap();
        let (mut file, written) = HistoryFile::open(&path).unwrap();
        assert_eq!(written, Written { runs: vec![known.clone(), run(7)], newest: Some(RunId(9)) });
        file.rewrite(std::slice::from_ref(&known)).unwrap();
        drop(file);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), newer[1..].concat() + &line_of(1));
        assert_eq!(HistoryFile::open(&path).unwrap().1, Written { runs: vec![known], newest: Some(RunId(9)) });
    }
}
