//! Runs a target on input after input until its time is up.
//!
//! Case n of seed s is the same input on every machine. One target runs at a time: what is allocated is measured for the
//! whole process.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::MEMORY;
use crate::mutate::Random;

/// Seconds for all targets together, unless `TRIBUTARY_FUZZ_SECONDS` says otherwise.
const SECONDS: f64 = 18.0;
/// One input may take this long; it takes less than a millisecond unless the work grows out of proportion.
const LONGEST: Duration = Duration::from_secs(5);

/// What is tried.
pub(crate) struct Target {
    /// Inputs to start from.
    pub(crate) golden: fn() -> Vec<Vec<u8>>,
    /// An input made of them.
    pub(crate) mutate: fn(&mut Random, &[Vec<u8>]) -> Vec<u8>,
    /// Reads the input; panics where what was read does not hold.
    pub(crate) run: fn(&[u8]),
    /// Bytes that may be allocated at once whatever the input is.
    pub(crate) fixed_bytes: usize,
    /// And for each byte of it.
    pub(crate) per_byte: usize,
}

/// Spends this target's share of the time.
pub(crate) fn fuzz(name: &str, target: &Target) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut known = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzzing/corpus").join(name));
    for (path, input) in &known {
        judge(target, input).unwrap_or_else(|what| panic!("{}: {what}", path.display()));
    }
    let mut golden = (target.golden)();
    assert!(!golden.is_empty(), "{name} has no golden input");
    for (at, input) in golden.iter().enumerate() {
        judge(target, input).unwrap_or_else(|what| panic!("golden input {at} of {name}: {what}"));
    }
    golden.extend(known.drain(..).map(|(_, input)| input));

    let seed = variable("TRIBUTARY_FUZZ_SEED")
        .unwrap_or_else(|| SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64);
    let first = variable("TRIBUTARY_FUZZ_CASE");
    let seconds = std::env::var("TRIBUTARY_FUZZ_SECONDS").map_or(SECONDS, |text| text.parse().unwrap());
    let share = Duration::from_secs_f64(seconds / sharers() as f64);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzzing").join(name);
    fs::create_dir_all(&folder).unwrap();
    // What a crash of the process leaves behind: which case it was.
    let last_words = File::create(folder.join("last-case")).unwrap();
    let begin = Instant::now();
    let mut case = first.unwrap_or(0);
    loop {
        let repeat = format!(
            "TRIBUTARY_FUZZ_SEED={seed} TRIBUTARY_FUZZ_CASE={case} cargo test -p tributary-tests --test fuzzing {name}\n"
        );
        last_words.write_all_at(repeat.as_bytes(), 0).unwrap();
        let mut hasher = DefaultHasher::new();
        (name, seed, case).hash(&mut hasher);
        let input = (target.mutate)(&mut Random::new(hasher.finish()), &golden);
        if let Err(what) = judge(target, &input) {
            let file = folder.join(format!("{:016x}", hasher.finish()));
            fs::write(&file, &input).unwrap();
            panic!(
                "{name}: {what}\nrepeat it: {repeat}the input: {}\nonce mended, keep it in tests/fuzzing/corpus/{name}/",
                file.display()
            );
        }
        case += 1;
        if first.is_some() || begin.elapsed() >= share {
            break;
        }
    }
    eprintln!("{name}: {case} cases of seed {seed} in {:.1} s", begin.elapsed().as_secs_f64());
}

/// How many targets the command line asks for.
fn sharers() -> usize {
    let filters: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let asked = |target: &&&str| filters.is_empty() || filters.iter().any(|filter| target.contains(filter.as_str()));
    crate::TARGETS.iter().filter(asked).count().max(1)
}

/// Runs one input; says what is wrong with how it was taken.
fn judge(target: &Target, input: &[u8]) -> Result<(), String> {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let begin = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let (allocated, taken) = (MEMORY.peak_usage().saturating_sub(before), begin.elapsed());
    let justified = target.fixed_bytes + target.per_byte * input.len();
    if outcome.is_err() {
        return Err(format!("panicked at {} bytes; the message is above", input.len()));
    }
    if allocated > justified {
        return Err(format!("{allocated} bytes allocated for an input of {}, {justified} are justified", input.len()));
    }
    if taken > LONGEST {
        return Err(format!("{taken:?} for an input of {} bytes", input.len()));
    }
    Ok(())
}

/// The files of a folder, by name; none where it does not exist.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// The golden files below the checkout whose paths `wanted` accepts; small ones, for speed.
pub(crate) fn golden_files(wanted: impl Fn(&str) -> bool) -> Vec<Vec<u8>> {
    const LARGEST: u64 = 64 << 10;
    let mut found = Vec::new();
    let mut folders =
        ["tests/golden", "crates/paimon-format/tests/golden"].map(|of| tributary_tests::root().join(of)).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false if entry.metadata().unwrap().len() <= LARGEST && wanted(&entry.path().to_string_lossy()) => {
                    found.push(entry.path());
                }
                false => {}
            }
        }
    }
    found.sort();
    found.into_iter().map(|path| fs::read(path).unwrap()).collect()
}
