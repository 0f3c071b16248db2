//! The program as a process: what its surroundings may do to it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Longer than anything here takes on a busy machine; nothing waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn it_outlives_whoever_reads_its_log_and_ends_when_told_to() {
    let mut masthead = Command::new(env!("CARGO_BIN_EXE_masthead"))
        .args(["--demo", "--listen", "127.0.0.1:0", "--log", "debug", "--drain", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(masthead.stderr.take());
    let mut said = String::new();
    let stdout = masthead.stdout.take().expect("a pipe");
    BufReader::new(stdout).read_line(&mut said).expect("its address");
    let address = said.trim().strip_prefix("Masthead is at http://").expect("its address").to_owned();

    // Each of these is logged, and so is all that the demo does meanwhile.
    for path in ["/livez", "/api/v1/pods", "/pods", "/nowhere", "/livez"] {
        let mut stream = TcpStream::connect(&address).expect("a connection");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 "), "{path}: {answer}");
    }

    let id = masthead.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(masthead.wait()));
    match end.recv_timeout(PATIENCE) {
        Ok(status) => assert!(status.expect("an exit status").success()),
        Err(_) => {
            let _ = Command::new("kill").args(["-KILL", &id]).status();
            panic!("it did not end within {PATIENCE:?}");
        }
    }
}
