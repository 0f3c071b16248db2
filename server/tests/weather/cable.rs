//! What is between a page and Masthead: a connection's bytes, both ways.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use axum::body::Body;
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream},
    sync::watch,
    task::{AbortHandle, JoinSet},
};
use tower::ServiceExt;

/// How a cable carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Carries {
    #[default]
    All,
    /// Nothing for now; it waits.
    Nothing,
    /// Nothing ever: what goes in is lost, and neither end is told.
    Swallows,
    /// The same, but only of what Masthead says,
    Deafens,
    /// or of what the page says.
    Mutes,
    /// What Masthead says next comes as something else.
    Garbles,
    /// A little at a time.
    Slowly,
}

impl Carries {
    /// Whether what goes this way is lost.
    fn swallows(self, way: Way) -> bool {
        match self {
            Carries::Swallows => true,
            Carries::Deafens => way == Way::ToPage,
            Carries::Mutes => way == Way::ToMasthead,
            Carries::All | Carries::Nothing | Carries::Garbles | Carries::Slowly => false,
        }
    }

    /// Whether something has been lost for ever.
    fn is_lossy(self) -> bool {
        [Way::ToPage, Way::ToMasthead].into_iter().any(|way| self.swallows(way))
    }
}

/// Where bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    ToPage,
    ToMasthead,
}

/// From one page to wherever Masthead is. Connections come and go; what is done to it is done to all there are.
#[derive(Clone, Default)]
pub struct Cable {
    open: Arc<Mutex<Vec<Open>>>,
    slow: Arc<Mutex<bool>>,
}

/// One connection: how it carries, and what carries.
type Open = (watch::Sender<Carries>, AbortHandle);

/// Bytes that wait in each direction, as in a socket's buffers.
const BUFFER: usize = 4 << 10;

impl Cable {
    /// A new connection: the page's end, and Masthead's.
    pub fn connect(&self, tasks: &mut JoinSet<()>) -> (DuplexStream, DuplexStream) {
        let (page, near) = tokio::io::duplex(BUFFER);
        let (far, masthead) = tokio::io::duplex(BUFFER);
        let carries = if *self.slow.lock().expect("no panic") { Carries::Slowly } else { Carries::All };
        let (sender, carries) = watch::channel(carries);
        let (near_read, near_write) = tokio::io::split(near);
        let (far_read, far_write) = tokio::io::split(far);
        let other = carries.clone();
        let pumping = tasks.spawn(async move {
            tokio::select! {
                () = pump(near_read, far_write, carries, Way::ToMasthead) => {}
                () = pump(far_read, near_write, other, Way::ToPage) => {}
            }
        });
        self.open.lock().expect("no panic").push((sender, pumping));
        (page, masthead)
    }

    /// Both ends find themselves cut off.
    pub fn cut(&self) {
        self.open.lock().expect("no panic").drain(..).for_each(|(_, pumping)| pumping.abort());
    }

    /// Bytes wait until [`Cable::mend`].
    pub fn stall(&self) {
        self.all(Carries::Nothing);
    }

    /// Bytes of what is open vanish.
    pub fn swallow(&self) {
        self.all(Carries::Swallows);
    }

    /// What Masthead says in what is open is lost, and what the page says is not.
    pub fn deafen(&self) {
        self.all(Carries::Deafens);
    }

    /// What the page says in what is open is lost, and what Masthead says is not.
    pub fn mute(&self) {
        self.all(Carries::Mutes);
    }

    /// Something else comes than what Masthead says, in what is open.
    pub fn garble(&self) {
        self.all(Carries::Garbles);
    }

    /// Bytes come slowly, now and in what is opened later.
    pub fn slow_down(&self) {
        *self.slow.lock().expect("no panic") = true;
        self.all(Carries::Slowly);
    }

    /// All is well, but for connections that have lost something.
    pub fn mend(&self) {
        *self.slow.lock().expect("no panic") = false;
        self.all(Carries::All);
    }

    fn all(&self, carries: Carries) {
        for (open, _) in self.open.lock().expect("no panic").iter() {
            open.send_if_modified(|now| {
                let changes = !now.is_lossy() && *now != carries;
                if changes {
                    *now = carries;
                }
                changes
            });
        }
    }
}

/// Until one end has closed. One that swallows says nothing of it to the other.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut carries: watch::Receiver<Carries>,
    way: Way,
) {
    let mut buffer = vec![0; 4096];
    loop {
        let slow = *carries.borrow() == Carries::Slowly;
        let room = if slow { 1024 } else { buffer.len() };
        let read = match from.read(&mut buffer[..room]).await {
            Ok(read) if read > 0 => read,
            _ if carries.borrow().is_lossy() => return std::future::pending().await,
            _ => return,
        };
        if slow {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        if carries.wait_for(|carries| *carries != Carries::Nothing).await.is_err() {
            return;
        }
        let carries = *carries.borrow();
        if carries.swallows(way) {
            continue;
        }
        if carries == Carries::Garbles && way == Way::ToPage {
            buffer[..read].fill(0xff);
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// Serves what comes over a cable, until that is cut.
pub async fn serve(site: axum::Router, far: DuplexStream) {
    let service = service_fn(move |request: Request<Incoming>| {
        let site = site.clone();
        async move {
            Ok::<_, Infallible>(
                site.oneshot(request.map(Body::new)).await.unwrap_or_else(|never| match never {}),
            )
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    let _ = http.serve_connection(TokioIo::new(far), service).with_upgrades().await; // cables are cut here
}
