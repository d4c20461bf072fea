/* Functions of special.c that other parts of the kernel call. */
#ifndef PULSE_SPECIAL_H
#define PULSE_SPECIAL_H

/* e^x, within 0.51 units in the last place (subnormal results: 1). Infinite above 709.78, 0 below -745.13. */
double special_exp(double x);

/* The natural logarithm, within 0.51 units in the last place; -inf at 0, NaN below. */
double special_log(double x);

#endif
