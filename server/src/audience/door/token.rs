//! `--auth token`: a secret that everybody shares who may come in, in a file.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;

/// Less can be guessed.
const SHORTEST: usize = 16;
/// More is not a token but a wrong file.
const LONGEST: u64 = 4096;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // each says what it is
pub enum TokenError {
    #[error("{} cannot be read: {error}", file.display())]
    Unreadable { file: PathBuf, error: io::Error },
    #[error("{} is empty", file.display())]
    Empty { file: PathBuf },
    #[error("the token in {} is shorter than {SHORTEST} characters, which can be guessed", file.display())]
    Short { file: PathBuf },
    #[error("{} is longer than {LONGEST} bytes or not text: no token", file.display())]
    NotAToken { file: PathBuf },
}

/// The shared token, as its file has it.
#[derive(Debug)]
pub struct Token {
    file: PathBuf,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    hash: [u8; 32],
    rotated: CancellationToken,
    /// What was last wrong with the file, so that it is said once.
    wrong: Option<String>,
}

impl Token {
    /// Reads it, and warns where others can.
    pub fn open(file: &Path) -> Result<Token, TokenError> {
        let hash = read(file)?;
        if let Some(mode) = open_to_others(file) {
            tracing::warn!(
                file = %file.display(),
                mode = format!("{mode:03o}"),
                "the file with the token can be read by others: chmod 600"
            );
        }
        let current = Mutex::new(Current { hash, rotated: CancellationToken::new(), wrong: None });
        Ok(Token { file: file.to_owned(), current })
    }

    /// What is cancelled when `given` stops being the token; nothing if it is not. Takes as long for whatever is given.
    pub fn good(&self, given: &str) -> Option<CancellationToken> {
        // Both hashed: of equal length, and the time to compare them says nothing about either.
        let given: [u8; 32] = Sha256::digest(given).into();
        let current = self.current();
        bool::from(given.ct_eq(&current.hash)).then(|| current.rotated.clone())
    }

    /// Looks whether the file has another token now; then nobody is in any more who came with the old one. A file
    /// that cannot be used changes nothing.
    pub async fn reread(&self) {
        let file = self.file.clone();
        let Ok(read) = tokio::task::spawn_blocking(move || read(&file)).await else { return };
        let mut current = self.current();
        match read {
            Ok(hash) if hash == current.hash => current.wrong = None,
            Ok(hash) => {
                tracing::info!(file = %self.file.display(), "another token: what was opened with the old one ends");
                current.rotated.cancel();
                *current = Current { hash, rotated: CancellationToken::new(), wrong: None };
            }
            Err(error) => {
                let wrong = Some(error.to_string());
                if current.wrong != wrong {
                    tracing::error!(%error, "the token stays what it was");
                    current.wrong = wrong;
                }
            }
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        // Nothing panics while it is held.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(file: &Path) -> Result<[u8; 32], TokenError> {
    use io::Read;

    let owned = || file.to_owned();
    let mut text = String::new();
    let opened = std::fs::File::open(file);
    let read = opened.and_then(|opened| opened.take(LONGEST + 1).read_to_string(&mut text));
    match read {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(TokenError::NotAToken { file: owned() });
        }
        Err(error) => return Err(TokenError::Unreadable { file: owned(), error }),
        Ok(_) => {}
    }
    let token = text.trim_end_matches(['\r', '\n']);
    match token.chars().count() {
        0 => Err(TokenError::Empty { file: owned() }),
        n if n < SHORTEST => Err(TokenError::Short { file: owned() }),
        _ if text.len() as u64 > LONGEST => Err(TokenError::NotAToken { file: owned() }),
        _ => Ok(Sha256::digest(token).into()),
    }
}

/// The permissions of a file that more than its owner and group can read.
fn open_to_others(file: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;

    let mode = std::fs::metadata(file).ok()?.permissions().mode() & 0o777;
    (mode & 0o004 != 0).then_some(mode)
}
