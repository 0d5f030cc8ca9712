//! The sample with its URLs written as one packager or another does.

use crate::{Edge, Given, sample};

/// How the URLs in a manifest are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urls {
    /// As names of files beside the manifest.
    Relative,
    /// As paths from the root.
    AbsolutePath,
    /// With scheme and host.
    Absolute,
    /// With a host, and the scheme that the manifest was asked for with.
    AnyScheme,
}

impl Urls {
    /// What a URL begins with where files beside it have the name alone.
    fn start(self, port: u16) -> String {
        match self {
            Self::Relative => String::new(),
            Self::AbsolutePath => "/vod/sample/".to_owned(),
            Self::Absolute => format!("http://127.0.0.1:{port}/vod/sample/"),
            Self::AnyScheme => format!("//127.0.0.1:{port}/vod/sample/"),
        }
    }
}

impl Edge {
    /// The sample's manifests have their URLs written like this from now on. The origin has to
    /// serve the sample.
    pub fn writes_sample_urls(&self, urls: Urls) {
        let start = urls.start(self.port);
        let folder = sample().join("vod/sample");
        for file in std::fs::read_dir(&folder).expect("the sample") {
            let file = file.expect("a file").file_name();
            let name = file.to_str().expect("a name");
            let body = || std::fs::read_to_string(folder.join(name)).expect("a text");
            let body = if name.ends_with(".m3u8") {
                let line = |line: &str| match line.starts_with('#') || line.is_empty() {
                    true => line.replace("URI=\"", &format!("URI=\"{start}")),
                    false => format!("{start}{line}"),
                };
                body().lines().map(|text| line(text) + "\n").collect()
            } else if name.ends_with(".mpd") {
                let body = body();
                let body = body.replace("media=\"", &format!("media=\"{start}"));
                body.replace("initialization=\"", &format!("initialization=\"{start}"))
            } else {
                continue;
            };
            self.origin
                .gives(&format!("/vod/sample/{name}"), Given::body(body));
        }
    }
}
