//! Charts as inline SVG, drawn once for light and dark: every colour is a stand-in that the page's style replaces.
//!
//! | file | its job |
//! |---|---|
//! | `ink` | the stand-ins, and the style that replaces them |
//! | `scale` | axes: from where to where, and what stands at them |
//! | `canvas` | an empty chart to draw in, and what is drawn as text |
//! | `time_axis` | the axis of time: phases, faults and marks above it |
//! | `lines` | figures over time |
//! | `curve` | percentiles against response and service time |
//! | `heat` | how long things took, over time |

mod canvas;
mod curve;
mod heat;
mod ink;
mod lines;
mod scale;
mod time_axis;

#[cfg(test)]
mod tests;

pub(super) use curve::curve;
pub(super) use heat::heat;
pub(super) use ink::{Ink, style};
pub(super) use lines::{Line, lines};
pub(crate) use scale::Scale;
pub(super) use scale::{clock, quantile_name, round_ms};
pub(super) use time_axis::TimeAxis;
