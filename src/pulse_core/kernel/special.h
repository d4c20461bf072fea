/* Functions of special.c that other parts of the kernel call. */
#ifndef PULSE_SPECIAL_H
#define PULSE_SPECIAL_H

/* e^x, within 0.51 units in the last place (subnormal results: 1). Infinite above 709.78, 0 below -745.13. */
double special_exp(double x);

/* The natural logarithm, within 0.51 units in the last place; -inf at 0, NaN below. */
double special_log(double x);

/* Student's t, and what its distribution takes of the degrees of freedom alone: its density at 0, and log B(nu/2, 1/2) in
 * two parts, NaN until it is needed. */
struct student {
    double freedom, density, log_beta[2];
};

/* Make it that with these degrees of freedom, at least 1. */
void special_student(struct student *of, double freedom);

/* P(T <= t), within 1e-12 of it. */
double special_t_cdf(struct student *of, double t);

#endif
