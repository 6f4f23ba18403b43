//! The axis of time that all charts of a run share: phases, faults and marks stand at their moments above each of them.

use plotters::element::{PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{IntoFont, IntoTextStyle};

use super::canvas::{Area, Chart, Drawn};
use super::ink::Ink;
use super::scale::Scale;
use crate::measure::summary::{MarkRow, PhaseRow};
use crate::results::Dossier;

/// How high the row of a population is.
const ROW: i32 = 17;
/// How high the row of faults is.
const FAULTS: i32 = 7;
/// The phases of more populations are not shown.
const MOST_ROWS: usize = 4;
/// Marks beyond these have a line and no number.
const MOST_NUMBERED: usize = 20;
/// How wide a letter is.
const LETTER: i32 = 7;

/// Time from the beginning of the load to the end of the run, and what stands at it.
#[derive(Debug, Clone)]
pub(crate) struct TimeAxis<'d> {
    pub span_s: f64,
    /// The phases of each population.
    pub rows: Vec<Vec<&'d PhaseRow>>,
    pub marks: &'d [MarkRow],
    /// From when to when faults fired.
    pub faults: Vec<(f64, f64)>,
}

impl<'d> TimeAxis<'d> {
    /// The axis of a run.
    pub fn of(dossier: &'d Dossier) -> TimeAxis<'d> {
        let columns = dossier.seconds.columns();
        let last = columns.len().checked_sub(1).map_or(0.0, |place| dossier.seconds.span_s(place).1);
        let mut rows: Vec<Vec<&PhaseRow>> = Vec::new();
        for phase in &dossier.summary.phases {
            match rows.iter_mut().find(|row| row[0].population == phase.population) {
                Some(row) => row.push(phase),
                None => rows.push(vec![phase]),
            }
        }
        rows.truncate(MOST_ROWS);
        let fired = columns.iter().enumerate().filter(|(_, column)| column.faults > 0);
        let faults = fired.map(|(place, _)| dossier.seconds.span_s(place)).collect();
        TimeAxis { span_s: dossier.summary.duration_s.max(last).max(1.0), rows, marks: &dossier.summary.marks, faults }
    }

    pub(super) fn scale(&self) -> Scale {
        Scale::of_time(self.span_s)
    }

    /// How much room it takes above a chart.
    pub(super) fn above(&self) -> u32 {
        let marks = if self.marks.is_empty() { 0 } else { ROW };
        let faults = if self.faults.is_empty() { 0 } else { FAULTS + 2 };
        (ROW * self.rows.len() as i32 + marks + faults) as u32
    }

    /// Draws what stands at it.
    pub(super) fn draw(&self, area: &Area<'_>, chart: &mut Chart<'_>) -> Drawn {
        let bottom = chart.plotting_area().get_y_range().start;
        let highest = chart.plotting_area().get_y_range().end;
        let at = |at_s: f64| chart.backend_coord(&(at_s.clamp(0.0, self.span_s), bottom));
        let (floor, ceiling) = (at(0.0).1, chart.backend_coord(&(0.0, highest)).1);
        let mut top = 2;
        for row in &self.rows {
            for (nth, phase) in row.iter().enumerate() {
                let (from, to) = (at(phase.from_s).0, at(phase.to_s.unwrap_or(self.span_s)).0);
                let ink = if nth % 2 == 0 { Ink::Phase } else { Ink::OtherPhase };
                area.draw(&Rectangle::new([(from, top), (to.max(from + 1), top + ROW - 2)], ink.fill()))?;
                let name = if self.rows.len() > 1 && nth == 0 {
                    format!("{}: {}", phase.population, phase.name)
                } else {
                    phase.name.clone()
                };
                if name.chars().count() as i32 * LETTER + 8 <= to - from {
                    text(area, &name, (from + 5, top + ROW / 2 - 1), HPos::Left, Ink::Text)?;
                }
            }
            top += ROW;
        }
        for (number, mark) in self.marks.iter().enumerate() {
            let x = at(mark.at_s).0;
            area.draw(&PathElement::new([(x, top + ROW - 3), (x, floor)], Ink::Mark.stroke(1)))?;
            if number < MOST_NUMBERED {
                text(area, &(number + 1).to_string(), (x, top + ROW / 2 - 2), HPos::Center, Ink::Mark)?;
            }
        }
        for (from, to) in &self.faults {
            let (from, to) = (at(*from).0, at(*to).0);
            area.draw(&Rectangle::new(
                [(from, ceiling - FAULTS - 1), (to.max(from + 2), ceiling - 2)],
                Ink::Fault.fill(),
            ))?;
        }
        Ok(())
    }
}

fn text(area: &Area<'_>, text: &str, at: (i32, i32), side: HPos, ink: Ink) -> Drawn {
    let colour = ink.stand_in();
    let style = ("sans-serif", 14).into_font().into_text_style(area).color(&colour);
    area.draw(&Text::new(text.to_owned(), at, style.pos(Pos::new(side, VPos::Center))))
}
