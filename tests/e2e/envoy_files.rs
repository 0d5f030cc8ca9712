//! The files in `envoy/` are what operators start from: Envoy takes each of them as
//! it is, and the filter takes its configuration.

use std::process::Command;

use serde_json::Value;
use streamgate_tests::{envoy, native, project, wasm};

fn text(name: &str) -> String {
    std::fs::read_to_string(project().join(name)).expect("text")
}

#[test]
fn envoy_and_the_filter_accept_every_shipped_file() {
    let _built = (wasm(), native());
    let files = std::fs::read_dir(project().join("envoy")).expect("a directory");
    let mut seen = 0;
    for file in files {
        let path = file.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("text");
        let validated = Command::new(envoy())
            .current_dir(project())
            .args(["--mode", "validate", "--log-level", "info", "--config-path"])
            .arg(&path)
            .env("STREAMGATE_SIGNING_KEY", "only-to-see-whether-it-loads")
            .env("STREAMGATE_SUBJECT_KEY", "only-to-see-whether-it-loads")
            .env("STREAMGATE_BOX_SECRET", "only-to-see-whether-it-loads")
            .env(
                "STREAMGATE_CAT_SECRET",
                "only-to-see-whether-a-longer-one-loads",
            )
            .output()
            .expect("to run Envoy");
        let log = String::from_utf8_lossy(&validated.stderr);
        assert!(validated.status.success(), "{}:\n{log}", path.display());
        // The filter itself reports what it was configured with.
        let is_wasm = text.contains("streamgate.wasm");
        if is_wasm || text.contains("libstreamgate.so") {
            assert!(
                log.contains("protected paths"),
                "{}:\n{log}",
                path.display()
            );
        }
        if is_wasm {
            assert!(text.contains("failure_policy: FAIL_RELOAD"));
            assert!(text.contains("allow_on_headers_stop_iteration: true"));
            assert!(text.contains("vm_id: streamgate"));
        }
        seen += 1;
    }
    assert!(seen >= 3, "edge.yaml, origin.yaml, smallest.yaml");
}

/// Every file with the filter: its name, its text, its listener and the filter's part of it.
fn edges() -> Vec<(String, String, Value, Value)> {
    let files = std::fs::read_dir(project().join("envoy")).expect("a directory");
    let names = files.map(|file| file.expect("a file").file_name());
    let mut edges = Vec::new();
    for name in names.map(|name| name.into_string().expect("text")) {
        let text = text(&format!("envoy/{name}"));
        let mut bootstrap: Value = serde_saphyr::from_str(&text).expect("YAML");
        let listener = bootstrap["static_resources"]["listeners"][0].take();
        let manager = &listener["filter_chains"][0]["filters"][0]["typed_config"];
        let filters = manager["http_filters"].as_array().expect("filters");
        let is_wasm = |filter: &&Value| filter["name"] == "envoy.filters.http.wasm";
        if let Some(wasm) = filters.iter().find(is_wasm) {
            let plugin = wasm["typed_config"]["config"]["configuration"]["value"].clone();
            edges.push((name, text, listener, plugin));
        }
    }
    assert!(edges.len() >= 8);
    edges
}

/// What a file says of who is trusted, in its comments, on one line.
fn comments(text: &str) -> String {
    let lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix('#'));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

#[test]
fn no_shipped_file_believes_clients_about_their_address() {
    for (name, text, listener, _) in edges() {
        let manager = &listener["filter_chains"][0]["filters"][0]["typed_config"];
        assert_eq!(manager["use_remote_address"], true, "{name}");
        assert_eq!(manager["xff_num_trusted_hops"], 0, "{name}");
        if name != "fleet.yaml" {
            assert!(comments(&text).contains("X-Forwarded-For"), "{name}");
        }
    }
}

#[test]
fn what_a_shipped_file_trusts_it_says_aloud_and_keeps_from_clients() {
    for (name, text, listener, plugin) in edges() {
        let comments = comments(&text);
        let api = &plugin["session_api"]["subject"];
        let carriers = plugin["playback"].as_array().expect("paths").iter();
        let mut carriers = carriers.flat_map(|path| path["subject"].as_array().expect("carriers"));
        let trusts_header = carriers.any(|carrier| !carrier["header"].is_null());
        if *api == "trusted" {
            assert!(comments.contains("streams of ANY account"), "{name}");
        }
        if trusts_header {
            let demo = comments.contains("ONLY BECAUSE THIS IS A DEMO: the header x-account-id");
            let hop = comments.contains("A hop of yours stands in front")
                || comments.contains("a hop of yours stands in front");
            assert!(demo || hop && comments.contains("sets its own"), "{name}");
        }
        if *api == "trusted" || trusts_header {
            let address = &listener["address"]["socket_address"]["address"];
            assert_eq!(*address, "127.0.0.1", "{name}");
        }
        match name.as_str() {
            "smallest.yaml" => assert!(api.is_null()),
            "hardened.yaml" => assert!(api.is_null() && !trusts_header),
            "jwt.yaml" => assert!(api["jwt_claim"] == "sub" && !trusts_header),
            "cat.yaml" => assert!(api["cat"] == "sub" && !trusts_header),
            _ => assert_eq!(*api, "trusted", "{name}"),
        }
    }
}

/// Where the filter leaves `Referer` to the routes, all of them take it off, and nothing puts it back.
#[test]
fn no_shipped_file_shows_an_origin_a_referer_that_may_hold_a_token() {
    for (name, _, listener, plugin) in edges() {
        let manager = &listener["filter_chains"][0]["filters"][0]["typed_config"];
        let routes = &manager["route_config"];
        let removed = routes["request_headers_to_remove"].as_array();
        let by_routes = removed.is_some_and(|names| names.contains(&"referer".into()));
        assert!(plugin["referer"] == "route" && by_routes, "{name}");
        // Some origins serve what these name, whatever path was decided about.
        for header in ["x-original-url", "x-rewrite-url"] {
            let is_removed = removed.is_some_and(|names| names.contains(&header.into()));
            assert!(is_removed, "{name}: {header}");
        }
        assert!(
            !routes.to_string().contains("request_headers_to_add"),
            "{name}"
        );
        assert!(
            manager["rds"].is_null() && manager["scoped_routes"].is_null(),
            "{name}"
        );
    }
}

/// `make fleet` shows the demo's edge with a store, and nothing else that is different.
#[test]
fn a_fleets_edge_is_the_demos_edge_with_a_store() {
    let read = |name| serde_saphyr::from_str::<Value>(&text(name)).expect("YAML");
    let [mut edge, mut fleet] = [read("envoy/edge.yaml"), read("envoy/fleet.yaml")];
    // But that it has no door: three of them would need three addresses.
    let listeners = edge["static_resources"]["listeners"].as_array_mut();
    listeners.expect("listeners").truncate(1);

    let clusters = fleet["static_resources"]["clusters"].as_array_mut();
    let store = clusters.expect("clusters").remove(1);
    let manager = &mut fleet["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
        ["typed_config"];
    let logged = &mut manager["access_log"][0]["typed_config"]["log_format"]["json_format"];
    logged.as_object_mut().expect("fields").remove("edge");
    let filters = manager["http_filters"].as_array_mut().expect("filters");
    let plugin = &mut filters[1]["typed_config"]["config"];
    let environment = &mut plugin["vm_config"]["environment_variables"]["key_values"];
    let environment = environment.as_object_mut().expect("variables");
    let password = environment.remove("STREAMGATE_STORE_PASSWORD");
    let configuration = &mut plugin["configuration"]["value"];
    let configuration = configuration.as_object_mut().expect("fields");
    let section = configuration.remove("fleet").expect("a fleet");
    let runtime = fleet
        .as_object_mut()
        .expect("fields")
        .remove("layered_runtime");
    assert_eq!(fleet, edge);

    // Envoy cuts a reply off before the filter would have to look at it.
    let bounds = &runtime.expect("a runtime")["layers"][0]["static_layer"];
    let limit = bounds["http.async_response_buffer_limit"].as_u64();
    assert!(limit.expect("a limit") <= streamgate_record::fleet::REPLY_MAX as u64);

    // One name for the cluster, one user and password for the filter, the health check
    // and the store.
    assert_eq!(section["cluster"], store["name"]);
    let checker = &store["typed_extension_protocol_options"]["envoy.filters.network.redis_proxy"];
    assert_eq!(checker["auth_username"]["inline_string"], section["user"]);
    assert_eq!(
        checker["auth_password"]["inline_string"],
        password.expect("a password")
    );
    let [user, password] = ["auth_username", "auth_password"]
        .map(|field| checker[field]["inline_string"].as_str().expect("text"));
    assert!(text("store/valkey.conf").contains(&format!("\nuser {user} on >{password} ")));
}
