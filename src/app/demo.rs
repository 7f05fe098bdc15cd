//! The labelled simulator of the demo.

use std::net::SocketAddr;
use std::path::Path;

use super::AppError;
use crate::platforms::simulate::facebook::{Options, Simulator};
use crate::platforms::simulate::script::Script;
use crate::runtime::clock::Clock;

/// What happens on the simulated platform of the demo.
const DEMO_POSTS: &str = include_str!("../../fixtures/comments/posts.json");
const DEMO_COMMENTS: &str = include_str!("../../fixtures/comments/demo.jsonl");

/// Starts the labelled simulator of the demo. Its state and port are kept in `dir`, so that a
/// demo that was stopped goes on.
///
/// # Errors
/// [`AppError::System`].
pub async fn simulator(dir: &Path, clock: Clock) -> Result<Simulator, AppError> {
    let system = |source: Box<dyn std::error::Error + Send + Sync>| AppError::System {
        doing: "simulatorn",
        source,
    };
    let script = Script::read(DEMO_POSTS, DEMO_COMMENTS).map_err(|e| system(Box::new(e)))?;
    let port_file = dir.join("simulator.port");
    let port = std::fs::read_to_string(&port_file).ok().and_then(|p| p.trim().parse().ok());
    let listen = SocketAddr::from(([127, 0, 0, 1], port.unwrap_or(0)));
    let options =
        Options { listen, journal: Some(dir.join("simulator.journal")), ..Options::new(script) };
    let simulator = Simulator::start(options, clock).await.map_err(|e| system(Box::new(e)))?;
    if let Some(port) = simulator.base().port() {
        std::fs::write(&port_file, port.to_string())
            .map_err(|source| AppError::Folder { path: port_file, source })?;
    }
    Ok(simulator)
}
