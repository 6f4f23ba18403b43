//! The delegation messages as documents: goldens, the samples of Appendix C, the schema, and what is thrown at a reader.

mod appendix_c;
mod canonical;
mod goldens;
mod reading;
mod refusing;
mod schema;
mod specimens;
