//! What the daemon says about itself over HTTP: metrics, liveness, readiness, status, runs, admin verbs.
//!
//! The server runs on an OS thread of its own with a single-threaded runtime of its own, so it
//! answers while every pipeline is stuck, which is when its answers matter most. It knows nothing
//! of pipelines or tables: what it tells comes through [`Status`] and [`Runs`], what it does through [`Admin`] and
//! [`Runs`]. All are
//! called on the server's only thread, so [`Status`] must be cheap (read a snapshot, never wait
//! for a pipeline) and [`Admin`] must wait only by awaiting.
//!
//! Life cycle: [`Server::bind`] takes the port (an occupied port is an error before anything else
//! has started), serves until [`Server::shutdown`], which lets running requests end.
//!
//! Limits: 16 KiB a request body, 30 s a request, 60 s of silence on a connection, 128 connections.
//!
//! A server with paths of its own takes the parts: [`listen`], [`Bounded`], [`pages`], [`BearerToken`].
//!
//! Not here: TLS and user accounts. The server listens on loopback unless told otherwise, and the
//! admin verbs need a bearer token.

mod limits;
mod routes;
mod runs;
mod server;
mod status;
mod token;

pub use limits::Bounded;
pub use routes::pages;
pub use server::{HttpConfig, HttpError, Server, listen};
pub use status::{Admin, AdminError, Check, Faces, Runs, Status};
pub use token::BearerToken;

#[cfg(test)]
mod tests;
