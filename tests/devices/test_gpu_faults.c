/*
 * Faults put into the kernels of executors for GPUs, which a device runs in random order of work-items and groups: what
 * `tanda verify` compares must name step, layer and tensor. Of executors that keep no tensors it has the weights of a
 * training by itself, so these trainings are as long as the step that is named. Skipped without clang-15, libclc-15 or
 * python3.
 */
#include "ptx_device.h"
#include "support_lockstep.h"

#define MOST_EDITS 4
#define FIRST_SEED 11 /* as the device is now it shows all; others are tried up to */
#define LAST_SEED 30

#define SIGMOID ACTIVATION_SIGMOID
#define TANH ACTIVATION_TANH
#define SOFTMAX ACTIVATION_SOFTMAX
#define BINARY LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL
#define CATEGORICAL LOSS_CATEGORICAL_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL

/* Where a fault is first seen; step and layer from 1, as they are told. */
typedef struct sight {
    uint64_t step;
    size_t layer;
    quantity quantity;
} sight;

typedef struct fault {
    const char *name, *executor;
    network network;
    sight sight;
    edit edits[MOST_EDITS];
    unsigned units; /* compute units that blocks are chosen for; 0: the executor's own */
} fault;

#define AFTER_STEP(number) \
    { number, 1, QUANTITY_WEIGHT }
#define NO_BARRIER(file, before, after) \
    { file, before "barrier(CLK_LOCAL_MEM_FENCE);\n" after, before after }

/* ---- one layer --------------------------------------------------------------------------------------------------- */

#define FEW_ROWS \
    { 40, 5, 1, {1}, {SIGMOID}, BINARY }
#define SIX_TILES \
    { 1300, 250, 1, {1}, {SIGMOID}, BINARY }
#define SIX_SMALL_TILES \
    { 1300, 21, 1, {1}, {SIGMOID}, BINARY }
#define THREE_CHUNKS \
    { 20, 600, 1, {1}, {SIGMOID}, BINARY }

/* A group leaves what it had in the step before. */
#define STALE_SLOT \
    { \
        "gpu/perceptron.cl", "    if (!a.updates)\n", \
            "    if (!a.updates && a.epoch > 0 && get_group_id(0) == 1) return;\n    if (!a.updates)\n" \
    }

static const fault of_one_layer[] = {
    {"a strip is read while it is written",
     "gpu_perceptron",
     FEW_ROWS,
     AFTER_STEP(1),
     {NO_BARRIER("gpu/perceptron.cl", "", "        if (next.steps > 0) ask_for(")}},
    {"lanes are folded while they are written",
     "gpu_perceptron",
     FEW_ROWS,
     AFTER_STEP(1),
     {NO_BARRIER("gpu/perceptron.cl", "", "        if (t < FOLDS * 64) values")}},
    {"chunks of features in another order",
     "gpu_perceptron",
     THREE_CHUNKS,
     AFTER_STEP(1),
     {{"gpu/perceptron.cl", "place.parts[(c * OUTPUTS + h) * STRIP + t];",
       "place.parts[((chunks - 1 - c) * OUTPUTS + h) * STRIP + t];"}}},
    {"a swapped pair of tiles",
     "gpu_perceptron",
     SIX_TILES,
     AFTER_STEP(1),
     {{"gpu/slots.h", "uint slot = part * a.part_slots + first + i;",
       "uint slot = part * a.part_slots + first + i;\n            if (slot == 1 || slot == 2) slot = 3 - "
       "slot;"}}},
    {"a group's sums of the step before", "gpu_perceptron", SIX_SMALL_TILES, AFTER_STEP(2), {STALE_SLOT}},
};

/* Groups that meet in one launch. */
static const fault of_groups_that_meet[] = {
    {"slots in the order in which groups arrive",
     "gpu_perceptron_one",
     SIX_TILES,
     AFTER_STEP(1),
     {{"gpu/perceptron.cl", "local float4 memory[", "local uint arrived;\n    local float4 memory["},
      {"gpu/perceptron.cl", "    local float4 *own_weights",
       "    if (t == 0) arrived = atomic_add(arrivals, 65536u) >> 16;\n    barrier(CLK_LOCAL_MEM_FENCE);\n"
       "    local float4 *own_weights"},
      {"gpu/perceptron.cl", "slots + group * a.slot_floats", "slots + arrived * a.slot_floats"},
      {"gpu/perceptron.cl", "= atomic_inc(arrivals);", "= atomic_inc(arrivals) & 65535u;"}}},
    {"a group arrives before its sums are there",
     "gpu_perceptron_one",
     SIX_TILES,
     AFTER_STEP(1),
     {{"gpu/perceptron.cl", "    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);\n    if (t == 0) place",
       "    if (t == 0) place"},
      NO_BARRIER("gpu/perceptron.cl", "place.correct, right);\n    ", "")}},
    {"parts are added while they are written",
     "gpu_perceptron_one",
     SIX_SMALL_TILES,
     AFTER_STEP(1),
     {NO_BARRIER("gpu/slots.h", "        ", "        if (part % (2 * apart) == 0)")}},
    {"a group's sums of the step before", "gpu_perceptron_one", SIX_SMALL_TILES, AFTER_STEP(2), {STALE_SLOT}},
};

/* ---- small networks ---------------------------------------------------------------------------------------------- */

#define SMALL \
    { 20, 5, 2, {17, 1}, {TANH, SIGMOID}, BINARY }
#define SMALL_TILES \
    { 600, 200, 2, {9, 1}, {TANH, SIGMOID}, BINARY }
#define SMALL_CHUNKS \
    { 16, 768, 2, {3, 1}, {TANH, SIGMOID}, BINARY }

static const fault of_small_networks[] = {
    {"outputs are activated while they are added",
     "gpu_small",
     SMALL,
     AFTER_STEP(1),
     {NO_BARRIER("gpu/small.cl", "        ", "        activate_outputs(")}},
    {"a strip is read while it is written",
     "gpu_small",
     SMALL,
     AFTER_STEP(1),
     {NO_BARRIER("gpu/small_gradient.h", "put_strip(lines, t, held);\n        ", "")}},
    {"chunks of features in another order",
     "gpu_small",
     SMALL_CHUNKS,
     AFTER_STEP(1),
     {{"gpu/small.cl", "for (uint from = 0; from < layer.inputs; from += CHUNK) {\n",
       "for (uint next = 0; next < layer.inputs; next += CHUNK) {\n"
       "            uint from = next > 0 ? layer.inputs - next : 0;\n"}}},
    {"a swapped pair of tiles",
     "gpu_small",
     SMALL_TILES,
     AFTER_STEP(1),
     {{"gpu/small.cl", "slots[(b * FAN + i) * a.slot_floats]",
       "slots[(b * FAN + (i == 1 || i == 2 ? 3 - i : i)) * a.slot_floats]"}}},
    {"a tile's sums of the step before",
     "gpu_small",
     SMALL_TILES,
     AFTER_STEP(2),
     {{"gpu/small.cl", "    gpu_small_block block = blocks[get_group_id(0)];\n",
       "    gpu_small_block block = blocks[get_group_id(0)];\n"
       "    if (a.training_step > 0 && index == 1) return;\n"}}},
};

/* ---- layers of any width ----------------------------------------------------------------------------------------- */

#define WIDE \
    { 20, 40, 2, {20, 1}, {TANH, SIGMOID}, BINARY }
#define WIDE_TILES \
    { 600, 3, 2, {17, 1}, {TANH, SIGMOID}, BINARY }
#define FOUR_TILES \
    { 1000, 40, 2, {17, 1}, {TANH, SIGMOID}, BINARY }
#define WIDE_CHUNKS \
    { 16, 768, 2, {17, 17}, {TANH, SOFTMAX}, CATEGORICAL }

static const fault of_any_width[] = {
    {"terms are replaced while they are read",
     "gpu_dense",
     WIDE,
     {1, 1, QUANTITY_LOGITS},
     {NO_BARRIER("gpu/dense.inc", "now * LOCAL_N, &next);\n            ", "")}},
    {"what follows reads logits that are not there",
     "gpu_dense",
     WIDE,
     {1, 1, QUANTITY_OUTPUT},
     {{"gpu/dense.inc", "    barrier(CLK_GLOBAL_MEM_FENCE);\n    tail_place", "    tail_place"}}},
    {"terms of a narrow layer are read while they are written",
     "gpu_dense",
     WIDE,
     {1, 2, QUANTITY_LOGITS},
     {NO_BARRIER("gpu/narrow.cl", "", "        UNROLL_FOR (int t = 0; t < STEP; t++)")}},
    {"lanes are folded while they are written",
     "gpu_dense",
     WIDE,
     {1, 2, QUANTITY_LOSS_SUM},
     {NO_BARRIER("gpu/sums.h", "", "    for (uint half_lanes")}},
    {"terms of a loss are added while they are written",
     "gpu_dense",
     WIDE_CHUNKS,
     {1, 2, QUANTITY_OUTPUT},
     {NO_BARRIER("gpu/group_loss.h", "from + i);\n        ", "")}},
    {"chunks in another order",
     "gpu_dense",
     WIDE_CHUNKS,
     {1, 1, QUANTITY_LOGITS},
     {{"gpu/chunks.h", "chunk_at(a, chunk, tile, units) + lane;",
       "chunk_at(a, a.chunks - 1 - chunk, tile, units) + lane;"}}},
    {"a chunk of the step before",
     "gpu_dense",
     WIDE_CHUNKS,
     {2, 1, QUANTITY_LOGITS},
     {{"gpu/dense.inc", "tile, a.outputs);\n        store_block(SUMS, a, 0, total, target);\n",
       "tile, a.outputs);\n"
       "        if (chunk != 1 || a.order.epoch == 0) store_block(SUMS, a, 0, total, target);\n"}}},
    {"a swapped pair of tiles",
     "gpu_dense",
     WIDE_TILES,
     {1, 2, QUANTITY_WEIGHT_GRADIENT},
     {{"merge.h", "uint slot = first + i * a.distance;",
       "uint slot = first + (i + 1) % FAN_IN * a.distance;"}}},
    {"tiles of a slot in a row",
     "gpu_dense",
     FOUR_TILES,
     {1, 1, QUANTITY_WEIGHT_GRADIENT},
     {{"gpu/dense.inc", "#define PAIR_ROWS (2 * TILE_ROWS)", "#define PAIR_ROWS (4 * TILE_ROWS)"}},
     .units = 1},
    {"tiles of a narrow layer in a row",
     "gpu_dense",
     FOUR_TILES,
     {1, 2, QUANTITY_WEIGHT_GRADIENT},
     {{"gpu/sums.h", "if (to.index % 2 == 1) sum = ", "if (to.index > 0) sum = "},
      {"gpu/sums.h", "to.index < 2 ? sum : to.slot[at] + sum", "sum"}},
     .units = 1},
    {"parameters change before their sums are there",
     "gpu_dense",
     WIDE,
     {1, 1, QUANTITY_WEIGHT_GRADIENT},
     {{"gpu/dense.inc", "    barrier(CLK_GLOBAL_MEM_FENCE);\n    if (a.update.is_whole)",
       "    if (a.update.is_whole)"}}},
};

/* ---- finding them ------------------------------------------------------------------------------------------------ */

static bool set_up(void) {
    const char *lack = lack_of_ptx();
    char vendors[128];
    use_opencl("");
    snprintf(vendors, sizeof vendors, "%s/vendors", temporary_folder());
    if (lack == NULL) show_ptx(vendors);
    if (lack != NULL) fprintf(stderr, "SKIPPED: faults of kernels for GPUs: %s\n", lack);
    return lack == NULL;
}

/* It alone keeps tensors. */
static bool is_kept(const fault *fault) {
    return strcmp(fault->executor, "gpu_dense") == 0;
}

/* Compares so many steps, where work-items go in the order of `seed`. */
static lockstep_result compare(const fault *fault, const char *kernels, backend *cpu, uint64_t steps,
                               unsigned seed) {
    const lockstep_case of_case = {.steps = steps, .seed = 5};
    problem problem = problem_create(&fault->network);
    set_seed(seed);
    backend *device = open_opencl(kernels);
    device->information.compute_units = fault->units > 0 ? fault->units : is_kept(fault) ? 132 : 8;
    device->executor = fault->executor;
    lockstep_result result = compare_exact(device, cpu, &problem, &of_case);
    tanda_device_close(device);
    problem_free(&problem);
    return result;
}

static bool is_named(const fault *fault, const lockstep_result *result) {
    const divergence *first = &result->first;
    const compared_tensor *tensor = &result->tensors[first->tensor];
    return first->place == (is_kept(fault) ? LOCKSTEP_STEP : LOCKSTEP_FREE_A) &&
           first->step + 1 == fault->sight.step && tensor->layer + 1 == fault->sight.layer &&
           tensor->quantity == fault->sight.quantity;
}

static bool differs(const lockstep_result *result) {
    return result->first.place != LOCKSTEP_NONE;
}

/* No difference in the steps before. */
static void expect_equal_before(const fault *fault, const char *kernels, backend *cpu) {
    char text[DIFFERENCE_SIZE];
    if (fault->sight.step == 1) return;
    lockstep_result result = compare(fault, kernels, cpu, fault->sight.step - 1, FIRST_SEED);
    cr_expect_not(differs(&result), "%s, %s: %s", fault->executor, fault->name,
                  difference_text(&result, text));
    lockstep_result_free(&result);
}

static void expect_named(const fault *fault, const char *folder, backend *cpu) {
    char text[DIFFERENCE_SIZE];
    const char *kernels = damaged_kernels(folder, fault->edits, MOST_EDITS);
    lockstep_result result = {0};
    expect_equal_before(fault, kernels, cpu);
    for (unsigned seed = FIRST_SEED; seed <= LAST_SEED && !differs(&result); seed++) {
        lockstep_result_free(&result);
        result = compare(fault, kernels, cpu, fault->sight.step, seed);
    }
    printf("%s, %s: %s\n", fault->executor, fault->name, difference_text(&result, text));
    cr_expect(is_named(fault, &result), "%s, %s: should be step %d, layer %zu, %s, found %s", fault->executor,
              fault->name, (int)fault->sight.step, fault->sight.layer, quantity_name(fault->sight.quantity),
              text);
    lockstep_result_free(&result);
}

static void expect_all_named(const fault *faults, size_t count) {
    if (!set_up()) return;
    backend *cpu = open_best_openmp(1);
    for (size_t i = 0; i < count; i++) {
        char folder[16];
        snprintf(folder, sizeof folder, "fault_%zu", i);
        expect_named(&faults[i], folder, cpu);
    }
    fflush(stdout);
    tanda_device_close(cpu);
}

#define ALL_OF(faults) faults, sizeof faults / sizeof *faults

TestSuite(gpu_faults, .fini = forget_opencl, .timeout = 300);

Test(gpu_faults, of_one_layer_are_named) {
    expect_all_named(ALL_OF(of_one_layer));
}

Test(gpu_faults, of_groups_that_meet_in_a_launch_are_named) {
    expect_all_named(ALL_OF(of_groups_that_meet));
}

Test(gpu_faults, of_small_networks_are_named) {
    expect_all_named(ALL_OF(of_small_networks));
}

Test(gpu_faults, of_layers_of_any_width_are_named) {
    expect_all_named(ALL_OF(of_any_width));
}

/* Without a fault there is no difference. */
static void expect_equal(const fault *faults, size_t count, backend *cpu) {
    for (size_t i = 0; i < count; i++) {
        char text[DIFFERENCE_SIZE];
        if (i > 0 && memcmp(&faults[i].network, &faults[i - 1].network, sizeof faults[i].network) == 0)
            continue;
        lockstep_result result = compare(&faults[i], NULL, cpu, faults[i].sight.step, FIRST_SEED);
        cr_expect_not(differs(&result), "%s: %s", faults[i].executor, difference_text(&result, text));
        lockstep_result_free(&result);
    }
}

Test(gpu_faults, without_one_there_is_no_difference) {
    if (!set_up()) return;
    backend *cpu = open_best_openmp(1);
    expect_equal(ALL_OF(of_one_layer), cpu);
    expect_equal(ALL_OF(of_groups_that_meet), cpu);
    expect_equal(ALL_OF(of_small_networks), cpu);
    expect_equal(ALL_OF(of_any_width), cpu);
    tanda_device_close(cpu);
}
