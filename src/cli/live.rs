//! The live view of a run: a thread of its own that owns the terminal, and gives it back whatever happens.

use std::io::{self, BufWriter, IsTerminal, Stderr};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{panic, thread};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, getpgrp, getpid, kill_process};
use rustix::termios::tcgetpgrp;

use crate::cli::args::Flags;
use crate::cli::keys::{Hand, Wish, press};
use crate::cli::output;
use crate::clock::{Clock, Moment};
use crate::report::live::draw;
use crate::report::live::screen::{Beat, Screen};
use crate::run::control::Keys;

/// The screen is drawn at most once in this time; keys are heard at once.
const EVERY: Duration = Duration::from_millis(100);

/// Whether there is somebody to see a live view, and to press its keys: a terminal on both sides, in the foreground.
pub fn is_wanted(flags: &Flags) -> bool {
    let (stdin, stderr) = (io::stdin(), io::stderr());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let is_hushed = flags.no_live || flags.quiet;
    !is_hushed && !is_dumb && stdin.is_terminal() && stderr.is_terminal() && tcgetpgrp(&stdin) == Ok(getpgrp())
}

/// A live view that is shown. When it goes, the terminal is as it was, and what has to be kept in sight is printed.
pub struct Live {
    heard: Sender<Heard>,
    thread: Option<JoinHandle<Vec<String>>>,
}

/// What the thread hears.
enum Heard {
    Beat(Box<Beat>),
    /// Shown for a while.
    Words(String),
    /// The same, and printed when the view is gone.
    Kept(String),
    Over,
}

impl Live {
    /// Takes the terminal; `keys` is told what is pressed.
    ///
    /// # Errors
    /// When the terminal, or a thread, cannot be had; then the terminal is as it was.
    pub fn begin(screen: Screen, keys: Keys) -> io::Result<Live> {
        let taken = Taken::take()?;
        let terminal = Terminal::new(CrosstermBackend::new(BufWriter::new(io::stderr())))?;
        let (heard, to_hear) = channel();
        let view = View { taken, terminal, screen, hand: Hand::default(), keys, kept: Vec::new() };
        let own = heard.clone();
        let thread = thread::Builder::new().name("live".to_owned()).spawn(move || {
            let usual = panic::take_hook();
            // What a panic says would be drawn over, and gone with the view.
            panic::set_hook(Box::new(move |panic| {
                if let Err(unheard) = own.send(Heard::Kept(panic.to_string()))
                    && let Heard::Kept(words) = unheard.0
                {
                    output::remark(&words);
                }
            }));
            let kept = view.show(&to_hear);
            panic::set_hook(usual);
            kept
        })?;
        Ok(Live { heard, thread: Some(thread) })
    }

    /// Another second is over.
    pub fn beat(&self, beat: Beat) {
        self.tell(Heard::Beat(Box::new(beat)));
    }

    /// Shows words for a while.
    pub fn say(&self, words: String) {
        self.tell(Heard::Words(words));
    }

    /// Shows words for a while, and prints them when the view is gone.
    pub fn keep(&self, words: String) {
        self.tell(Heard::Kept(words));
    }

    fn tell(&self, heard: Heard) {
        // A view that has lost its terminal hears nothing, and the run goes on.
        let _ = self.heard.send(heard);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.tell(Heard::Over);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(kept)) => kept.iter().for_each(|words| output::remark(words)),
            Some(Err(_)) => output::remark("error: the live view has died; this is a fault of dmswarm itself"),
            None => {}
        }
    }
}

/// The terminal while it is ours: raw, on its other screen.
struct Taken;

impl Taken {
    fn take() -> io::Result<Taken> {
        enable_raw_mode()?;
        let taken = Taken;
        execute!(io::stderr(), EnterAlternateScreen)?;
        Ok(taken)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // A terminal that has gone away needs nothing any more.
        let _ = execute!(io::stderr(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}

/// What the thread works with.
struct View {
    /// Given back last: fields go in their order, and the terminal shows its cursor when it goes.
    terminal: Terminal<CrosstermBackend<BufWriter<Stderr>>>,
    taken: Taken,
    screen: Screen,
    hand: Hand,
    keys: Keys,
    kept: Vec<String>,
}

impl View {
    /// Shows the run until it is over, or the terminal has gone away. Returns what is to be printed then.
    fn show(mut self, heard: &Receiver<Heard>) -> Vec<String> {
        let shown = self.show_until_over(heard);
        let View { terminal, taken, mut kept, .. } = self;
        drop((terminal, taken));
        if let Err(error) = shown {
            kept.push(format!("the live view has ended, the run goes on: {error}"));
        }
        kept
    }

    fn show_until_over(&mut self, heard: &Receiver<Heard>) -> io::Result<()> {
        let mut drawn = Drawn { clock: Clock::start(), last: None, is_stale: true };
        loop {
            if drawn.is_due() {
                let mut most = 0;
                self.terminal.draw(|frame| most = draw(frame, &self.screen))?;
                self.screen.scroll = self.screen.scroll.min(most);
            }
            wait_for_keys()?;
            while event::poll(Duration::ZERO)? {
                drawn.is_stale |= self.take_key(event::read()?)?;
            }
            for heard in heard.try_iter() {
                drawn.is_stale = true;
                match heard {
                    Heard::Beat(beat) => self.screen.beat(*beat),
                    Heard::Words(words) => self.screen.say(words),
                    Heard::Kept(words) => {
                        self.screen.say(words.replace('\n', " "));
                        self.kept.push(words);
                    }
                    Heard::Over => return Ok(()),
                }
            }
        }
    }

    /// Whether there is something else to be seen now.
    fn take_key(&mut self, event: Event) -> io::Result<bool> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                let lines = self.terminal.size()?.height;
                match press(key, lines, &mut self.screen, &mut self.hand) {
                    Some(Wish::Command(command)) => self.keys.want(command),
                    // Whoever listens for signals hears it, as it would from a terminal that is not raw.
                    Some(Wish::Interrupt) => kill_process(getpid(), Signal::INT)?,
                    None => {}
                }
                Ok(true)
            }
            Event::Resize(..) => Ok(true),
            _ => Ok(false),
        }
    }
}

/// Waits until something is pressed, or it is time to look around.
///
/// # Errors
/// When the terminal has gone away: whoever reads keys from it then is never told.
fn wait_for_keys() -> io::Result<()> {
    let stdin = io::stdin();
    let mut terminal = [PollFd::new(&stdin, PollFlags::IN)];
    let time = Timespec { tv_sec: 0, tv_nsec: EVERY.subsec_nanos().into() };
    match poll(&mut terminal, Some(&time)) {
        Ok(_) if terminal[0].revents().intersects(PollFlags::HUP | PollFlags::ERR) => {
            Err(io::Error::new(io::ErrorKind::BrokenPipe, "the terminal has gone away"))
        }
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// When the screen was drawn last.
struct Drawn {
    clock: Clock,
    last: Option<Moment>,
    /// Whether there is something else to be seen now.
    is_stale: bool,
}

impl Drawn {
    /// Whether the screen is to be drawn now; then it counts as drawn.
    fn is_due(&mut self) -> bool {
        let now = self.clock.now();
        let is_due = self.is_stale && self.last.is_none_or(|last| now.since(last) >= EVERY);
        if is_due {
            self.last = Some(now);
            self.is_stale = false;
        }
        is_due
    }
}
