/* Which build of the kernel this machine can run. */
#include "kernel.h"

PULSE_EXPORT int64_t pulse_has_avx2(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") != 0;
#else
    return 0;
#endif
}
