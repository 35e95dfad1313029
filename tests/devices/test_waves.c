/* How many tiles a wave of an OpenCL device has. */
#include <criterion/criterion.h>

#include "backend/opencl/program.h"

#define MB ((size_t)1 << 20)

typedef struct trial {
    bool is_cpu;
    size_t most_megabytes, rows, floats, tiles; /* floats: of a tile */
} trial;

/* A GPU's are as many as 512 MB hold, of what the device allows, in the 65535 groups of a dimension. */
static const trial trials[] = {
    {false, 4096, 10000000, 18 * 256, 16384}, {false, 4096, 100000000, 512, 32768},
    {false, 64, 10000000, 18 * 256, 2048},    {false, 4096, 1000, 512, 4},
    {true, 4096, 100000000, 512, 1024},
};

Test(waves, hold_what_memory_and_a_launch_do) {
    const plan plan = {0};
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        const trial *trial = &trials[i];
        const opencl_backend_state state = {.is_cpu = trial->is_cpu,
                                            .most_bytes = trial->most_megabytes * MB};
        const program_options options = {.batch_rows = trial->rows};
        cr_expect_eq(opencl_wave_tiles(&state, &plan, &options, trial->floats, 512 * MB), trial->tiles,
                     "trial %zu", i);
    }
}
