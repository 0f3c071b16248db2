//! What may come in masses from outside, against the binary as it is run: its memory and its files stay where they
//! were, and others are served meanwhile.

// A test that cannot go on should stop; what was reached is worth reading.
#![allow(clippy::expect_used, clippy::print_stdout)]

mod site;
mod viewer;

use std::{
    io::Write,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use app::{
    api::{Kind, Kinds, ObjectKey},
    wire::{self, Ask, Drawing, LONGEST_ASK},
};
use site::{PATIENCE, Process, Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
};

/// Memory that may be kept after a flood: what an allocator does not give back, with some room.
const KEPT: u64 = 48 << 20;

/// The same numbers at each run (xorshift64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// An open websocket, below the level of frames.
async fn websocket(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let at = server.address;
    let head = format!(
        "GET /live?kinds=pods HTTP/1.1\r\nHost: {at}\r\nOrigin: http://{at}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = tokio::time::timeout(PATIENCE, stream.read_buf(&mut answer)).await;
        assert!(
            read.expect("in time").expect("readable") > 0,
            "closed: {}",
            String::from_utf8_lossy(&answer)
        );
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
    stream
}

/// A frame as RFC 6455, 5.2 has it, masked with zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        middle @ 126..0x1_0000 => {
            frame.push(0x80 | 126);
            frame.extend((middle as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

const FIN: u8 = 0x80;
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// Frames after the first of which nothing of the kind is listened to.
fn refused_at_once(kind: u64, chance: &mut Chance) -> Vec<u8> {
    match kind % 10 {
        0 => {
            // longer than what is taken, so that nobody waits for the rest of it
            let length = 14 + LONGEST_ASK + chance.next() as usize % 300;
            let mut random = chance.bytes(length);
            random[0] |= 0x70; // reserved bits: never a frame
            random
        }
        1 => frame(FIN | BINARY, &vec![0; LONGEST_ASK + 1]),
        // only the announcement of 2^62 bytes
        2 => [&[FIN | BINARY, 0x80 | 127][..], &(1u64 << 62).to_be_bytes(), &[0; 4]].concat(),
        // without a mask, RFC 6455, 5.1
        3 => vec![FIN | BINARY, 3, 1, 2, 3],
        4 => frame(FIN | TEXT, b"{\"method\":\"DELETE\"}"),
        5 => frame(FIN | (3 + (chance.next() % 5) as u8), b"x"),
        // a control frame in pieces, or too long (5.5)
        6 => frame(PING, b"x"),
        7 => frame(FIN | PING, &[0; 126]),
        // a message that goes on where none has begun
        8 => frame(FIN | CONTINUATION, b"x"),
        _ => {
            let length = 1 + chance.next() as usize % LONGEST_ASK;
            let mut ask = chance.bytes(length);
            ask[0] = 0xff; // no variant has this number
            frame(FIN | BINARY, &ask)
        }
    }
}

/// Frames of which any number is listened to.
fn listened_to(kind: u64, chance: &mut Chance) -> Vec<u8> {
    let workload = ObjectKey {
        kind: Kind::Deployment,
        namespace: "default".to_owned(),
        name: "example-deployment-randomforest".to_owned(),
    };
    let ask = |ask: Ask| frame(FIN | BINARY, &wire::to_bytes(&ask));
    match kind % 6 {
        0 => frame(FIN | PING, &chance.bytes(125)),
        1 => frame(FIN | PONG, &chance.bytes(125)),
        2 => ask(Ask::Resync),
        3 => ask(Ask::Draw(Some(Drawing { key: workload, between: Some((1, 2)) }))),
        4 => ask(Ask::Look(Some(workload))),
        _ => ask(Ask::Kinds(
            [Kind::ALL[chance.next() as usize % Kind::ALL.len()]].into_iter().collect::<Kinds>(),
        )),
    }
}

/// Until the other side has closed, whatever it says before.
async fn drained(stream: &mut TcpStream) {
    let mut nowhere = [0; 4096];
    let reading = async { while matches!(stream.read(&mut nowhere).await, Ok(1..)) {} };
    tokio::time::timeout(PATIENCE, reading).await.expect("closed in time");
}

/// Sends about `frames` of them; how many.
async fn hostile(server: &Server, frames: u64, seed: u64) -> u64 {
    let mut chance = Chance(seed);
    let mut sent = 0;
    let mut round = 0;
    while sent < frames {
        round += 1;
        for kind in 0..10 {
            let mut stream = websocket(server).await;
            stream.write_all(&refused_at_once(kind, &mut chance)).await.expect("sent");
            drained(&mut stream).await;
            sent += 1;
        }
        // In one stream, by somebody who does not read: it ends when the server has enough of that.
        let mut stream = websocket(server).await;
        let mut all = Vec::new();
        for _ in 0..60 {
            all.extend(listened_to(round, &mut chance));
        }
        // a message that never ends, of empty pieces
        all.extend(frame(BINARY, b""));
        for _ in 0..100 {
            all.extend(frame(CONTINUATION, b""));
        }
        if let Ok(Ok(())) = tokio::time::timeout(PATIENCE, stream.write_all(&all)).await {
            sent += 161;
        }
        if round % 2 == 0 {
            stream.write_all(&frame(FIN | CLOSE, &[0x03])).await.ok();
            sent += 1;
            drained(&mut stream).await;
        }
    }
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_hostile_frames_cost_nobody_else_anything() {
    let process = Arc::new(Process::start(&["--demo"]));
    process.get_until("/readyz", "200 OK").await;
    hostile(&process, 5_000, 7).await; // what is allocated once
    let before = process.memory("VmRSS");
    let over = Arc::new(AtomicBool::new(false));

    // Somebody who looks meanwhile. That frames follow on one another, and are right, the viewer checks itself.
    let looking = tokio::spawn({
        let (process, over) = (process.clone(), over.clone());
        async move {
            let mut socket = process.socket("").await;
            let mut beats = 0;
            while !over.load(Ordering::Relaxed) {
                let next = socket.viewer.beats + 1;
                socket.until("the next beat", |viewer| viewer.beats >= next).await;
                beats += 1;
                let answer = process.get("/api/v1/pods?output=name").await;
                assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            }
            beats
        }
    });
    let mut attackers = JoinSet::new();
    let begin = Instant::now();
    for seed in 1..=4 {
        let process = process.clone();
        attackers.spawn(async move { hostile(&process, 25_000, seed).await });
    }
    let mut sent = 0;
    while let Some(more) = attackers.join_next().await {
        sent += more.expect("an attacker that ends");
    }
    let took = begin.elapsed();
    over.store(true, Ordering::Relaxed);
    let beats = looking.await.expect("a viewer that was served throughout");
    let (after, most) = (process.memory("VmRSS"), process.memory("VmHWM"));
    println!(
        "{sent} frames in {:.1} s, {beats} beats meanwhile; memory {} MB, then {} MB, at most {} MB",
        took.as_secs_f64(),
        before >> 20,
        after >> 20,
        most >> 20
    );
    assert!(sent >= 100_000 && beats > 0);
    assert!(
        after < before + KEPT && most < before + 2 * KEPT,
        "{before} bytes, then {after}, at most {most}"
    );
}

/// One that comes and goes, in one of the ways there are.
async fn visit(server: &Server, number: u64) {
    // Other addresses of this machine, because one alone has too few ports for as many in a minute.
    let from = Ipv4Addr::new(127, 0, (number % 200) as u8, 1 + (number / 200 % 200) as u8);
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((from, 0).into()).expect("a port");
    let mut stream = socket.connect(server.address).await.expect("a connection");
    // Reset and not closed: a port that waits for late packets cannot be used again.
    stream.set_zero_linger().expect("set");
    let at = server.address;
    match number % 5 {
        0 => {}
        1 => stream.write_all(b"GET / HT").await.expect("sent"),
        2 => {
            let head = format!("GET /livez HTTP/1.1\r\nHost: {at}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.expect("sent");
            let mut answer = [0; 12];
            let read = tokio::time::timeout(PATIENCE, stream.read_exact(&mut answer)).await;
            read.expect("in time").expect("an answer");
            assert_eq!(&answer, b"HTTP/1.1 200");
        }
        3 => {
            let head = format!("GET /api/v1/watch?kinds=nodes HTTP/1.1\r\nHost: {at}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.expect("sent");
        }
        _ => {
            let head = format!(
                "GET /live?kinds=nodes HTTP/1.1\r\nHost: {at}\r\nOrigin: http://{at}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.expect("sent");
            let mut answer = [0; 12];
            let read = tokio::time::timeout(PATIENCE, stream.read_exact(&mut answer)).await;
            read.expect("in time").expect("an answer");
            assert_eq!(&answer, b"HTTP/1.1 101");
        }
    }
}

/// Comes and goes until either is reached; how often.
async fn churn(process: &Arc<Process>, most: u64, until: Option<Instant>) -> u64 {
    let number = Arc::new(AtomicU64::new(0));
    let mut visitors = JoinSet::new();
    for _ in 0..8 {
        let (process, number) = (process.clone(), number.clone());
        visitors.spawn(async move {
            while until.is_none_or(|end| Instant::now() < end) {
                let number = number.fetch_add(1, Ordering::Relaxed);
                if number >= most {
                    break;
                }
                visit(&process, number).await;
            }
        });
    }
    while let Some(ended) = visitors.join_next().await {
        ended.expect("a visitor that is served");
    }
    number.load(Ordering::Relaxed).min(most)
}

/// Until no more files are open than there were.
async fn files_back_to(process: &Process, before: usize) {
    let closing = async {
        while process.files() > before {
            // each answer gives the server time to notice who is gone
            process.get("/livez").await;
        }
    };
    let closed = tokio::time::timeout(PATIENCE, closing).await;
    closed.unwrap_or_else(|_| panic!("{} files are open, {before} were", process.files()));
}

/// As many as fit into half a minute; `CHURN=1000000` for so many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_and_goes_leaves_nothing_behind() {
    let process = Arc::new(Process::start(&["--demo"]));
    process.get_until("/readyz", "200 OK").await;
    let idle = process.files();
    churn(&process, 2_000, None).await; // what is allocated once
    files_back_to(&process, idle).await;
    let before = process.memory("VmRSS");
    let asked: Option<u64> =
        std::env::var("CHURN").ok().map(|number| number.parse().expect("CHURN is a number"));
    let begin = Instant::now();
    let visits = match asked {
        Some(number) => churn(&process, number, None).await,
        None => churn(&process, u64::MAX, Some(begin + Duration::from_secs(30))).await,
    };
    let took = begin.elapsed().as_secs_f64();
    files_back_to(&process, idle).await;
    let after = process.memory("VmRSS");
    println!(
        "{visits} visits in {took:.1} s, {:.0} a second; memory {} MB, then {} MB; {idle} files, then {}",
        visits as f64 / took,
        before >> 20,
        after >> 20,
        process.files()
    );
    assert!(after < before + KEPT, "{before} bytes, then {after}");
    assert!(process.get("/api/v1/pods?output=name").await.contains("pod/"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_never_ends_a_request_keeps_nobody_waiting() {
    let process = Process::start(&["--demo"]);
    process.get_until("/readyz", "200 OK").await;
    let idle = process.files();
    let before = process.memory("VmRSS");
    let mut slow = Vec::new();
    for _ in 0..500 {
        let mut stream = TcpStream::connect(process.address).await.expect("a connection");
        stream.write_all(b"GET / HTTP/1.1\r\nX-A: ").await.expect("sent");
        slow.push(stream);
    }
    for round in 0..20 {
        for stream in &mut slow {
            // the server may have had enough of it
            stream.write_all(b"a").await.ok();
        }
        let answer = process.get("/api/v1/pods?output=name").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "round {round}: {answer}");
    }
    let mut socket = process.socket("").await;
    socket.until("a beat", |viewer| viewer.beats > 0).await;
    assert!(process.memory("VmRSS") < before + KEPT);
    drop(socket);
    // It is the server that has enough of them; here they are still open.
    files_back_to(&process, idle).await;
    drop(slow);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_is_neither_read_nor_unpacked() {
    let process = Process::start(&["--demo"]);
    process.get_until("/readyz", "200 OK").await;
    let before = process.memory("VmHWM");
    // 1 GiB of zeros in a megabyte.
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let zeros = vec![0; 1 << 20];
    for _ in 0..1024 {
        bomb.write_all(&zeros).expect("packed");
    }
    let bomb = bomb.finish().expect("packed");
    for (method, path) in
        [("POST", "/"), ("POST", "/api/v1/pods"), ("PUT", "/live"), ("GET", "/pods"), ("GET", "/api/v1/pods")]
    {
        let mut stream = TcpStream::connect(process.address).await.expect("a connection");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            process.address,
            bomb.len()
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        let (mut from, mut to) = stream.split();
        let mut answer = [0; 12];
        let (_, read) = tokio::join!(
            async { to.write_all(&bomb).await.ok() }, // not taken to its end, for all we know
            tokio::time::timeout(PATIENCE, from.read_exact(&mut answer))
        );
        read.expect("in time").expect("an answer");
        let expected: &[u8] = if method == "GET" { b"HTTP/1.1 200" } else { b"HTTP/1.1 4" };
        assert!(answer.starts_with(expected), "{method} {path}: {}", String::from_utf8_lossy(&answer));
    }
    let most = process.memory("VmHWM");
    assert!(most < before + KEPT, "{before} bytes at most before, {most} after");
}
