/* Runs one shared function over arrays: one kernel, so that a driver compiles once. See probe.c. */
#include "kernels/arguments/probe.h"
#include "kernels/probe.h"
#include "kernels/tile.h"

#define PROBE_NUMBER(name, expression) PROBE_##name,
enum probe_function { PROBE_LIST(PROBE_NUMBER) };

#define PROBE_CASE(name, expression) \
    case PROBE_##name: \
        value = expression; \
        break;

/* Work-item (elements). */
kernel void probe(global const float *a_values, global const float *b_values, global const float *c_values,
                  global float *result, probe_arguments arguments) {
    uint index = (uint)get_global_id(0) * VECTOR;
    if (index >= arguments.count) return;
    real a = load_real(a_values + index), b = load_real(b_values + index), c = load_real(c_values + index);
    real value = a;
    switch (arguments.function) { PROBE_LIST(PROBE_CASE) }
    store_real(value, result + index);
}
