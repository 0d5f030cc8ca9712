//! What the filter is in Envoy: a Wasm module, or a native one.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{native, panicking};

/// What an edge under test runs the filter as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// `build/streamgate.wasm`.
    Wasm,
    /// `build/libstreamgate.so`.
    Native,
    /// The same, and a request can make a hook panic.
    Panicking,
}

impl Body {
    /// What the environment has chosen: `BODY=native`, or the Wasm module.
    pub(crate) fn chosen() -> Self {
        match std::env::var("BODY").as_deref() {
            Ok("native") => Self::Native,
            Ok("wasm") | Err(_) => Self::Wasm,
            Ok(other) => panic!("BODY={other}: it is wasm or native"),
        }
    }

    fn module(self) -> PathBuf {
        match self {
            Self::Panicking => panicking(),
            _ => native(),
        }
    }

    /// The HTTP filter with the native module that does what this one with the Wasm module does.
    pub(crate) fn in_place_of(self, wasm: &Value) -> Value {
        let config = &wasm["typed_config"]["config"];
        json!({
            "name": "envoy.filters.http.dynamic_modules",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter",
                "dynamic_module_config": {
                    "module": {"local": {"filename": self.module()}},
                    "do_not_close": true,
                    "metrics_namespace": "wasmcustom",
                },
                "filter_name": config["vm_config"]["vm_id"],
                "filter_config": config["configuration"],
            },
        })
    }
}

/// The layer of Envoy's runtime by which the native module's metrics are called as the Wasm
/// module's are.
pub(crate) fn names() -> Value {
    let strip = "envoy.reloadable_features.dynamic_modules_strip_custom_stat_prefix";
    json!({"name": "names", "static_layer": {strip: true}})
}

/// Has a cluster choose the node by the name of the shard. For calls of Wasm modules Envoy does so
/// unasked, for those of native ones it takes any.
pub(crate) fn hash_by_shard(cluster: &mut Value) {
    let (name, kind) = match cluster["lb_policy"] == "MAGLEV" {
        true => ("maglev", "maglev.v3.Maglev"),
        false => ("ring_hash", "ring_hash.v3.RingHash"),
    };
    let extensions = "type.googleapis.com/envoy.extensions.load_balancing_policies";
    cluster["load_balancing_policy"] = json!({"policies": [{"typed_extension_config": {
        "name": format!("envoy.load_balancing_policies.{name}"),
        "typed_config": {
            "@type": format!("{extensions}.{kind}"),
            "consistent_hashing_lb_config": {
                "hash_policy": [{"header": {"header_name": ":authority"}}],
            },
        },
    }}]});
    cluster
        .as_object_mut()
        .expect("an object")
        .remove("lb_policy");
}

/// The HTTP filter that hands the payload of a checked JWT to the native module, in which nobody
/// reads metadata within metadata.
pub(crate) fn claims(plugin: &Value) -> Value {
    let payload = &plugin["jwt"]["payload_in_metadata"];
    let payload = payload.as_str().unwrap_or("jwt");
    let metadata = format!("%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:{payload})%");
    json!({
        "name": "envoy.filters.http.set_filter_state",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config",
            "on_request_headers": [{
                "object_key": format!("streamgate.{payload}"),
                "factory_key": "envoy.string",
                "format_string": {
                    "text_format_source": {"inline_string": metadata},
                    "omit_empty_values": true,
                },
                "skip_if_empty": true,
            }],
        },
    })
}
