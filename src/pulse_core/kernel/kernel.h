/* The kernel's functions: plain buffers in, plain buffers out.
 *
 * Every function works on one variable. Buffers belong to the caller; nothing is allocated, nothing can fail, nothing
 * is kept between calls but what stands in a state buffer that the caller passes again. Arithmetic is elementwise IEEE
 * in a fixed order (built with -ffp-contract=off): the same bits on every machine. Shapes stand beside the arguments,
 * slowest index first. A missing number is a NaN, a missing position is -1.
 */
#ifndef PULSE_KERNEL_H
#define PULSE_KERNEL_H

#include <stdint.h>

#if defined(_WIN32)
#define PULSE_EXPORT __declspec(dllexport)
#else
#define PULSE_EXPORT __attribute__((visibility("default")))
#endif

/* Four numbers side by side; compilers lower them to what the machine has. */
typedef double lanes __attribute__((vector_size(32), aligned(8)));
typedef int64_t mask __attribute__((vector_size(32), aligned(8)));
#define LANES 4

#endif
