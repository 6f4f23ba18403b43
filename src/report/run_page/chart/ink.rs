//! Stand-ins for colours: the drawing says which ink, the style of the page says what colour that is.

use plotters::style::{Color, RGBColor, ShapeStyle};

/// What is drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Text,
    Soft,
    Grid,
    Axis,
    /// The first, second and third line of a chart.
    First,
    Second,
    Third,
    Bad,
    Fault,
    Mark,
    /// Phases of the load, one and the next.
    Phase,
    OtherPhase,
    /// A share of the most, from 1 to [`Ink::SHADES`].
    Heat(u8),
}

impl Ink {
    /// How many shades of heat there are.
    pub const SHADES: u8 = 6;

    fn all() -> impl Iterator<Item = Ink> {
        use Ink::{Axis, Bad, Fault, First, Grid, Mark, OtherPhase, Phase, Second, Soft, Text, Third};
        [Text, Soft, Grid, Axis, First, Second, Third, Bad, Fault, Mark, Phase, OtherPhase]
            .into_iter()
            .chain((1..=Ink::SHADES).map(Ink::Heat))
    }

    /// The stand-in, which no colour of a page is.
    pub fn stand_in(self) -> RGBColor {
        RGBColor(1, 2, Ink::all().position(|ink| ink == self).unwrap_or_default() as u8 + 1)
    }

    pub fn fill(self) -> ShapeStyle {
        self.stand_in().filled()
    }

    pub fn stroke(self, width: u32) -> ShapeStyle {
        self.stand_in().stroke_width(width)
    }

    /// As the SVG spells it.
    pub fn spelt(self) -> String {
        let RGBColor(red, green, blue) = self.stand_in();
        format!("#{red:02X}{green:02X}{blue:02X}")
    }

    /// The variable of the style that holds the colour.
    pub fn variable(self) -> String {
        match self {
            Ink::Text => "--ink".to_owned(),
            Ink::Soft => "--soft".to_owned(),
            Ink::Grid => "--grid".to_owned(),
            Ink::Axis => "--lane".to_owned(),
            Ink::First => "--first".to_owned(),
            Ink::Second => "--second".to_owned(),
            Ink::Third => "--third".to_owned(),
            Ink::Bad => "--bad".to_owned(),
            Ink::Fault => "--fault".to_owned(),
            Ink::Mark => "--mark".to_owned(),
            Ink::Phase => "--phase".to_owned(),
            Ink::OtherPhase => "--other-phase".to_owned(),
            Ink::Heat(shade) => format!("--heat-{shade}"),
        }
    }
}

/// The rules that give every stand-in its colour.
pub(crate) fn style() -> String {
    let rule = |ink: Ink| {
        let (spelt, variable) = (ink.spelt(), ink.variable());
        format!("svg [fill=\"{spelt}\"]{{fill:var({variable})}}svg [stroke=\"{spelt}\"]{{stroke:var({variable})}}\n")
    };
    Ink::all().map(rule).collect()
}
