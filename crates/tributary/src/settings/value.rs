//! The kinds of value a setting can have: text in, typed out, and back for show.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use paimon_format::options::{MemorySize, parse_duration};
use tracing_subscriber::EnvFilter;
use tributary_http::BearerToken;
use tributary_job::Zone;
use tributary_statement::MASK;

/// A kind of value.
pub(crate) trait SettingValue: Sized {
    /// The kind's name in the reference.
    const KIND: &'static str;
    /// Whether the text must never be shown.
    const SECRET: bool = false;

    /// The error says what is wrong and what to write instead.
    fn parse(text: &str) -> Result<Self, String>;

    /// The value in force, as it may be printed.
    fn show(&self) -> String;
}

/// A number of bytes, more than zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByteSize(pub(crate) u64);

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Auto,
    Text,
    Json,
}

/// Which log lines are written, in the directives of tracing-subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFilter(pub(crate) String);

/// A time zone and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimeZone {
    text: String,
    /// `None` is the zone of the process.
    named: Option<Zone>,
}

impl SettingValue for Duration {
    const KIND: &'static str = "duration";

    fn parse(text: &str) -> Result<Self, String> {
        match parse_duration(text) {
            Ok(duration) if duration > Self::ZERO => Ok(duration),
            _ => Err("not a duration above zero; write a number and a unit, such as 10 s or 1 min".to_owned()),
        }
    }

    fn show(&self) -> String {
        const DAY: u64 = 86_400;
        match (self.as_secs(), self.subsec_millis()) {
            (seconds, 0) if seconds.is_multiple_of(DAY) => format!("{} d", seconds / DAY),
            (seconds, 0) => format!("{seconds} s"),
            _ => format!("{} ms", self.as_millis()),
        }
    }
}

impl SettingValue for ByteSize {
    const KIND: &'static str = "size";

    fn parse(text: &str) -> Result<Self, String> {
        match MemorySize::parse(text) {
            Ok(size) if size.bytes() > 0 => Ok(Self(size.bytes())),
            _ => Err("not a size above zero; write a number and a unit, such as 256 mb or 1 gb".to_owned()),
        }
    }

    fn show(&self) -> String {
        [("gb", 30), ("mb", 20), ("kb", 10)]
            .into_iter()
            .find(|(_, shift)| self.0.trailing_zeros() >= *shift)
            .map_or_else(|| format!("{} bytes", self.0), |(unit, shift)| format!("{} {unit}", self.0 >> shift))
    }
}

impl SettingValue for bool {
    const KIND: &'static str = "boolean";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "write true or false".to_owned())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl SettingValue for Option<NonZeroUsize> {
    const KIND: &'static str = "number or auto";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(None),
            _ => text.parse().map(Some).map_err(|_| "write auto or a whole number from 1 up".to_owned()),
        }
    }

    fn show(&self) -> String {
        self.map_or_else(|| "auto".to_owned(), |number| number.to_string())
    }
}

impl SettingValue for NonZeroUsize {
    const KIND: &'static str = "number";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "write a whole number from 1 up".to_owned())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl SettingValue for SocketAddr {
    const KIND: &'static str = "address";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|_| "not an address; write an IP and a port, such as 127.0.0.1:9249 (port 0 picks one)".to_owned())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// Empty is unset, so that an environment can switch a file's value off.
impl SettingValue for Option<BearerToken> {
    const KIND: &'static str = "secret";
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "" => Ok(None),
            _ => BearerToken::try_new(text).map(Some).map_err(str::to_owned),
        }
    }

    fn show(&self) -> String {
        if self.is_some() { MASK.to_owned() } else { String::new() }
    }
}

impl SettingValue for Option<PathBuf> {
    const KIND: &'static str = "path";

    fn parse(text: &str) -> Result<Self, String> {
        Ok((!text.is_empty()).then(|| PathBuf::from(text)))
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(String::new, |path| path.display().to_string())
    }
}

impl SettingValue for LogFormat {
    const KIND: &'static str = "auto, text or json";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("write auto, text or json".to_owned()),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Auto => "auto",
            Self::Text => "text",
            Self::Json => "json",
        }
        .to_owned()
    }
}

impl SettingValue for LogFilter {
    const KIND: &'static str = "level or directives";

    fn parse(text: &str) -> Result<Self, String> {
        const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
        let remedy = || "write error, warn, info, debug or trace, or PART=LEVEL separated by commas".to_owned();
        // The parser below takes a bare word for the name of a part: a mistyped level would silence everything.
        if text.split(',').any(|part| !part.contains('=') && !LEVELS.contains(&part.trim())) {
            return Err(remedy());
        }
        EnvFilter::try_new(text).map(|_| Self(text.to_owned())).map_err(|_| remedy())
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

impl SettingValue for TimeZone {
    const KIND: &'static str = "time zone";

    fn parse(text: &str) -> Result<Self, String> {
        let named = match text {
            "local" => None,
            _ => Some(text.parse().map_err(|_| {
                "not a time zone; write local, UTC, an IANA name such as Europe/Berlin, or an offset such as GMT+08:00"
                    .to_owned()
            })?),
        };
        Ok(Self { text: text.to_owned(), named })
    }

    fn show(&self) -> String {
        self.text.clone()
    }
}

impl TimeZone {
    /// The zone itself.
    pub(crate) fn zone(&self) -> Zone {
        self.named.unwrap_or_else(Zone::system)
    }
}
