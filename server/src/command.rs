//! `masthead link …`: what is shared, from a terminal. Works on the file that `--state` names, whether or not a server
//! runs on it; one that does sees the change within a second.

use std::io::{self, Write};

use app::api::Text;
use clap::Subcommand;

use crate::{
    StartError,
    audience::{
        Links, Sharer,
        links::{self, Wanted},
        register::Link,
    },
    config::Config,
    http::sentence,
};

/// What is done instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Make, list and end links: parts of the cluster for whoever has an address with a secret in it
    #[command(subcommand)]
    Link(LinkCommand),
    /// Serve the invented cluster to strangers: nobody signs in, nothing is shared or kept, nothing is counted for
    /// anybody, and an address has few connections
    DemoLink,
}

/// What is done with links.
#[derive(Clone, Debug, Subcommand)]
pub enum LinkCommand {
    /// Make a link and print its address, which is shown this once
    Create(Create),
    /// List the links there are
    List,
    /// End a link for everybody who looks by it, within a second
    Revoke {
        /// Its id, as `masthead link list` prints it
        id: String,
    },
}

/// A link to be made.
#[derive(Clone, Debug, clap::Args)]
pub struct Create {
    /// What it is called; those who open it read this
    #[arg(long)]
    name: String,

    /// Show this namespace only; repeat it, or separate with commas, for several [default: all]
    #[arg(long, short, value_name = "NAME", value_delimiter = ',')]
    namespace: Vec<String>,

    /// Show only what has such labels, as in kubectl get -l
    #[arg(long, short = 'l', value_name = "SELECTOR", default_value = "", hide_default_value = true)]
    selector: String,

    /// Show these kinds, separated by commas
    #[arg(long, value_name = "KINDS", value_delimiter = ',', default_value = links::SHOWN)]
    show: Vec<String>,

    /// Hide these, separated by commas: node-names, images, addresses, names (of everything; others take
    /// their place)
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    hide: Vec<String>,

    /// How long it lasts: 30m, 12h, 7d, at most 90d
    #[arg(long = "for", value_name = "TIME", default_value = "24h")]
    lasts: String,

    /// How many may look at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    viewers: u32,
}

impl Command {
    /// Does it, and prints what comes of it.
    pub fn run(self, config: &Config) -> Result<(), StartError> {
        let Command::Link(command) = self else { return Ok(()) };
        if config.state.is_none() {
            return Err(StartError::NoState);
        }
        let links = Links::of(config.register()?);
        let by = Sharer { name: Text::from(user()), from: None };
        let mut out = io::stdout().lock();
        let printed = match command {
            LinkCommand::Create(create) => {
                let id = links.draft(&create.wanted(), &by)?;
                let secret = links.hand_out(&id, &by)?;
                writeln!(out, "{}", links::address(&config.site(), &id, &secret))
            }
            LinkCommand::List => list(&mut out, &links),
            LinkCommand::Revoke { id } => {
                links.revoke(&id, &by)?;
                writeln!(out, "{id} has ended")
            }
        };
        printed.map_err(StartError::Serve)
    }
}

impl Create {
    fn wanted(self) -> Wanted {
        let Create { name, namespace, selector, show, hide, lasts, viewers } = self;
        Wanted { name, namespaces: namespace, selector, kinds: show, hide, lasts, viewers }
    }
}

/// Whoever sits at the terminal.
fn user() -> String {
    std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_else(|_| "the command line".to_owned())
}

fn list(out: &mut impl Write, links: &Links) -> io::Result<()> {
    let records = links.register().records();
    if records.links.is_empty() {
        return writeln!(out, "there is no link");
    }
    let line = |link: &Link| {
        [
            link.id.to_string(),
            link.name.to_string(),
            if link.is_draft() { "draft".to_owned() } else { link.until.to_string() },
            link.used.map_or_else(|| "never".to_owned(), |used| used.to_string()),
            link.by.to_string(),
            sentence(Some(&link.grant)),
        ]
    };
    let heading = ["ID", "NAME", "ENDS", "LAST USED", "BY", "SHOWS"].map(str::to_owned);
    let lines: Vec<[String; 6]> = std::iter::once(heading).chain(records.links.iter().map(line)).collect();
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("   ").trim_end())?;
    }
    Ok(())
}
