//! The median.

/// The middle value, or the mean of the two middle ones. Puts the values into another order; `None`: there are none.
pub fn median(values: &mut [f64]) -> Option<f64> {
    let count = values.len();
    if count == 0 {
        return None;
    }
    let (below, upper, _) = values.select_nth_unstable_by(count / 2, f64::total_cmp);
    let upper = *upper;
    if count % 2 == 1 {
        return Some(upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp).expect("two or more values have a lower half");
    Some(lower + (upper - lower) / 2.0)
}

/// As [`median`], of values that keep their order.
pub fn median_of(values: &[f64]) -> Option<f64> {
    median(&mut values.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median_of(&[]), None);
        assert_eq!(median_of(&[3.0]), Some(3.0));
        assert_eq!(median_of(&[4.0, 1.0]), Some(2.5));
        assert_eq!(median_of(&[9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median_of(&[9.0, 1.0, 5.0, 6.0]), Some(5.5));
        assert_eq!(median_of(&[2.0, 2.0, 2.0, 7.0]), Some(2.0));
    }
}
