//! An empty chart to draw in, and what was drawn as text.

use maud::{Markup, PreEscaped, html};
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::prelude::SVGBackend;
use plotters::style::{Color, IntoFont};

use super::ink::Ink;
use super::scale::Scale;

const WIDTH: u32 = 640;
const HEIGHT: u32 = 250;
/// Room for the figures at the left, and at the bottom.
const LEFT: u32 = 62;
const BOTTOM: u32 = 26;
/// At the right, so that half of the last figure fits.
const RIGHT: u32 = 22;

pub(super) type Area<'b> = DrawingArea<SVGBackend<'b>, Shift>;
pub(super) type Chart<'b> = ChartContext<'b, SVGBackend<'b>, Cartesian2d<Scale, Scale>>;
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// Two axes, and room above them in pixels.
pub(super) struct Axes {
    pub x: Scale,
    pub y: Scale,
    pub above: u32,
}

/// A chart with its name for those who do not see it.
pub(super) fn draw(name: &str, axes: &Axes, paint: impl FnOnce(&Area<'_>, &mut Chart<'_>) -> Drawn) -> Markup {
    let mut text = String::new();
    let drawn = on(&mut text, axes, paint);
    // A backend that writes into memory has nothing that could fail.
    drawn.unwrap_or_else(|error| unreachable!("a chart could not be drawn into memory: {error}"));
    html! {
        svg.plot role="img" viewBox={ "0 0 " (WIDTH) " " (HEIGHT + axes.above) } {
            title { (name) }
            (PreEscaped(inside(&text)))
        }
    }
}

fn on(text: &mut String, axes: &Axes, paint: impl FnOnce(&Area<'_>, &mut Chart<'_>) -> Drawn) -> Drawn {
    let area = SVGBackend::with_string(text, (WIDTH, HEIGHT + axes.above)).into_drawing_area();
    let mut chart = ChartBuilder::on(&area)
        .margin_top(axes.above + 8)
        .margin_right(RIGHT)
        .x_label_area_size(BOTTOM)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(axes.x.clone(), axes.y.clone())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(Ink::Grid.stand_in().mix(0.0))
        .bold_line_style(Ink::Grid.stroke(1))
        .axis_style(Ink::Axis.stroke(1))
        .label_style(("sans-serif", 15).into_font().color(&Ink::Soft.stand_in()))
        .draw()?;
    paint(&area, &mut chart)?;
    area.present()
}

/// What is in the outermost element, without what says nothing.
fn inside(text: &str) -> String {
    let inner = text.split_once('>').and_then(|(_, rest)| rest.rsplit_once("</svg>")).map_or("", |(inner, _)| inner);
    inner.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "").replace(" font-family=\"sans-serif\"", "")
}
