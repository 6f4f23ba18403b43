//! One finding as a file: which promise broke, by which plan, in which scenario. Enough to see it again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::scenario::problem::did_you_mean;

/// `finding.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingFile {
    /// `dmswarm.finding/1`.
    pub schema: String,
    /// The stable name of the promise.
    pub promise: String,
    pub says: String,
    /// Every promise that the plan breaks, this one included.
    pub promises: Vec<String>,
    /// What was seen instead of what the promises say.
    pub seen: Vec<String>,
    /// Stands for the plan.
    pub signature: String,
    /// A device of this kind of journeys.
    pub kind: String,
    /// How many devices were looked at.
    pub devices: usize,
    pub policy: String,
    /// What operators wish: steps of a journey, in order.
    pub wishes: Vec<String>,
    /// What happens otherwise than by itself.
    pub decisions: Vec<String>,
    /// The scenario file, with every default filled in.
    pub scenario: String,
}

/// Why there is no finding to read.
#[derive(Debug, thiserror::Error)]
pub enum FindingError {
    #[error("cannot read `{}`: {source}; expected the folder of a finding, or its finding.toml", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("`{}` is no finding: {message}", file.display())]
    NoFinding { file: PathBuf, message: String },
    #[error("`{}`: `{key}`: {message}", file.display())]
    WrongKey { file: PathBuf, key: &'static str, message: String },
    #[error("`{}` is of schema `{found}`, and this program reads `{}`", file.display(), FindingFile::SCHEMA)]
    OtherSchema { file: PathBuf, found: String },
}

impl FindingFile {
    pub const SCHEMA: &str = "dmswarm.finding/1";
    /// How many devices can be looked at together.
    pub const MOST_DEVICES: usize = 4;

    /// Reads a finding from its folder, or from the file itself. `promises`: the names of all there are.
    ///
    /// # Errors
    /// [`FindingError`] when there is none.
    pub fn read(path: &Path, promises: &[&str]) -> Result<FindingFile, FindingError> {
        let file = if path.is_dir() { path.join("finding.toml") } else { path.to_owned() };
        let text =
            fs::read_to_string(&file).map_err(|source| FindingError::Unreadable { file: file.clone(), source })?;
        let finding: FindingFile = toml::from_str(&text)
            .map_err(|error| FindingError::NoFinding { file: file.clone(), message: printable(&error.to_string()) })?;
        if finding.schema != FindingFile::SCHEMA {
            return Err(FindingError::OtherSchema { file, found: printable(&finding.schema) });
        }
        match finding.wrong_key(promises) {
            Some((key, message)) => Err(FindingError::WrongKey { file, key, message }),
            None => Ok(finding),
        }
    }

    /// The first key whose value means nothing, and why.
    fn wrong_key(&self, promises: &[&str]) -> Option<(&'static str, String)> {
        if let Some((key, found)) = self.texts().find(|(_, text)| text.contains(is_unprintable)) {
            return Some((key, format!("expected text that can be printed, found `{}`", printable(found))));
        }
        let mut named =
            [("promise", &self.promise)].into_iter().chain(self.promises.iter().map(|one| ("promises", one)));
        if let Some((key, unknown)) = named.find(|(_, name)| !promises.contains(&name.as_str())) {
            let near =
                did_you_mean(unknown, promises.iter().copied()).map_or_else(String::new, |near| format!("; {near}"));
            return Some((
                key,
                format!("there is no promise `{unknown}`{near}\nThe promises are: {}", promises.join(", ")),
            ));
        }
        if !(1..=FindingFile::MOST_DEVICES).contains(&self.devices) {
            let most = FindingFile::MOST_DEVICES;
            return Some(("devices", format!("expected 1 to {most}, found {}", self.devices)));
        }
        None
    }

    /// Every text that may be printed, with its key. The scenario has a reader of its own.
    fn texts(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let ones = [
            ("promise", &self.promise),
            ("says", &self.says),
            ("signature", &self.signature),
            ("kind", &self.kind),
            ("policy", &self.policy),
        ];
        let lists = [
            ("promises", &self.promises),
            ("seen", &self.seen),
            ("wishes", &self.wishes),
            ("decisions", &self.decisions),
        ];
        ones.into_iter().chain(lists.into_iter().flat_map(|(key, texts)| texts.iter().map(move |text| (key, text))))
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let head = "# What broke, and how to see it again: `dmswarm replay` with this file or its folder.\n\n";
        format!("{head}{}", toml::to_string_pretty(self).expect("texts and lists have a TOML form"))
    }
}

/// Whether a terminal might take this for a command.
fn is_unprintable(one: char) -> bool {
    one.is_control()
}

/// A text of a file as it can be shown: what is no letter is spelt out, except for line ends.
fn printable(text: &str) -> String {
    let shown =
        |one: char| if is_unprintable(one) && one != '\n' { one.escape_default().to_string() } else { one.to_string() };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding() -> FindingFile {
        FindingFile {
            schema: FindingFile::SCHEMA.to_owned(),
            promise: "manageable".to_owned(),
            says: "somebody can".to_owned(),
            promises: vec!["manageable".to_owned()],
            seen: Vec::new(),
            signature: "0".to_owned(),
            kind: "plain".to_owned(),
            devices: 1,
            policy: "literal".to_owned(),
            wishes: Vec::new(),
            decisions: Vec::new(),
            scenario: "name = \"x\"\n".to_owned(),
        }
    }

    /// What is said of a finding whose file has been changed like this.
    fn refused(change: impl FnOnce(&mut FindingFile)) -> String {
        let mut finding = finding();
        change(&mut finding);
        read(&finding.text()).expect_err("it means nothing").to_string()
    }

    fn read(text: &str) -> Result<FindingFile, FindingError> {
        let name = format!("dmswarm-finding-{}-{:?}.toml", std::process::id(), std::thread::current().id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, text).expect("a file");
        let read = FindingFile::read(&path, &["manageable", "records_agree"]);
        fs::remove_file(&path).expect("it is there");
        read
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(read(&finding().text()).expect("a finding"), finding());
    }

    #[test]
    fn keys_whose_values_mean_nothing_are_named() {
        for (said, part) in [
            (
                refused(|file| file.promise = "managable".to_owned()),
                "`promise`: there is no promise `managable`; did you mean `manageable`?",
            ),
            (refused(|file| file.promise = "nonsense".to_owned()), "The promises are: manageable, records_agree"),
            (refused(|file| file.promises.push("nonsense".to_owned())), "`promises`: there is no promise `nonsense`"),
            (refused(|file| file.devices = 0), "`devices`: expected 1 to 4, found 0"),
            (refused(|file| file.devices = 1_000_000_000), "`devices`: expected 1 to 4, found 1000000000"),
        ] {
            assert!(said.contains(part) && said.contains("dmswarm-finding-"), "{said}");
        }
    }

    #[test]
    fn nothing_of_a_file_reaches_the_terminal_that_it_might_take_for_a_command() {
        let red = "\u{1b}[31m";
        for said in [
            refused(|file| file.promise = red.to_owned()),
            refused(|file| file.wishes.push(red.to_owned())),
            refused(|file| file.schema = red.to_owned()),
            read(&format!("{red} = 3\n")).expect_err("no TOML").to_string(),
            read(&format!("\"{}\" = 3\n{}", "\\u001b[31m", finding().text())).expect_err("no such key").to_string(),
        ] {
            assert!(said.contains("\\u{1b}[31m") && !said.contains('\u{1b}'), "{said:?}");
        }
    }
}
