//! Servers of files as Debian has them: what stands behind an edge in the field reads paths
//! in its own way.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::awaited;

/// A running server of the files under a directory of its own; it ends with the test.
#[derive(Debug)]
pub struct FileServer {
    /// Where it listens.
    pub port: u16,
    process: Child,
    // Removed when it goes.
    _directory: TempDir,
}

impl FileServer {
    /// nginx.
    #[must_use]
    pub fn nginx(files: &[(&str, &str)]) -> Self {
        Self::start(files, |port, directory| {
            let configuration = format!(
                "user root root; worker_processes 1; pid {directory}/nginx.pid;\n\
                 error_log {directory}/error.log;\n\
                 events {{ }}\n\
                 http {{\n\
                   access_log off; client_body_temp_path {directory}/body;\n\
                   proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;\n\
                   uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;\n\
                   server {{ listen 127.0.0.1:{port}; root {directory}/files; }}\n\
                 }}\n"
            );
            let file = format!("{directory}/nginx.conf");
            fs::write(&file, configuration).expect("to write");
            let mut command = Command::new("nginx");
            command.args(["-p", directory, "-c", &file, "-g", "daemon off;"]);
            command
        })
    }

    /// Apache, with encoded slashes taken for slashes.
    #[must_use]
    pub fn apache(files: &[(&str, &str)]) -> Self {
        Self::start(files, |port, directory| {
            let modules = "/usr/lib/apache2/modules";
            let configuration = format!(
                "ServerRoot {directory}\nServerName localhost\nListen 127.0.0.1:{port}\n\
                 PidFile {directory}/apache.pid\nErrorLog {directory}/error.log\n\
                 DefaultRuntimeDir {directory}\n\
                 LoadModule mpm_event_module {modules}/mod_mpm_event.so\n\
                 LoadModule authz_core_module {modules}/mod_authz_core.so\n\
                 User www-data\nGroup www-data\n\
                 DocumentRoot {directory}/files\nAllowEncodedSlashes On\n\
                 <Directory {directory}/files>\nRequire all granted\n</Directory>\n"
            );
            let file = format!("{directory}/apache.conf");
            fs::write(&file, configuration).expect("to write");
            let mut command = Command::new("apache2");
            command.args(["-D", "FOREGROUND", "-f", &file]);
            command
        })
    }

    /// Python's `http.server`.
    #[must_use]
    pub fn python(files: &[(&str, &str)]) -> Self {
        Self::start(files, |port, directory| {
            let mut command = Command::new("python3");
            let root = format!("{directory}/files");
            command.args(["-m", "http.server", "--bind", "127.0.0.1"]);
            command.args(["--directory", &root, &port.to_string()]);
            command
        })
    }

    fn start(files: &[(&str, &str)], command: impl FnOnce(u16, &str) -> Command) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        // Who starts as root serves as somebody else.
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(directory.path(), open).expect("to open it");
        for (path, text) in files {
            let path = directory.path().join("files").join(path);
            fs::create_dir_all(path.parent().expect("a directory")).expect("to make it");
            fs::write(path, text).expect("to write");
        }
        let port = crate::ports::free_port();
        let mut command = command(port, directory.path().to_str().expect("a path"));
        let program = command.get_program().to_string_lossy().into_owned();
        let log = fs::File::create(directory.path().join("output.log")).expect("a log");
        let errors = log.try_clone().expect("the same log");
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let mut process = command
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}; run scripts/setup --tests"));
        awaited("the server answers", || {
            if let Ok(Some(status)) = process.try_wait() {
                panic!("{program}: {status}\n{}", logs(directory.path()));
            }
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Self {
            port,
            process,
            _directory: directory,
        }
    }
}

fn logs(directory: &Path) -> String {
    let read = |name| fs::read_to_string(directory.join(name)).unwrap_or_default();
    read("output.log") + &read("error.log")
}

impl Drop for FileServer {
    fn drop(&mut self) {
        // Not killed: it has workers of its own to end.
        let pid = rustix::process::Pid::from_child(&self.process);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.process.wait();
    }
}
