//! The Envoy cluster through which an edge reaches the store of its fleet.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::valkey::{self, in_resp};
use crate::{Answer, Client, Settings};

/// The cluster's name.
pub(crate) const CLUSTER: &str = "valkey";

/// What is sent to this path, an edge under test hands to the store as it is.
const TUNNEL: &str = "/to-the-store";

/// Which nodes make up the store, and how they are reached and watched.
#[derive(Debug, Clone)]
pub(crate) struct StoreCluster {
    /// Their ports on 127.0.0.1.
    pub(crate) nodes: Vec<u16>,
    /// Whose certificates are believed, where TLS is spoken.
    authority: Option<PathBuf>,
    watched: bool,
    user: Option<String>,
    password: Option<String>,
    by_maglev: bool,
    finds: Finds,
}

/// How Envoy finds the nodes to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finds {
    /// It is told all of them.
    Told,
    /// It is told primaries and replicas, and asks each for its role.
    ByRole,
    /// They are in cluster mode: it asks one for the others and what each keeps.
    ByDiscovery,
}

impl Settings {
    /// With a store that it shares with other edges, made up of the nodes at these ports.
    /// A start may wait for it for long, so that a slow machine is no outage.
    #[must_use]
    pub fn fleet(self, nodes: &[u16]) -> Self {
        self.store(nodes)
            .with("/fleet", json!({"cluster": CLUSTER, "wait": "10s"}))
    }

    /// With a store in Envoy's reach, of which the filter is told nothing.
    #[must_use]
    pub fn store(mut self, nodes: &[u16]) -> Self {
        self.store = Some(StoreCluster {
            nodes: nodes.to_vec(),
            authority: None,
            watched: false,
            user: None,
            password: None,
            by_maglev: false,
            finds: Finds::Told,
        });
        self
    }

    /// With nodes that speak TLS and show a certificate of this authority, given in PEM.
    #[must_use]
    pub fn store_over_tls(mut self, authority: PathBuf) -> Self {
        self.store_cluster().authority = Some(authority);
        self
    }

    /// With nodes that Envoy watches: those that fail are left out until they are well.
    #[must_use]
    pub fn store_watched(mut self) -> Self {
        self.store_cluster().watched = true;
        self
    }

    /// With nodes that ask whoever watches them for a password.
    #[must_use]
    pub fn store_watched_with(mut self, password: &str) -> Self {
        self.store_cluster().password = Some(password.to_owned());
        self.store_watched()
    }

    /// With nodes of which Envoy's discovery asks as this user.
    #[must_use]
    pub fn store_known_to(mut self, user: &str, password: &str) -> Self {
        let cluster = self.store_cluster();
        (cluster.user, cluster.password) = (Some(user.to_owned()), Some(password.to_owned()));
        self
    }

    /// With shards spread over nodes as `envoy/fleet.yaml` does it.
    #[must_use]
    pub fn store_by_maglev(mut self) -> Self {
        self.store_cluster().by_maglev = true;
        self
    }

    /// With nodes of which primaries are asked and replicas are not, whichever is which.
    #[must_use]
    pub fn store_of_primaries(mut self) -> Self {
        self.store_cluster().finds = Finds::ByRole;
        self
    }

    /// With nodes in cluster mode, which Envoy's own discovery finds.
    #[must_use]
    pub fn store_in_cluster_mode(mut self) -> Self {
        self.store_cluster().finds = Finds::ByDiscovery;
        self
    }

    /// With other nodes.
    #[must_use]
    pub(crate) fn store_at(mut self, nodes: &[u16]) -> Self {
        self.store_cluster().nodes = nodes.to_vec();
        self
    }

    fn store_cluster(&mut self) -> &mut StoreCluster {
        self.store.as_mut().expect("a fleet")
    }
}

impl StoreCluster {
    /// The cluster, with nodes that are read from a file.
    pub(crate) fn cluster(&self, nodes: &Path) -> Value {
        let mut cluster = json!({
            "name": CLUSTER,
            "type": "EDS",
            "eds_cluster_config": {"eds_config": {
                "resource_api_version": "V3",
                "path_config_source": {"path": nodes},
            }},
            "connect_timeout": "0.25s",
            "lb_policy": "RING_HASH",
            // The name of a shard is hashed. No node at all is better than a wrong one.
            "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
            "circuit_breakers": {"thresholds": [{
                "max_connections": 1024, "max_pending_requests": 1024, "max_requests": 1024,
            }]},
            "upstream_config": {
                "name": "envoy.filters.connection_pools.http.tcp",
                "typed_config": {"@type": "type.googleapis.com/envoy.extensions.upstreams.http.tcp.v3.TcpConnectionPoolProto"},
            },
            // As envoy/fleet.yaml has it: otherwise a call is given the connection that another one has just used up.
            "typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "common_http_protocol_options": {"max_requests_per_connection": 1},
                    "explicit_http_config": {"http_protocol_options": {}},
                },
            },
        });
        if let Some(authority) = &self.authority {
            cluster["transport_socket"] = transport_socket(authority);
            // A handshake takes a machine that is busy with others' work longer.
            cluster["connect_timeout"] = "20s".into();
        }
        if self.watched {
            cluster["health_checks"] = health_checks();
            cluster["outlier_detection"] = json!({
                "consecutive_5xx": 3, "interval": "0.5s", "base_ejection_time": "1s",
                "max_ejection_time": "2s", "max_ejection_percent": 100,
            });
        }
        if self.by_maglev {
            cluster["lb_policy"] = "MAGLEV".into();
        }
        match self.finds {
            Finds::Told => {}
            Finds::ByRole => cluster["health_checks"] = role_checks(),
            Finds::ByDiscovery => self.discovers(&mut cluster),
        }
        if let Some(password) = &self.password {
            cluster["typed_extension_protocol_options"]["envoy.filters.network.redis_proxy"] = json!({
                "@type": "type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProtocolOptions",
                "auth_password": {"inline_string": password},
            });
        }
        if let Some(user) = &self.user {
            let options = "/typed_extension_protocol_options/envoy.filters.network.redis_proxy";
            let options = cluster.pointer_mut(options).expect("a password");
            options["auth_username"] = json!({"inline_string": user});
        }
        cluster
    }

    /// As docs/fleet.md has it.
    fn discovers(&self, cluster: &mut Value) {
        let members = cluster.as_object_mut().expect("a cluster");
        let _ = members.remove("type");
        let _ = members.remove("eds_cluster_config");
        cluster["lb_policy"] = "CLUSTER_PROVIDED".into();
        cluster["cluster_type"] = json!({
            "name": "envoy.clusters.redis",
            "typed_config": {
                "@type": "type.googleapis.com/google.protobuf.Struct",
                "value": {"cluster_refresh_rate": "1s", "cluster_refresh_timeout": "1s"},
            },
        });
        cluster["load_assignment"] = self.assignment();
    }

    /// What the file of nodes holds.
    pub(crate) fn nodes(&self) -> Value {
        let mut assignment = self.assignment();
        assignment["@type"] =
            "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment".into();
        json!({"resources": [assignment]})
    }

    fn assignment(&self) -> Value {
        let nodes = self.nodes.iter().map(|port| {
            let address = json!({"address": "127.0.0.1", "port_value": port});
            json!({"endpoint": {"address": {"socket_address": address}}})
        });
        json!({
            "cluster_name": CLUSTER,
            "endpoints": [{"lb_endpoints": nodes.collect::<Vec<_>>()}],
        })
    }

    /// The route by which tests speak through the cluster. The shard is the authority,
    /// as in the filter's own calls.
    pub(crate) fn tunnel() -> Value {
        json!({
            "match": {"prefix": TUNNEL},
            "route": {
                "cluster": CLUSTER,
                "timeout": "1s",
                "hash_policy": [{"header": {"header_name": ":authority"}}],
            },
        })
    }
}

impl Client {
    /// What the node that holds a shard answers to a command, over the cluster that the
    /// filter of the edge on the other side uses, in raw bytes. Where no node can be
    /// reached, it is Envoy that answers.
    ///
    /// # Errors
    ///
    /// That the connection to the node came to its end without an answer.
    pub fn ask_store(&self, shard: &str, command: &[&str]) -> Result<Answer, ureq::Error> {
        let ask = self.request("POST", TUNNEL).header("host", shard);
        ask.body(&in_resp(command)).try_send()
    }
}

fn transport_socket(authority: &Path) -> Value {
    json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": valkey::NAME,
            "common_tls_context": {"validation_context": {
                "trusted_ca": {"filename": authority},
                "match_typed_subject_alt_names": [
                    {"san_type": "DNS", "matcher": {"exact": valkey::NAME}},
                ],
            }},
        },
    })
}

/// A node is well that says that it is a primary.
fn role_checks() -> Value {
    let hex = |text: &str| {
        let bytes = text.bytes().map(|byte| format!("{byte:02x}"));
        json!({"text": bytes.collect::<String>()})
    };
    json!([{
        "timeout": "0.5s", "interval": "0.3s", "no_traffic_interval": "0.3s",
        "unhealthy_threshold": 2, "healthy_threshold": 1,
        "tcp_health_check": {
            "send": hex("*1\r\n$4\r\nROLE\r\n"),
            "receive": [hex("$6\r\nmaster")],
        },
    }])
}

/// Twice in vain, and a node is left out; once well, and it is back.
fn health_checks() -> Value {
    json!([{
        "timeout": "0.5s", "interval": "0.3s", "no_traffic_interval": "0.3s",
        "unhealthy_threshold": 2, "healthy_threshold": 1,
        "custom_health_check": {
            "name": "envoy.health_checkers.redis",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.health_checkers.redis.v3.Redis"},
        },
    }])
}
