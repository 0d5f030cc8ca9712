//! Configurations of peers: from `bench/peers/`, with words filled in.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use streamgate_tests::project;

/// An Envoy's bootstrap with what its peer's file adds.
pub(crate) fn with_peer(mut bootstrap: Value, mut peer: Value) -> Value {
    let listener = &mut bootstrap["static_resources"]["listeners"][0];
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    let added = |list: &mut Value| list.as_array_mut().map(std::mem::take).unwrap_or_default();
    let filters = manager["http_filters"].as_array_mut().expect("filters");
    filters.splice(0..0, added(&mut peer["http_filters"]));
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut();
    clusters
        .expect("clusters")
        .extend(added(&mut peer["clusters"]));
    bootstrap
}

/// Puts the native module in the place of the Wasm filter that a peer's file has.
pub(crate) fn make_native(peer: &mut Value, module: &Path) {
    let config = peer["http_filters"][0]["typed_config"]["config"].take();
    peer["http_filters"][0] = json!({
        "name": "envoy.filters.http.dynamic_modules",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter",
            "dynamic_module_config": native_module(module),
            "filter_name": config["vm_config"]["vm_id"],
            "filter_config": config["configuration"],
        },
    });
}

/// The native module, as each filter and route has to name it.
fn native_module(file: &Path) -> Value {
    json!({
        "module": {"local": {"filename": file}},
        "do_not_close": true,
        "metrics_namespace": "wasmcustom",
    })
}

/// Has the routes of segments be kept where a token is taken off.
pub(crate) fn keep_routes(bootstrap: &mut Value, module: &Path) {
    let listener = &mut bootstrap["static_resources"]["listeners"][0];
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    let hosts = manager["route_config"]["virtual_hosts"].as_array_mut();
    for host in hosts.expect("virtual hosts") {
        let routes = host["routes"].as_array_mut().expect("routes");
        let last = routes.last_mut().expect("a route");
        last["typed_per_filter_config"] = json!({
            "envoy.filters.http.dynamic_modules": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilterPerRoute",
                "dynamic_module_config": native_module(module),
                "per_route_config_name": "keep_route",
            },
        });
    }
}

/// Lets an Envoy take its listener from a file in a directory, and tell how long each turn
/// of its event loops is.
pub(crate) fn make_updatable(bootstrap: &mut Value, directory: &Path) {
    let mut listener = bootstrap["static_resources"]["listeners"][0].take();
    listener["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
    let lds = directory.join("lds.json");
    fs::write(&lds, json!({"resources": [listener]}).to_string()).expect("to write");
    bootstrap["static_resources"]["listeners"] = json!([]);
    bootstrap["dynamic_resources"] = json!({"lds_config": {
        "resource_api_version": "V3",
        "path_config_source": {"path": lds, "watched_directory": {"path": directory}},
    }});
    bootstrap["enable_dispatcher_stats"] = true.into();
    bootstrap["stats_flush_interval"] = "1s".into();
}

pub(crate) fn yaml(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("a configuration");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A file of `bench/peers/` with words filled in, in a directory; where it is then.
pub(crate) fn filled_in(name: &str, words: &[(&str, String)], directory: &Path) -> PathBuf {
    let from = project().join("bench/peers").join(name);
    let text = fs::read_to_string(&from).unwrap_or_else(|error| panic!("{name}: {error}"));
    let to = directory.join(name);
    fs::write(&to, fill_in(&text, words)).expect("to write");
    to
}

fn fill_in(text: &str, words: &[(&str, String)]) -> String {
    let mut filled = text.to_owned();
    // nginx has variables of its own, in lower case.
    let mut longest_first: Vec<_> = words.iter().collect();
    longest_first.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    for (word, value) in longest_first {
        filled = filled.replace(&format!("${word}"), value);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_filled_in_the_longest_first() {
        let words = [("PORT", "1".to_owned()), ("PORT_B", "2".to_owned())];
        assert_eq!(fill_in("$PORT_B:$PORT$port", &words), "2:1$port");
    }

    #[test]
    fn a_peers_filters_stand_in_front_of_the_router() {
        let read = |name: &str| yaml(&project().join("bench/peers").join(name));
        let added = with_peer(
            read("envoy.yaml"),
            json!({"http_filters": [{"name": "own"}]}),
        );
        let listener = &added["static_resources"]["listeners"][0];
        let manager = &listener["filter_chains"][0]["filters"][0]["typed_config"];
        assert_eq!(manager["http_filters"][0]["name"], "own");
        assert_eq!(
            manager["http_filters"][1]["name"],
            "envoy.filters.http.router"
        );
        let clusters = |bootstrap: &Value| {
            let clusters = bootstrap["static_resources"]["clusters"].as_array();
            clusters.map(Vec::len)
        };
        assert_eq!(clusters(&added), Some(1));
        let asking = with_peer(read("envoy.yaml"), read("envoy-authz-http.yaml"));
        assert_eq!(clusters(&asking), Some(2));
    }
}
