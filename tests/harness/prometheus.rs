//! A real Prometheus that scrapes edges as `observe/prometheus.yml` says.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Client, eventually, project};

/// A running Prometheus; it ends with the test.
#[derive(Debug)]
pub struct Prometheus {
    process: Child,
    client: Client,
    // Removed when it goes.
    _directory: TempDir,
}

/// One series of an answer, with its value now.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The series' labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

impl Prometheus {
    /// One with the shipped configuration and rules, that scrapes these administration ports
    /// every second.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn scraping(ports: &[u16]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        let shipped = fs::read_to_string(project().join("observe/prometheus.yml"));
        let mut configuration: Value =
            serde_saphyr::from_str(&shipped.expect("the configuration")).expect("YAML");
        for interval in ["scrape_interval", "scrape_timeout", "evaluation_interval"] {
            configuration["global"][interval] = "1s".into();
        }
        configuration["rule_files"] = json!([project().join("observe/rules.yml")]);
        let job = &mut configuration["scrape_configs"][0];
        job["file_sd_configs"][0]["files"] = json!([at("targets.json")]);
        let targets: Vec<_> = ports
            .iter()
            .map(|port| format!("127.0.0.1:{port}"))
            .collect();
        fs::write(
            at("targets.json"),
            json!([{"targets": targets}]).to_string(),
        )
        .expect("to write");
        fs::write(at("prometheus.json"), configuration.to_string()).expect("to write");
        let port = crate::ports::free_port();
        let log = File::create(at("log")).expect("a log");
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", at("prometheus.json").display()))
            .arg(format!("--storage.tsdb.path={}", at("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--log.level=warn")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("prometheus: scripts/setup --tests brings it");
        let prometheus = Self {
            process,
            client: Client::new(port),
            _directory: directory,
        };
        eventually("Prometheus serves", || {
            let ready = prometheus.client.get("/-/ready").try_send();
            ready.is_ok_and(|answer| answer.status == 200)
        });
        prometheus
    }

    /// What a query gives now: a series each, those without a number left out.
    ///
    /// # Errors
    ///
    /// What Prometheus says of a query that it does not understand.
    pub fn query(&self, query: &str) -> Result<Vec<Sample>, String> {
        let form = format!("query={}", encoded(query));
        let asked = self.client.request("POST", "/api/v1/query").form(&form);
        let answer = asked.send().json();
        if answer["status"] != "success" {
            return Err(format!("{query}: {}", answer["error"]));
        }
        let series = answer["data"]["result"].as_array().expect("series").iter();
        let samples = series.map(|series| {
            let labels = series["metric"].as_object().expect("labels").iter();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            Sample {
                labels: labels
                    .map(|(name, value)| (name.clone(), text(value)))
                    .collect(),
                value: text(&series["value"][1]).parse().unwrap_or(f64::NAN),
            }
        });
        Ok(samples.filter(|sample| !sample.value.is_nan()).collect())
    }

    /// The rules, as Prometheus has them.
    #[must_use]
    pub fn rules(&self) -> Vec<Value> {
        let answer = self.client.get("/api/v1/rules").send().expect(200).json();
        let groups = answer["data"]["groups"].as_array().expect("groups").iter();
        let rules = groups.flat_map(|group| group["rules"].as_array().expect("rules"));
        rules.cloned().collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn encoded(text: &str) -> String {
    let bytes = text.bytes();
    bytes.map(|byte| format!("%{byte:02X}")).collect()
}
