//! Many metrics at once: chance gets as many tries.

/// Each p as it counts among all of them: Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure".
///
/// What is promised is that sets of runs of the same thing are called different in *any* metric no more often than the risk
/// that was chosen. That is what a gate needs, which stops a release for one metric; the milder rule of Benjamini and
/// Hochberg 1995 promises only that most of the metrics that are called different are. And Holm's rule holds however the
/// metrics of a run depend on each other, as they do. It costs power: `power` counts with it.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|one, other| p[*one].total_cmp(&p[*other]));
    let mut adjusted = vec![1.0; p.len()];
    let mut so_far = 0.0_f64;
    for (before, at) in order.into_iter().enumerate() {
        so_far = so_far.max(p[at] * (p.len() - before) as f64).min(1.0);
        adjusted[at] = so_far;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::synthetic::assert_close;

    #[test]
    fn p_of_many_is_adjusted_as_r_does() {
        // R's manual has p.adjust(p, "holm"); by hand: 0.01 × 4; max(0.04, 0.02 × 3); max(0.06, 0.03 × 2); 0.5 × 1
        for (adjusted, by_hand) in holm(&[0.02, 0.01, 0.5, 0.03]).into_iter().zip([0.06, 0.04, 0.5, 0.06]) {
            assert_close(adjusted, by_hand, 1e-12);
        }
        assert_eq!(holm(&[0.3]), [0.3]);
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert_eq!(holm(&[]), [0.0; 0]);
    }
}
