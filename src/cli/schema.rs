//! `dmswarm schema`: prints the schemas of what dmswarm reads, writes and sends.

use crate::cli::args::Schema;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::delegation::xml;
use crate::measure::summary::summary_schema;
use crate::report::comparison::document;
use crate::report::development;
use crate::results::capacity::capacity_schema;
use crate::results::manifest::run_schema;
use crate::scenario::schema;

/// Prints one schema.
pub fn print(what: Schema) -> Exit {
    output::data(&text(what))
}

fn text(what: Schema) -> String {
    match what {
        Schema::Scenario => format!("{:#}", schema::scenario()),
        Schema::Campaign => format!("{:#}", schema::campaign()),
        Schema::Summary => format!("{:#}", summary_schema()),
        Schema::Run => format!("{:#}", run_schema()),
        Schema::Capacity => format!("{:#}", capacity_schema()),
        Schema::Compare => format!("{:#}", document::schema()),
        Schema::Trend => format!("{:#}", development::schema()),
        Schema::Xsd => xml::schema().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_what_it_says() {
        for (what, part) in [
            (Schema::Scenario, "\"title\": \"dmswarm scenario\""),
            (Schema::Campaign, "\"title\": \"dmswarm campaign\""),
            (Schema::Summary, "\"verdict\""),
            (Schema::Run, "\"command_line\""),
            (Schema::Capacity, "\"conditional_throughput\""),
            (Schema::Compare, "\"runs_needed\""),
            (Schema::Trend, "\"not_enough_runs\""),
            (Schema::Xsd, "<xs:element name=\"delegation_req\""),
        ] {
            assert!(text(what).contains(part), "{what:?}");
        }
    }
}
