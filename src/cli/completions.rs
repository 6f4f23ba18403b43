//! `dmswarm completions`: prints a completion script for a shell.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::args::CommandLine;
use crate::cli::exit::Exit;
use crate::cli::output;

/// Prints the script of one shell.
pub fn print(shell: Shell) -> Exit {
    output::data(&script(shell))
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "dmswarm", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_knows_the_commands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            assert!(script(shell).contains("completions"), "{shell}");
        }
    }
}
