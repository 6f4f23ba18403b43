//! Where words go: data to stdout, the rest to stderr; a reader or a terminal that has gone away is no error.

use std::fs::File;
use std::io::{Error, ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;

use rustix::io::Errno;

use crate::cli::exit::Exit;

/// Writes data to stdout, with a line end. When that fails, a script must not take the rest for the whole: it is told,
/// and the program ends with [`Exit::CouldNotRun`].
#[must_use]
pub fn data(text: &str) -> Exit {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe && !is_hung_up(&error) => {
            remark(&format!("error: cannot write to stdout: {error}"));
            Exit::CouldNotRun
        }
        // A reader that has read enough, such as `head`, is content.
        _ => Exit::Passed,
    }
}

/// Whether stdout was a terminal that has gone away. Then it is none any more, and nothing but a device that fails.
fn is_hung_up(error: &Error) -> bool {
    let is_device = || {
        let stdout = File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
        Ok::<_, Error>(stdout.metadata()?.file_type().is_char_device())
    };
    error.raw_os_error() == Some(Errno::IO.raw_os_error()) && is_device().unwrap_or(false)
}

/// Writes a word to the user to stderr, with a line end.
pub fn remark(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", text.trim_end_matches('\n'));
}

/// Whether stdout may have colours: a terminal, and no `NO_COLOR`.
pub fn data_has_colour() -> bool {
    std::io::stdout().is_terminal() && wants_colour()
}

/// Whether stderr may have colours: a terminal, and no `NO_COLOR`.
pub fn remarks_have_colour() -> bool {
    std::io::stderr().is_terminal() && wants_colour()
}

/// `NO_COLOR` counts when it is set to anything but nothing.
fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
