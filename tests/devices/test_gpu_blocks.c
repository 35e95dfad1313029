/* Blocks of the dense kernels: by the device's type, vendor and waves, and by how many groups there would be. */
#include <criterion/criterion.h>

#include "backend/opencl/executors/gpu_blocks.h"

#define NVIDIA 0x10de
#define AMD 0x1002
#define INTEL 0x8086

static opencl_backend_state device_of(cl_uint vendor, size_t wave) {
    return (opencl_backend_state){.vendor = vendor, .wave = wave, .base.information = {.compute_units = 100}};
}

static const char *choice(const opencl_backend_state *device, size_t lines, size_t tiles) {
    return gpu_block_choose(device, lines, 256, tiles, 1)->name;
}

Test(gpu_blocks, are_the_largest_that_make_enough_groups) {
    const opencl_backend_state device = device_of(NVIDIA, 32);
    cr_expect_str_eq(choice(&device, 640, 8), "large", "160 groups");
    cr_expect_str_eq(choice(&device, 640, 4), "medium", "80 groups, or 160");
    cr_expect_str_eq(choice(&device, 640, 2), "small", "40 groups, or 80, or 160");
    cr_expect_not(gpu_block_leaves_idle(&device, 640, 256, 1));
    cr_expect(gpu_block_leaves_idle(&device, 320, 256, 1), "40 groups for 100 units");
}

Test(gpu_blocks, of_tiles_together_have_registers_for_their_sums_and_are_as_many) {
    const opencl_backend_state device = device_of(NVIDIA, 32);
    cr_expect_str_eq(gpu_block_choose(&device, 640, 256, 16, 2)->name, "large", "160 groups of a pair");
    cr_expect_str_eq(gpu_block_choose(&device, 640, 256, 32, 4)->name, "medium", "no large ones of four");
    cr_expect(gpu_block_makes_enough(&device, 640, 256, 8, 4), "80 groups, or 160 small ones");
    cr_expect_not(gpu_block_makes_enough(&device, 640, 256, 4, 4), "80 small groups for 100 units");
    cr_expect(gpu_block_makes_enough(&device, 640, 256, 4, 2), "160 small groups");
}

Test(gpu_blocks, are_large_only_where_registers_are_many) {
    const opencl_backend_state wide = device_of(AMD, 64), narrow = device_of(AMD, 32),
                               other = device_of(INTEL, 16);
    opencl_backend_state cpu = device_of(NVIDIA, 32);
    cpu.is_cpu = true;
    cr_expect_str_eq(choice(&wide, 640, 8), "large");
    cr_expect_str_eq(choice(&narrow, 640, 8), "small");
    cr_expect_str_eq(choice(&other, 640, 8), "small");
    cr_expect_str_eq(choice(&cpu, 640, 8), "small");
}
