//! One binary for all end-to-end tests, so that they link once; each topic is a module.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod bad_input;
mod catalog_server;
mod check;
mod clock;
mod compactor;
mod data_tokens;
mod deploy;
mod engines;
mod evolution;
mod house;
mod interop;
mod kill;
mod memory;
mod object_store;
mod operations;
mod oss;
mod rest;
mod simulation;
mod statements;
mod tutorial;
