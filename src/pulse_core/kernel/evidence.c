/* Evidence: e-values of wins and losses against "the chance to win is at most 1/2". */
#include "kernel.h"

/* Where wins do not lead: e, the mean over p, uniform on (1/2, 1], of (2p)^w (2(1-p))^l.
 *
 * It is the sum over i = 0..w of C(n+1, i) / ((n+1) C(n, w)), n = w + l; terms from i = w down are each i/(n + 2 - i) of
 * the one before, and are added until they no longer count.
 */
PULSE_EXPORT void pulse_evidence_behind(const double *won, const double *lost, int64_t count, double *evidence)
{
    for (int64_t i = 0; i < count; i++) {
        double trials = won[i] + lost[i], term = (trials + 1.0) / (lost[i] + 1.0), total = term;
        for (double index = won[i]; index > 0.0; index -= 1.0) {
            term = term * index / (trials + 2.0 - index);
            if (!(term > total * 1e-18))
                break;
            total = total + term;
        }
        evidence[i] = total / (trials + 1.0);
    }
}
