/* Runs one shared function over arrays. See probe.cl. */
#include "kernels/probe.h"

#include "backend/openmp/tile.h"

#define DEFINE_PROBE(name, expression) \
    static void probe_##name(size_t count, const float *a_values, const float *b_values, \
                             const float *c_values, float *result) { \
        for (size_t i = 0; i < count; i++) { \
            float a = a_values[i], b = b_values[i], c = c_values[i]; \
            (void)a, (void)b, (void)c; \
            result[i] = expression; \
        } \
    }
PROBE_LIST(DEFINE_PROBE)

typedef void probe_function(size_t count, const float *a, const float *b, const float *c, float *result);

#define PROBE_ENTRY(name, expression) probe_##name,
static probe_function *const probes[] = {PROBE_LIST(PROBE_ENTRY)};

void ISA_NAME(probe)(unsigned function, size_t count, const float *a, const float *b, const float *c,
                     float *result) {
    probes[function](count, a, b, c, result);
}
