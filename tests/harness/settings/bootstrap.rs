//! The bootstrap of an edge under test: a file of `envoy/`, with what its settings want different.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::Settings;
use super::shipped::{plugin_in, plugin_of, port_of, put, secret_of, shipped};
use crate::body::{self, Body};
use crate::certificates::Certificates;
use crate::store_cluster::StoreCluster;

/// The file that shows how the access log is sent to a collector.
const LOGGING: &str = "../observe/opentelemetry.yaml";

impl Settings {
    /// The bootstrap to start Envoy with.
    pub(crate) fn bootstrap(&self, at: &Place<'_>) -> Value {
        let mut bootstrap = shipped(self.file);
        bootstrap["admin"] = shipped("edge.yaml")["admin"].take();
        let origin = &mut bootstrap["static_resources"]["clusters"][0]["load_assignment"];
        let endpoint = &mut origin["endpoints"][0]["lb_endpoints"][0]["endpoint"];
        port_of(
            &mut endpoint["address"],
            self.origin_port.unwrap_or(at.origin_port),
        );
        if self.trailers {
            let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
            let origin = &mut bootstrap["static_resources"]["clusters"][0];
            origin["typed_extension_protocol_options"][options] = json!({
                "@type": format!("type.googleapis.com/{options}"),
                "explicit_http_config": {"http_protocol_options": {"enable_trailers": true}},
            });
        }
        port_of(&mut bootstrap["admin"]["address"], at.admin_port);
        if self.keeps_no_statistics {
            let patterns = json!([{"prefix": "wasmcustom."}]);
            bootstrap["stats_config"]["stats_matcher"] =
                json!({"exclusion_list": {"patterns": patterns}});
        }
        if let Some(port) = self.collector_port {
            let mut collector = shipped(LOGGING)["static_resources"]["clusters"][1].take();
            let endpoint = &mut collector["load_assignment"]["endpoints"][0]["lb_endpoints"][0];
            port_of(&mut endpoint["endpoint"]["address"], port);
            let clusters = bootstrap["static_resources"]["clusters"].as_array_mut();
            clusters.expect("clusters").push(collector);
        }
        if let Some(store) = &self.store {
            let clusters = bootstrap["static_resources"]["clusters"].as_array_mut();
            let clusters = clusters.expect("clusters");
            let mut cluster = store.cluster(&at.directory.join("nodes.json"));
            if self.body != Body::Wasm {
                body::hash_by_shard(&mut cluster);
            }
            clusters.push(cluster);
            bootstrap["layered_runtime"] = shipped("fleet.yaml")["layered_runtime"].clone();
        }
        if self.body != Body::Wasm {
            let layers = &mut bootstrap["layered_runtime"]["layers"];
            let mut others = layers.as_array().cloned().unwrap_or_default();
            others.push(body::names());
            *layers = others.into();
        }
        let listeners = bootstrap["static_resources"]["listeners"].take();
        // A shipped file's other listener, if it has one, is a door of its own.
        let mut listener = listeners[0].clone();
        self.fit(&mut listener, at);
        if self.by_lds {
            bootstrap["static_resources"]
                .as_object_mut()
                .expect("an object")
                .remove("listeners");
            bootstrap["dynamic_resources"] = json!({"lds_config": {
                "resource_api_version": "V3",
                "path_config_source": {
                    "path": at.directory.join("lds.json"),
                    "watched_directory": {"path": at.directory},
                },
            }});
        } else {
            let mut listeners = vec![listener];
            listeners.extend(self.door(at));
            if self.speaks_http_3 {
                listeners.push(over_quic(listeners[0].clone(), at.directory));
            }
            bootstrap["static_resources"]["listeners"] = listeners.into();
        }
        bootstrap
    }

    /// What the listeners' file holds.
    pub(crate) fn lds(&self, at: &Place<'_>) -> Value {
        let mut bootstrap = shipped(self.file);
        let mut listener = bootstrap["static_resources"]["listeners"][0].take();
        self.fit(&mut listener, at);
        listener["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
        json!({"resources": [listener]})
    }

    fn fit(&self, listener: &mut Value, at: &Place<'_>) {
        port_of(&mut listener["address"], at.port);
        // Two connections open at once are served by two workers.
        listener["connection_balance_config"] = json!({"exact_balance": {}});
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["http_protocol_options"] = json!({"enable_trailers": self.trailers});
        if manager["access_log"].is_null() {
            let mut demo = shipped("edge.yaml");
            let listener = &mut demo["static_resources"]["listeners"][0];
            let logging = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
            manager["access_log"] = logging["access_log"].take();
        }
        for (field, value) in &self.manager {
            manager[*field] = value.clone();
        }
        let log = &mut manager["access_log"][0];
        log["name"] = "envoy.access_loggers.file".into();
        let log = &mut log["typed_config"];
        log["@type"] =
            "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog".into();
        log["path"] = json!(at.directory.join("access.log"));
        if self.plugin["referer"] != "route" {
            let removed = &mut manager["route_config"]["request_headers_to_remove"];
            *removed = json!([]);
        }
        if self.collector_port.is_some() {
            let mut sent = shipped(LOGGING);
            let listener = &mut sent["static_resources"]["listeners"][0];
            let logging = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
            let logs = manager["access_log"].as_array_mut().expect("logs");
            logs.push(logging["access_log"][0].take());
        }
        // The shipped file answers what it does not know; the tests want to see what
        // the origin would be asked.
        let routes = &mut manager["route_config"]["virtual_hosts"][0]["routes"];
        *routes = match self.answers_itself {
            true => json!([
                {"match": {"prefix": "/~"}, "direct_response": {"status": 421}},
                {"match": {"prefix": "/"}, "direct_response": {"status": 200}},
            ]),
            false => {
                json!([{"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"}}])
            }
        };
        if self.store.is_some() {
            let routes = routes.as_array_mut().expect("routes");
            routes.insert(0, StoreCluster::tunnel());
        }

        let filters = manager["http_filters"].as_array_mut().expect("filters");
        for (name, pointer, value) in &self.changed {
            let mut filters = filters.iter_mut();
            let filter = filters.find(|filter| filter["name"] == *name);
            let filter = filter.unwrap_or_else(|| panic!("no filter {name}"));
            put(&mut filter["typed_config"], pointer, value.clone());
        }
        let is_streamgate = |filter: &Value| filter["name"] == "envoy.filters.http.wasm";
        let at = filters.iter().position(is_streamgate).expect("streamgate");
        let [front, behind] = self.filters.clone();
        filters.splice(at + 1..at + 1, behind);
        filters.splice(at..at, front);

        let plugin = plugin_in(manager);
        let environment = &mut plugin["vm_config"]["environment_variables"];
        if let Some(names) = environment["host_env_keys"].as_array() {
            let names = names.iter().filter_map(Value::as_str);
            let secrets: Map<_, _> = names
                .map(|name| (name.to_owned(), secret_of(name).into()))
                .collect();
            *environment = json!({"key_values": secrets});
        }
        plugin["vm_config"]["code"]["local"]["filename"] = json!(crate::wasm());
        if self.restricted {
            let restriction = "capability_restriction_config";
            let mut hardened = shipped("hardened.yaml");
            plugin["vm_config"][restriction] =
                plugin_of(&mut hardened)["vm_config"][restriction].take();
        }
        plugin["configuration"] = if self.as_text {
            json!({
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": self.plugin.to_string(),
            })
        } else {
            json!({
                "@type": "type.googleapis.com/google.protobuf.Struct",
                "value": self.plugin,
            })
        };
        if self.body != Body::Wasm {
            let filters = manager["http_filters"].as_array_mut().expect("filters");
            let at = filters.iter().position(is_streamgate).expect("streamgate");
            filters[at] = self.body.in_place_of(&filters[at]);
            let is_jwt = |filter: &Value| filter["name"] == "envoy.filters.http.jwt_authn";
            if filters[..at].iter().any(is_jwt) {
                filters.insert(at, body::claims(&self.plugin));
            }
        }
    }

    /// What Envoy's environment holds for the native module, which has no other.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let mut bootstrap = shipped(self.file);
        let environment = plugin_of(&mut bootstrap)["vm_config"]["environment_variables"].take();
        let keys = environment["host_env_keys"]
            .as_array()
            .into_iter()
            .flatten();
        let keys = keys.filter_map(Value::as_str);
        let kept = keys.map(|name| (name.to_owned(), secret_of(name)));
        let values = environment["key_values"].as_object().into_iter().flatten();
        let values =
            values.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        kept.chain(values).collect()
    }

    /// The door's listener, if there is one: it has the viewers' configuration and `operator`.
    fn door(&self, at: &Place<'_>) -> Option<Value> {
        let operator = self.door.clone()?;
        let door = self.clone().with("/operator", operator);
        let mut bootstrap = shipped(self.file);
        let mut listener = bootstrap["static_resources"]["listeners"][0].take();
        let place = Place {
            port: at.door_port,
            ..*at
        };
        door.fit(&mut listener, &place);
        listener["name"] = "door".into();
        // As in the shipped file, pages of other origins have no business here.
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        let filters = manager["http_filters"].as_array_mut().expect("filters");
        filters.retain(|filter| filter["name"] != "envoy.filters.http.cors");
        Some(listener)
    }
}

/// The same listener for HTTP/3.
fn over_quic(mut listener: Value, directory: &Path) -> Value {
    let certificates = Certificates::of("localhost", directory);
    listener["name"] = "over-quic".into();
    listener["address"]["socket_address"]["protocol"] = "UDP".into();
    listener["udp_listener_config"] = json!({"quic_options": {}});
    listener["connection_balance_config"].take();
    let chain = &mut listener["filter_chains"][0];
    chain["transport_socket"] = json!({
        "name": "envoy.transport_sockets.quic",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.quic.v3.QuicDownstreamTransport",
            "downstream_tls_context": {"common_tls_context": {"tls_certificates": [{
                "certificate_chain": {"filename": certificates.certificate},
                "private_key": {"filename": certificates.key},
            }]}},
        },
    });
    chain["filters"][0]["typed_config"]["codec_type"] = "HTTP3".into();
    listener
}

/// Where an edge runs.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) directory: &'a Path,
    pub(crate) port: u16,
    pub(crate) door_port: u16,
    pub(crate) admin_port: u16,
    pub(crate) origin_port: u16,
}
