//! Where things stand in a chart, and what stands at its axes.

use super::canvas::{Axes, draw};
use super::scale::Scale;
use super::{Ink, TimeAxis, clock, curve, heat, lines, style};
use crate::measure::latency::empty_histogram;
use crate::measure::summary::{MarkRow, PhaseRow};
use crate::report::run_page::chart::Line;
use crate::results::dossier::{Cell, LatencyColumn};

/// The attributes of this name in elements that have this stroke or fill, in order.
fn attributes(svg: &str, ink: Ink, name: &str) -> Vec<i32> {
    let own = svg.split('<').filter(|element| element.contains(&format!("\"{}\"", ink.spelt())));
    let value = |element: &str| {
        let (_, rest) = element.split_once(&format!(" {name}=\""))?;
        rest.split('"').next()?.parse().ok()
    };
    own.filter_map(value).collect()
}

/// The first points of the polylines of an ink.
fn first_x(svg: &str, ink: Ink) -> Vec<i32> {
    let own = svg.split('<').filter(|element| element.contains(&format!("stroke=\"{}\"", ink.spelt())));
    let x = |element: &str| element.split_once(" points=\"")?.1.split(',').next()?.parse().ok();
    own.filter_map(x).collect()
}

fn phase(name: &str, from_s: f64, to_s: Option<f64>) -> PhaseRow {
    PhaseRow { population: "all".to_owned(), name: name.to_owned(), from_s, to_s }
}

#[test]
fn phases_marks_and_faults_stand_at_their_moments() {
    let marks = [0.0, 50.0, 100.0].map(|at_s| MarkRow { at_s, what: "a mark".to_owned() });
    let phases = [phase("ramp", 0.0, Some(25.0)), phase("hold", 25.0, None)];
    let axis =
        TimeAxis { span_s: 100.0, rows: vec![phases.iter().collect()], marks: &marks, faults: vec![(50.0, 60.0)] };
    let steps = vec![((0.0, 100.0), Some(1.0))];
    let svg = lines("a chart", &axis, &[Line { name: "one", ink: Ink::First, steps }], |value| value.to_string());
    let svg = svg.into_string();
    let marks = first_x(&svg, Ink::Mark);
    let [begin, middle, end] = marks[..] else { panic!("{marks:?}") };
    assert!((begin + end - 2 * middle).abs() <= 1, "half of the time is half of the way: {marks:?}");
    assert_eq!(first_x(&svg, Ink::First), [begin], "a line begins where the axis does");
    assert_eq!(attributes(&svg, Ink::Phase, "x"), [begin]);
    let quarter = attributes(&svg, Ink::OtherPhase, "x")[0];
    assert!((begin + (end - begin) / 4 - quarter).abs() <= 1, "{quarter}");
    assert_eq!(attributes(&svg, Ink::Fault, "x"), [middle]);
    let width = attributes(&svg, Ink::Fault, "width")[0];
    assert!(((end - begin) / 10 - width).abs() <= 1, "{width}");
    for part in ["role=\"img\"", "<title>a chart</title>", "ramp", "hold"] {
        assert!(svg.contains(part), "{part}");
    }
}

#[test]
fn names_in_a_chart_are_escaped() {
    let phases = [phase("<b>&", 0.0, None)];
    let axis = TimeAxis { span_s: 10.0, rows: vec![phases.iter().collect()], marks: &[], faults: Vec::new() };
    let svg = lines("a <chart>", &axis, &[], |value| value.to_string()).into_string();
    assert!(
        svg.contains("&lt;b&gt;&amp;") && svg.contains("<title>a &lt;chart&gt;</title>") && !svg.contains("<b>"),
        "{svg}"
    );
}

#[test]
fn a_gap_is_no_line() {
    let axis = TimeAxis { span_s: 3.0, rows: Vec::new(), marks: &[], faults: Vec::new() };
    let steps = vec![((0.0, 1.0), Some(1.0)), ((1.0, 2.0), None), ((2.0, 3.0), Some(2.0))];
    let svg = lines("a chart", &axis, &[Line { name: "one", ink: Ink::First, steps }], |value| value.to_string());
    assert_eq!(first_x(&svg.into_string(), Ink::First).len(), 2);
}

#[test]
fn cells_beside_one_another_of_one_shade_are_one_patch() {
    let axis = TimeAxis { span_s: 4.0, rows: Vec::new(), marks: &[], faults: Vec::new() };
    let column = |count| LatencyColumn { count, cells: [(Cell(30), count)].into(), ..LatencyColumn::default() };
    let svg =
        heat("a map", &axis, 1, &[column(1_000), column(1_000), LatencyColumn::default(), column(1)]).into_string();
    assert_eq!(attributes(&svg, Ink::Heat(Ink::SHADES), "width").len(), 1);
    // ln 2 / ln 1,001 of 6 is 0.6: the first shade that is there.
    assert_eq!(attributes(&svg, Ink::Heat(1), "width").len(), 1);
    let wide = attributes(&svg, Ink::Heat(Ink::SHADES), "width")[0];
    let narrow = attributes(&svg, Ink::Heat(1), "width")[0];
    assert!((wide - 2 * narrow).abs() <= 1, "{wide} and {narrow}");
}

#[test]
fn a_curve_ends_at_the_last_percentile_that_its_samples_bear_out() {
    let mut times = empty_histogram();
    (1..=200).for_each(|micros| times.record(micros * 1_000).expect("it is within the bounds"));
    let svg = curve("a curve", &times, &times).into_string();
    // 200 samples bear out p99, which takes 100, and not p99.9, which takes 1,000.
    assert!(svg.contains("99 %") && !svg.contains("99.9 %"), "{svg}");
}

#[test]
fn axes_have_round_figures() {
    let names = |scale: &Scale| scale.ticks.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>().join(" ");
    assert_eq!(names(&Scale::up_to(73.0, |value| value.to_string())), "0 20 40 60 80");
    assert_eq!(names(&Scale::up_to(0.0, |value| value.to_string())), "0 0.2 0.4 0.6000000000000001 0.8 1");
    assert_eq!(names(&Scale::of_time(60.0)), "0 s 10 s 20 s 30 s 40 s 50 s 1:00");
    assert_eq!(names(&Scale::log_ms(0.5, 1_200.0)), "1 ms 10 ms 100 ms 1 s");
    assert_eq!(names(&Scale::log_ms(0.1, 2.0)), "100 us 200 us 500 us 1 ms 2 ms");
    assert_eq!(names(&Scale::of_percentiles(10_000)), "0 % 50 % 90 % 99 % 99.9 % 99.99 %");
    assert_eq!((clock(59.0), clock(3_725.0)), ("59 s".to_owned(), "1:02:05".to_owned()));
}

#[test]
fn every_ink_has_its_colour_and_no_two_have_the_same_stand_in() {
    let style = style();
    for ink in [Ink::Text, Ink::Bad, Ink::Heat(1), Ink::Heat(Ink::SHADES)] {
        assert!(style.contains(&format!("svg [fill=\"{}\"]{{fill:var({})}}", ink.spelt(), ink.variable())), "{style}");
        assert_eq!(style.matches(&ink.spelt()).count(), 2);
    }
    // What is drawn with no ink would not be seen on one of the two papers.
    let axes = Axes { x: Scale::of_time(1.0), y: Scale::up_to(1.0, |value| value.to_string()), above: 0 };
    let svg = draw("a chart", &axes, |_, _| Ok(())).into_string();
    let colours = svg.split("#").skip(1).map(|rest| &rest[..6]);
    colours.for_each(|colour| assert!(colour.starts_with("0102"), "{colour}"));
}
