//! What the keys of the live view do: to the view, and to the run.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::report::live::screen::{Page, Screen};
use crate::run::control::{Command, STEP};

/// The load is never slower or faster than this, of its planned rate.
const SLOWEST: f64 = 0.01;
const FASTEST: f64 = 100.0;

/// What has been wanted so far. The run itself says it a second later only.
#[derive(Debug, Clone, PartialEq)]
pub struct Hand {
    is_paused: bool,
    /// Of the planned rate.
    pace: f64,
    marks: u32,
    has_quit: bool,
}

impl Default for Hand {
    fn default() -> Hand {
        Hand { is_paused: false, pace: 1.0, marks: 0, has_quit: false }
    }
}

/// What a key wants of the run.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    Command(Command),
    /// What SIGINT does; in raw mode a terminal sends none.
    Interrupt,
}

/// Does what a key stands for, on a screen of so many lines; what it wants of the run is handed back.
pub fn press(key: KeyEvent, lines: u16, screen: &mut Screen, hand: &mut Hand) -> Option<Wish> {
    let is_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    let KeyCode::Char(letter) = key.code else {
        look(key.code, lines, screen);
        return None;
    };
    match letter {
        'c' if is_ctrl => Some(Wish::Interrupt),
        _ if is_ctrl => None,
        '1'..='4' => {
            turn_to(screen, Page::ALL[letter as usize - '1' as usize]);
            None
        }
        's' => {
            screen.is_service = !screen.is_service;
            None
        }
        '?' | 'h' => {
            screen.has_help = !screen.has_help;
            screen.scroll = 0;
            None
        }
        _ => steer(letter, screen, hand).map(Wish::Command),
    }
}

/// Keys that only move the view.
fn look(code: KeyCode, lines: u16, screen: &mut Screen) {
    let page = lines.saturating_sub(5).max(1);
    match code {
        KeyCode::Tab | KeyCode::Right => turn_to(screen, screen.page.on(1)),
        KeyCode::BackTab | KeyCode::Left => turn_to(screen, screen.page.on(Page::ALL.len() - 1)),
        KeyCode::Up => screen.scroll = screen.scroll.saturating_sub(1),
        KeyCode::Down => screen.scroll = screen.scroll.saturating_add(1),
        KeyCode::PageUp => screen.scroll = screen.scroll.saturating_sub(page),
        KeyCode::PageDown => screen.scroll = screen.scroll.saturating_add(page),
        KeyCode::Home => screen.scroll = 0,
        KeyCode::End => screen.scroll = u16::MAX,
        KeyCode::Esc => screen.has_help = false,
        _ => {}
    }
}

fn turn_to(screen: &mut Screen, page: Page) {
    screen.page = page;
    screen.scroll = 0;
    screen.has_help = false;
}

/// Keys that want something of the run.
fn steer(letter: char, screen: &mut Screen, hand: &mut Hand) -> Option<Command> {
    match letter {
        'p' => {
            hand.is_paused = !hand.is_paused;
            screen.say(if hand.is_paused { "paused; p goes on" } else { "resumed" });
            Some(if hand.is_paused { Command::Pause } else { Command::Resume })
        }
        '+' | '=' => Some(pace(hand.pace * STEP, screen, hand)),
        '-' => Some(pace(hand.pace / STEP, screen, hand)),
        '*' => Some(pace(hand.pace * 2.0, screen, hand)),
        '/' => Some(pace(hand.pace / 2.0, screen, hand)),
        'm' => {
            hand.marks += 1;
            let words = format!("mark {}", hand.marks);
            screen.say(words.clone());
            Some(Command::Mark(words))
        }
        'q' => {
            screen.say(match hand.has_quit {
                false => "ending: nothing more is started; q again does not wait for what is under way",
                true => "ending without waiting",
            });
            hand.has_quit = true;
            Some(Command::Quit)
        }
        _ => None,
    }
}

fn pace(wanted: f64, screen: &mut Screen, hand: &mut Hand) -> Command {
    let wanted = wanted.clamp(SLOWEST, FASTEST);
    // As many steps back as there were: as planned again, to the last digit.
    hand.pace = if (wanted - 1.0).abs() < 1e-9 { 1.0 } else { wanted };
    screen.say(format!("rate x{:.2} of the plan", hand.pace));
    Command::Pace(hand.pace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::health::HealthLimits;
    use crate::report::live::screen::About;

    fn screen() -> Screen {
        let about = About { scenario: "a".to_owned(), seed: 7, health: HealthLimits::DEFAULT, mailbox: 10 };
        Screen::new(about, false)
    }

    /// What these letters want, one after the other.
    fn wished(letters: &str) -> Vec<Command> {
        let (mut screen, mut hand) = (screen(), Hand::default());
        let press = |letter| press(KeyEvent::from(KeyCode::Char(letter)), 24, &mut screen, &mut hand);
        let commands = letters.chars().filter_map(press);
        commands.map(|wish| if let Wish::Command(command) = wish { command } else { panic!("{wish:?}") }).collect()
    }

    #[test]
    fn what_is_wanted_of_a_run_has_a_letter() {
        assert_eq!(wished("pp"), [Command::Pause, Command::Resume]);
        assert_eq!(wished("mm"), ["mark 1", "mark 2"].map(|words| Command::Mark(words.to_owned())));
        assert_eq!(wished("qq"), [Command::Quit, Command::Quit]);
        assert_eq!(wished("xyz"), []);
    }

    #[test]
    fn the_pace_is_of_the_plan_and_adds_up() {
        // 1.1, 1.1 x 1.1, back to 1.1, and 1 exactly; doubled, halved.
        let paces: Vec<f64> = wished("++--*/").iter().map(pace_of).collect();
        for (found, expected) in paces.iter().zip([1.1, 1.21, 1.1, 1.0, 2.0, 1.0]) {
            assert!((found - expected).abs() < 1e-9, "{paces:?}");
        }
        assert_eq!((paces.len(), paces[3], paces[5]), (6, 1.0, 1.0));
        assert_eq!(wished("********").last(), Some(&Command::Pace(FASTEST)), "2^8 would be 256");
    }

    fn pace_of(command: &Command) -> f64 {
        if let Command::Pace(pace) = command { *pace } else { panic!("{command:?}") }
    }

    #[test]
    fn control_c_is_an_interrupt_and_no_letter() {
        let (mut screen, mut hand) = (screen(), Hand::default());
        let mut with_ctrl =
            |letter| press(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL), 24, &mut screen, &mut hand);
        assert_eq!((with_ctrl('c'), with_ctrl('p')), (Some(Wish::Interrupt), None));
        assert_eq!(hand, Hand::default());
    }

    #[test]
    fn the_view_is_turned_and_scrolled_without_the_run() {
        let (mut screen, mut hand) = (screen(), Hand::default());
        let mut after = |code| {
            assert_eq!(press(KeyEvent::from(code), 25, &mut screen, &mut hand), None);
            (screen.page, screen.scroll, screen.is_service, screen.has_help)
        };
        assert_eq!(after(KeyCode::Tab), (Page::Ladder, 0, false, false));
        assert_eq!(after(KeyCode::Down), (Page::Ladder, 1, false, false));
        assert_eq!(after(KeyCode::PageDown), (Page::Ladder, 21, false, false), "25 lines less head, foot and one");
        assert_eq!(after(KeyCode::Up), (Page::Ladder, 20, false, false));
        assert_eq!(after(KeyCode::Char('4')), (Page::Health, 0, false, false));
        assert_eq!(after(KeyCode::Tab), (Page::Overview, 0, false, false), "in a circle");
        assert_eq!(after(KeyCode::BackTab), (Page::Health, 0, false, false));
        assert_eq!(after(KeyCode::Char('s')), (Page::Health, 0, true, false));
        assert_eq!(after(KeyCode::Char('?')), (Page::Health, 0, true, true));
        assert_eq!(after(KeyCode::Esc), (Page::Health, 0, true, false));
    }
}
