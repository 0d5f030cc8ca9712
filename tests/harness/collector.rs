//! A collector of OpenTelemetry logs: OTLP over gRPC, by the protocol's own definitions.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{
    LogsService, LogsServiceServer,
};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use crate::eventually;

/// A running collector; it ends with the test.
#[derive(Debug)]
pub struct Collector {
    /// Where it listens.
    pub port: u16,
    records: Records,
    // Stops serving when dropped.
    _runtime: tokio::runtime::Runtime,
}

/// A record it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// The name of the service that sent it.
    pub service: String,
    /// Its body.
    pub body: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// When it says that it happened, in nanoseconds since the epoch.
    pub time_ns: u64,
}

#[derive(Debug, Clone, Default)]
struct Records(Arc<Mutex<Vec<LogRecord>>>);

impl Collector {
    /// One that was sent nothing yet.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "it is started, not defaulted to"
    )]
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let port = crate::ports::free_port();
        let records = Records::default();
        let service = LogsServiceServer::new(records.clone());
        let server = Server::builder().add_service(service);
        runtime.spawn(server.serve(([127, 0, 0, 1], port).into()));
        eventually("the collector listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self {
            port,
            records,
            _runtime: runtime,
        }
    }

    /// What it was sent so far.
    #[must_use]
    pub fn records(&self) -> Vec<LogRecord> {
        self.records.0.lock().expect("no panic").clone()
    }
}

#[tonic::async_trait]
impl LogsService for Records {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        for of_resource in request.into_inner().resource_logs {
            let resource = of_resource.resource.unwrap_or_default();
            let resource = by_name(resource.attributes);
            let service = resource.get("service.name").cloned().unwrap_or_default();
            let scopes = of_resource.scope_logs.into_iter();
            for record in scopes.flat_map(|scope| scope.log_records) {
                let record = LogRecord {
                    service: service.clone(),
                    body: text(record.body),
                    attributes: by_name(record.attributes),
                    time_ns: record.time_unix_nano,
                };
                self.0.lock().expect("no panic").push(record);
            }
        }
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

fn by_name(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let attributes = attributes.into_iter();
    attributes
        .map(|KeyValue { key, value, .. }| (key, text(value)))
        .collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        other => format!("{other:?}"),
    }
}
