//! What is wrong with a scenario: every problem with its place, what was expected and how to mend it.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str};

/// Where a problem is: bytes of all sources, laid end to end with one byte between two of them.
pub type Span = Range<usize>;

/// One text that settings come from: the file, or one `--set`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    name: String,
    text: String,
    /// Where it begins among all sources.
    start: usize,
}

/// The texts that the settings of one scenario come from: the file first, then each override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// The sources, each with the name that problems give it.
    pub fn new(file: (&str, &str), overrides: impl IntoIterator<Item = (String, String)>) -> Sources {
        let mut sources = Sources(Vec::new());
        sources.push(file.0.to_owned(), file.1.to_owned());
        for (name, text) in overrides {
            sources.push(name, text);
        }
        sources
    }

    fn push(&mut self, name: String, text: String) {
        let start = self.0.last().map_or(0, |last| last.start + last.text.len() + 1);
        self.0.push(Source { name, text, start });
    }

    /// The text of the file.
    pub fn file(&self) -> &str {
        &self.0[0].text
    }

    /// The overrides in their order, each with the place where it begins.
    pub fn overrides(&self) -> impl Iterator<Item = (usize, &str)> {
        self.0[1..].iter().map(|source| (source.start, source.text.as_str()))
    }

    /// What stands at a place.
    pub fn text(&self, span: Span) -> &str {
        let (source, local) = self.locate(&span);
        &source.text[local]
    }

    /// The source that a place lies in, and where in it; always inside it and on character boundaries.
    fn locate(&self, span: &Span) -> (&Source, Span) {
        let index = self.0.partition_point(|source| source.start <= span.start).saturating_sub(1);
        let source = &self.0[index];
        let inside = |offset: usize| {
            let offset = offset.saturating_sub(source.start).min(source.text.len());
            (0..=offset).rev().find(|&at| source.text.is_char_boundary(at)).unwrap_or(0)
        };
        let (start, end) = (inside(span.start), inside(span.end));
        (source, start..end.max(start))
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    span: Span,
    message: String,
    label: String,
    hint: Option<String>,
}

impl Problem {
    /// A problem at a place: one sentence without a full stop, saying what was expected and what was found.
    pub fn new(span: Span, message: impl Into<String>) -> Problem {
        Problem { span, message: message.into(), label: String::new(), hint: None }
    }

    /// A few words beside the caret.
    pub fn label(mut self, label: impl Into<String>) -> Problem {
        self.label = label.into();
        self
    }

    /// How to mend it.
    pub fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.hint = Some(hint.into());
        self
    }

    /// A hint that may be there.
    pub fn maybe_hint(mut self, hint: Option<String>) -> Problem {
        self.hint = hint.or(self.hint);
        self
    }
}

/// A problem with its place as people name places.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Located<'p> {
    /// The file, or `--set`.
    pub source: &'p str,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    pub message: &'p str,
    pub hint: Option<&'p str>,
}

/// All problems of one scenario, in the order of their places. Never empty when it is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    sources: Sources,
    found: Vec<Problem>,
}

impl Problems {
    /// The problems found in these sources.
    pub fn new(sources: Sources, mut found: Vec<Problem>) -> Problems {
        found.sort_by_key(|problem| (problem.span.start, problem.span.end));
        Problems { sources, found }
    }

    /// One problem that has no place: the file cannot be read at all.
    pub fn unreadable(name: &str, why: &std::io::Error) -> Problems {
        let problem = Problem::new(0..0, format!("cannot read `{name}`: {why}"))
            .hint("give the path of a scenario file, or of a folder with scenario files");
        Problems { sources: Sources::new(("", ""), []), found: vec![problem] }
    }

    /// Parts those that are of another file, because a setting of theirs comes from there: `elsewhere` is told which override
    /// a problem is in, counted from 0, and where in it, and says where that stands in the other file. The others come
    /// second, if there are any.
    pub(crate) fn moved(self, elsewhere: impl Fn(usize, Span) -> Option<Span>) -> (Vec<Problem>, Option<Problems>) {
        let (mut moved, mut left) = (Vec::new(), Vec::new());
        for problem in self.found {
            let number = self.sources.0.partition_point(|source| source.start <= problem.span.start).saturating_sub(1);
            let (_, local) = self.sources.locate(&problem.span);
            match number.checked_sub(1).and_then(|number| elsewhere(number, local)) {
                Some(span) => moved.push(Problem { span, ..problem }),
                None => left.push(problem),
            }
        }
        let left = (!left.is_empty()).then_some(Problems { sources: self.sources, found: left });
        (moved, left)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// Each with its place.
    pub fn iter(&self) -> impl Iterator<Item = Located<'_>> {
        self.found.iter().map(|problem| {
            let (source, local) = self.sources.locate(&problem.span);
            let before = &source.text[..local.start];
            let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
            Located {
                source: &source.name,
                line: before.matches('\n').count() + 1,
                column: before[line_start..].chars().count() + 1,
                message: &problem.message,
                hint: problem.hint.as_deref(),
            }
        })
    }

    /// For people: each problem with the line it is in, a caret below it, and a hint. `styled` adds colours.
    pub fn render(&self, styled: bool) -> String {
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        let rendered: Vec<String> = self.found.iter().map(|problem| self.render_one(&renderer, problem)).collect();
        rendered.join("\n\n")
    }

    fn render_one(&self, renderer: &Renderer, problem: &Problem) -> String {
        let (source, local) = self.sources.locate(&problem.span);
        let title = Level::ERROR.primary_title(normalize_untrusted_str(&problem.message));
        let help = problem.hint.as_ref().map(|hint| Level::HELP.secondary_title(normalize_untrusted_str(hint)));
        if source.text.is_empty() {
            // There is no line to show; the file is named all the same, unless the message names it.
            let place = (!source.name.is_empty()).then(|| format!(" --> {}", source.name));
            let line = |title| renderer.render(&[Group::with_title(title)]);
            return [Some(line(title)), place, help.map(line)].into_iter().flatten().collect::<Vec<_>>().join("\n");
        }
        let annotation = AnnotationKind::Primary.span(local).label(problem.label.as_str());
        let snippet = Snippet::source(source.text.as_str()).path(source.name.as_str()).annotation(annotation);
        let groups = [Some(title.element(snippet)), help.map(Group::with_title)];
        renderer.render(&groups.into_iter().flatten().collect::<Vec<Group<'_>>>())
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}

/// `did you mean ...?`, when one of the known words is near enough to what was found.
pub fn did_you_mean<'w>(found: &str, known: impl IntoIterator<Item = &'w str>) -> Option<String> {
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&found.to_lowercase(), &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= 1.max(word.chars().count() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| format!("did you mean `{word}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems() -> Problems {
        let sources = Sources::new(("demo.toml", "name = 1\nsééd = 2\n"), [("--set".to_owned(), "a.b=x".to_owned())]);
        let found = vec![
            Problem::new(21 + 4..21 + 5, "`x` is nothing").hint("write `y`"),
            Problem::new(9..15, "unknown key `sééd`").label("here").hint("did you mean `seed`?"),
            Problem::new(16..17, "later in the line"),
        ];
        Problems::new(sources, found)
    }

    #[test]
    fn places_are_counted_in_lines_and_characters_of_their_own_source() {
        let problems = problems();
        let places: Vec<_> = problems.iter().map(|at| (at.source, at.line, at.column)).collect();
        // `é` is two bytes and one character.
        assert_eq!(places, [("demo.toml", 2, 1), ("demo.toml", 2, 6), ("--set", 1, 5)]);
    }

    #[test]
    fn a_problem_shows_its_line_a_caret_and_the_way_out() {
        let text = problems().render(false);
        let expected = "\
error: unknown key `sééd`
 --> demo.toml:2:1
  |
2 | sééd = 2
  | ^^^^ here
  |
help: did you mean `seed`?";
        assert!(text.starts_with(expected), "{text}");
        assert!(problems().render(true).contains("\u{1b}["));
    }

    #[test]
    fn places_beyond_the_text_are_drawn_into_it() {
        for text in ["", "é", "a\n"] {
            let found = vec![Problem::new(1..1, "a"), Problem::new(99..200, "b")];
            let problems = Problems::new(Sources::new(("demo.toml", text), []), found);
            assert_eq!(problems.render(false).matches("error: ").count(), 2);
            assert_eq!(problems.iter().count(), problems.count());
        }
    }

    #[test]
    fn what_cannot_be_read_has_no_line_to_show() {
        let error = std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
        let text = Problems::unreadable("a.toml", &error).render(false);
        let expected = "\
error: cannot read `a.toml`: no such file
help: give the path of a scenario file, or of a folder with scenario files";
        assert_eq!(text, expected);
    }

    #[test]
    fn an_empty_file_is_named_where_no_line_of_it_can_be_shown() {
        let found = vec![Problem::new(0..0, "the key `name` is missing").hint("add it")];
        let text = Problems::new(Sources::new(("empty.toml", ""), []), found).render(false);
        assert_eq!(text, "error: the key `name` is missing\n --> empty.toml\nhelp: add it");
    }

    #[test]
    fn near_words_are_offered_and_far_ones_are_not() {
        assert_eq!(did_you_mean("devcies", ["devices", "name"]).as_deref(), Some("did you mean `devices`?"));
        assert_eq!(did_you_mean("Home", ["partner", "home"]).as_deref(), Some("did you mean `home`?"));
        assert_eq!(did_you_mean("zzz", ["devices", "name", "id"]), None);
    }
}
