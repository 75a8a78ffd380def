//! The engines users have, on our tables: what they read, what their filters find, what we read of theirs.

mod expressions;
