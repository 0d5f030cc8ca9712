//! What operators would build instead: a small service that Envoy asks about each request
//! (`ext_authz`, over HTTP and over gRPC), and that asks Redis in turn, with one script
//! per request over one connection for all.
//!
//! ```text
//! authz <HTTP port> <gRPC port> <Redis port>
//! ```
//!
//! It does as little as such a service can: no token is verified, nothing is logged.

mod grpc;
mod limit;

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use tokio::net::TcpListener;

use limit::Limit;

// One thread: it shares its core with Envoy and Redis, and more of them would only cost
// it more.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let ports: Vec<u16> = std::env::args()
        .skip(1)
        .map(|port| port.parse())
        .collect::<Result<_, _>>()?;
    let [http, grpc, redis] = ports[..] else {
        return Err("usage: authz <HTTP port> <gRPC port> <Redis port>".into());
    };
    let limit = Limit::connect(redis).await?;
    let router = Router::new().fallback(check).with_state(limit.clone());
    let listener = TcpListener::bind(local(http)).await?;
    let over_http = async {
        axum::serve(listener, router).await?;
        Ok::<(), Box<dyn Error>>(())
    };
    let over_grpc = async {
        let server = tonic::transport::Server::builder().add_service(grpc::service(limit));
        server.serve(local(grpc)).await?;
        Ok::<(), Box<dyn Error>>(())
    };
    tokio::try_join!(over_http, over_grpc)?;
    Ok(())
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Envoy asks with the path of the request it is about.
async fn check(State(limit): State<Limit>, uri: Uri) -> StatusCode {
    match limit.admits(uri.path()).await {
        true => StatusCode::OK,
        false => StatusCode::FORBIDDEN,
    }
}
