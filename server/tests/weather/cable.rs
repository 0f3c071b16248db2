//! What is between a page and Masthead: a connection's bytes, both ways.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream},
    sync::watch,
    task::{AbortHandle, JoinSet},
};

/// How a cable carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Carries {
    #[default]
    All,
    /// Nothing for now; it waits.
    Nothing,
    /// Nothing ever: what goes in is lost, and neither end is told.
    Swallows,
    /// A little at a time.
    Slowly,
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
const BUFFER: usize = 16 << 10;

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
                () = pump(near_read, far_write, carries) => {}
                () = pump(far_read, near_write, other) => {}
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
                let changes = *now != Carries::Swallows && *now != carries;
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
) {
    let mut buffer = vec![0; 4096];
    loop {
        let slow = *carries.borrow() == Carries::Slowly;
        let room = if slow { 128 } else { buffer.len() };
        let read = match from.read(&mut buffer[..room]).await {
            Ok(read) if read > 0 => read,
            _ if *carries.borrow() == Carries::Swallows => return std::future::pending().await,
            _ => return,
        };
        if slow {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        if carries.wait_for(|carries| *carries != Carries::Nothing).await.is_err() {
            return;
        }
        if *carries.borrow() == Carries::Swallows {
            continue;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
