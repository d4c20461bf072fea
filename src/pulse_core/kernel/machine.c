/* Which build of the kernel this machine can run, and which sources it was built from. */
#include "kernel.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#ifndef PULSE_SOURCES
#define PULSE_SOURCES ""
#endif

/* The digest of the sources, which the build hook hands in. */
PULSE_EXPORT const char *pulse_sources(void)
{
    return PULSE_SOURCES;
}

/* Whether the processor has AVX2 and the system keeps its registers: Intel, Software Developer's Manual 1, 14.7.1.
 * __builtin_cpu_supports would say the same, but a library that zig compiles always gets "no" from it. */
PULSE_EXPORT int64_t pulse_has_avx2(void)
{
#if defined(__x86_64__)
    const unsigned registers = 0x6;
    unsigned a, b, c, d, kept, upper;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_AVX))
        return 0;
    __asm__("xgetbv" : "=a"(kept), "=d"(upper) : "c"(0));
    return (kept & registers) == registers && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2) != 0;
#else
    return 0;
#endif
}
