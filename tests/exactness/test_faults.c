/*
 * The comparison can fail: kernels with one fault each are put beside the CPU, and the step, the layer and the tensor
 * that the fault touches first must be named. Nothing is told but the folder of the kernels.
 */
#include <stdio.h>

#include "program.h"
#include "support_lockstep.h"

#define ROWS 1000
#define RAGGED_BATCH 300 /* the fourth batch of an epoch has 100 rows */
#define ALL_ROWS 0

/* ---- problems ----------------------------------------------------------------------------------------- */

static const network tanh_network = {ROWS,
                                     21,
                                     2,
                                     {32, 10},
                                     {ACTIVATION_TANH, ACTIVATION_SOFTMAX},
                                     LOSS_CATEGORICAL_CROSSENTROPY,
                                     TANDA_TASK_CLASSES,
                                     CONTENT_REAL};
static const network sigmoid_network = {ROWS,
                                        21,
                                        2,
                                        {32, 10},
                                        {ACTIVATION_SIGMOID, ACTIVATION_SOFTMAX},
                                        LOSS_CATEGORICAL_CROSSENTROPY,
                                        TANDA_TASK_CLASSES,
                                        CONTENT_REAL};

static void clear_biases(problem *problem) {
    for (size_t i = 0; i < problem->model->layer_count; i++) {
        const layer *layer = &problem->model->layers[i];
        memset(problem->model->parameters + layer->bias, 0, layer->outputs * sizeof(float));
    }
}

static void multiply_features(problem *problem, float factor) {
    for (size_t i = 0; i < problem->dataset.rows * problem->dataset.features; i++)
        problem->dataset.owned[i] *= factor;
}

/* Features and first logits below the normal numbers. */
static void make_subnormal(problem *problem) {
    clear_biases(problem);
    multiply_features(problem, 0x1p-130f);
}

/* Units so far from 0 that tanh is 1 or -1 and its slope 0. */
static void saturate(problem *problem) {
    multiply_features(problem, 1000.0f);
}

/* Every seventh row is zero, so that all its classes are equal at first; it is of the first. */
static void make_ties(problem *problem) {
    clear_biases(problem);
    for (size_t row = 0; row < problem->dataset.rows; row += 7) {
        memset(problem->dataset.owned + row * problem->dataset.features, 0,
               problem->dataset.features * sizeof(float));
        problem->dataset.classes[row] = 0;
    }
}

/* ---- faults ------------------------------------------------------------------------------------------- */

typedef struct fault {
    const char *name, *what;
    edit edits[2];
    const network *network;
    void (*adapt)(problem *problem); /* or NULL */
    size_t batch_rows;
    uint64_t step; /* from 1, as it is told */
    size_t layer;  /* from 1 */
    quantity quantity;
} fault;

#define ONE_ULP_IN_STEP_4 \
    "store_real(sum, slots + index);\n" \
    "    if (index <= 5 && 5 < index + VECTOR && a.inverse_rows > 0.0099f && a.inverse_rows < 0.0101f)\n" \
    "        ((global uint *)parameters)[5] ^= 1;"

static const fault faults[] = {
    {"last_row",
     "the weight gradient leaves out the last row of a tile",
     {{"dense.inc", "uint terms = rows_of_tile(a.rows, tile);",
       "uint terms = rows_of_tile(a.rows, tile) - 1;"}},
     &tanh_network,
     NULL,
     RAGGED_BATCH,
     1,
     1,
     QUANTITY_WEIGHT_GRADIENT},
    {"one_ulp",
     "one weight is one ULP off, in the fourth step",
     {{"update.cl", "store_real(sum, slots + index);", ONE_ULP_IN_STEP_4}},
     &tanh_network,
     NULL,
     RAGGED_BATCH,
     4,
     1,
     QUANTITY_WEIGHT},
    {"swapped_tree",
     "the tree over the tiles starts with another pair",
     {{"merge.h", "uint slot = first + i * a.distance;",
       "uint slot = first + (i + 1) % FAN_IN * a.distance;"}},
     &tanh_network,
     NULL,
     ALL_ROWS,
     1,
     2,
     QUANTITY_WEIGHT_GRADIENT},
    {"contracted",
     "a product and a difference round once, not twice",
     {{"activation.h", "return delta * (output * (1.0f - output));",
       "{\n#pragma OPENCL FP_CONTRACT ON\n    return delta * (output - output * output);\n}"}},
     &sigmoid_network,
     NULL,
     RAGGED_BATCH,
     1,
     1,
     QUANTITY_DELTA},
    {"flushed",
     "subnormal results become zero",
     {{"exact.h", "return choose(x == 0.0f, 0.0f, x);",
       "return choose(magnitude(x) < SMALLEST_NORMAL, 0.0f, x);"}},
     &tanh_network,
     make_subnormal,
     RAGGED_BATCH,
     1,
     1,
     QUANTITY_LOGITS},
    {"minus_zero",
     "-0 is stored as it comes",
     {{"exact.h", "return choose(magnitude(x) < 0x1p-100f, 0.0f, x);",
       "return choose((magnitude(x) < 0x1p-100f) & (x != 0.0f), 0.0f, x);"}},
     &tanh_network,
     saturate,
     RAGGED_BATCH,
     1,
     1,
     QUANTITY_DELTA},
    {"race",
     "all tiles add to one bias gradient, unguarded and in no order",
     {{"dense.cl", "slots[sum_place(a, tile, h)] = sum_over_rows(line, lanes_of_tile(a.rows, tile), a.zero);",
       "float sum = sum_over_rows(line, lanes_of_tile(a.rows, tile), a.zero);\n"
       "    if (h < a.outputs)\n"
       "        slots[a.target + h] = slots[a.target + h] + sum;\n"
       "    else\n"
       "        slots[sum_place(a, tile, h)] = sum;"}},
     &tanh_network,
     NULL,
     ALL_ROWS,
     1,
     2,
     QUANTITY_BIAS_GRADIENT},
    {"stale",
     "the activation is skipped in the fourth step, so the third's output is used",
     {{"activation.cl", "store_real(clear_unused(activate(function, z)",
       "if (a.rows != 100) store_real(clear_unused(activate(function, z)"}},
     &tanh_network,
     NULL,
     RAGGED_BATCH,
     4,
     1,
     QUANTITY_OUTPUT},
    {"ties",
     "of equal classes the last one counts, not the first",
     {{"loss_rows.h", "integer greater = value > maximum;", "integer greater = value >= maximum;"}},
     &tanh_network,
     make_ties,
     RAGGED_BATCH,
     1,
     2,
     QUANTITY_CORRECT},
};
enum { FAULT_COUNT = sizeof faults / sizeof *faults };

static problem make_problem(const fault *fault) {
    problem made = problem_create(fault->network);
    if (fault->adapt != NULL) fault->adapt(&made);
    return made;
}

static bool is_caught(const fault *fault, backend *cpu) {
    const lockstep_case of_case = {.steps = 10, .batch_rows = fault->batch_rows, .seed = 5};
    char text[DIFFERENCE_SIZE];
    backend *damaged = open_opencl(damaged_kernels(fault->name, fault->edits, 2));
    damaged->executor =
        "ops"; /* for the side that keeps nothing, too: others take five times as long to compile */
    problem problem = make_problem(fault);
    lockstep_result result = compare_exact(damaged, cpu, &problem, &of_case);
    const divergence *first = &result.first;
    const compared_tensor *tensor = &result.tensors[first->tensor];
    const bool caught = first->place == LOCKSTEP_STEP && first->step + 1 == fault->step &&
                        tensor->layer + 1 == fault->layer && tensor->quantity == fault->quantity;
    printf("%-13s %s: %s\n", fault->name, caught ? "caught" : "MISSED", difference_text(&result, text));
    cr_expect(caught, "%s (%s): should be step %d, layer %zu, %s, found %s", fault->name, fault->what,
              (int)fault->step, fault->layer, quantity_name(fault->quantity), text);
    lockstep_result_free(&result);
    problem_free(&problem);
    tanda_device_close(damaged);
    return caught;
}

Test(faults, every_fault_is_named_by_step_layer_and_tensor, .fini = forget_opencl, .timeout = 300) {
    size_t caught = 0;
    if (!use_opencl("pocl")) return;
    backend *cpu = open_best_openmp(1);
    for (size_t i = 0; i < FAULT_COUNT; i++)
        caught += is_caught(&faults[i], cpu);
    printf("faults caught / injected: %zu / %d\n", caught, (int)FAULT_COUNT);
    fflush(stdout);
    tanda_device_close(cpu);
}

Test(faults, without_a_fault_none_is_found, .fini = forget_opencl, .timeout = 300) {
    if (!use_opencl("pocl")) return;
    backend *cpu = open_best_openmp(1), *copied = open_opencl(damaged_kernels("as_they_are", NULL, 0));
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        const lockstep_case of_case = {.steps = 10, .batch_rows = faults[i].batch_rows, .seed = 5};
        char text[DIFFERENCE_SIZE];
        problem problem = make_problem(&faults[i]);
        lockstep_result result = compare_exact(copied, cpu, &problem, &of_case);
        cr_expect_eq(result.first.place, LOCKSTEP_NONE, "%s: %s", faults[i].name,
                     difference_text(&result, text));
        lockstep_result_free(&result);
        problem_free(&problem);
    }
    tanda_device_close(copied);
    tanda_device_close(cpu);
}

/* Tensors are kept for the comparison; without, other kernels run a small network, and only there is it skipped. */
Test(faults, what_goes_wrong_only_while_nothing_is_kept_is_found, .fini = forget_opencl, .timeout = 200) {
    static const edit fault = {"cpu/network_column.h", "activate_all(layer->activation, logits, output, ",
                               "activate_all(ACTIVATION_IDENTITY, logits, output, "};
    const lockstep_case of_case = {.steps = 5, .batch_rows = RAGGED_BATCH, .seed = 5};
    char text[DIFFERENCE_SIZE];
    if (!use_opencl("pocl")) return;
    backend *cpu = open_best_openmp(1), *damaged = open_opencl(damaged_kernels("in_place", &fault, 1));
    problem problem = problem_create(&tanh_network);
    lockstep_result result = compare_exact(cpu, damaged, &problem, &of_case);
    cr_expect_eq(result.first.place, LOCKSTEP_FREE_B, "%s", difference_text(&result, text));
    cr_expect_eq(result.steps, 5);
    lockstep_result_free(&result);
    problem_free(&problem);
    tanda_device_close(damaged);
    tanda_device_close(cpu);
}

/* digits.csv has 1797 rows: of batches of 1697 every second has 100, as the fault wants. */
Test(faults, the_command_names_the_weight_that_is_one_ulp_off, .init = enter_folder, .timeout = 300) {
    char spec[512];
    if (use_opencl("pocl")) {
        snprintf(spec, sizeof spec, "opencl,executor=ops,kernels=%s",
                 damaged_kernels("command", faults[1].edits, 2));
        const outcome outcome = RUN("verify", "--data", DIGITS, "--hidden", "32", "--batch", "1697",
                                    "--device", spec, "--against", "cpu,threads=1", "--json");
        json_t *object = only_object(&outcome), *first = json_object_get(object, "first_difference");
        cr_expect_eq(outcome.status, 1);
        cr_expect_eq(json_figure(first, "step"), 2);
        cr_expect_eq(json_figure(first, "layer"), 1);
        cr_expect_str_eq(json_words(first, "tensor"), "weight");
        cr_expect_str_eq(json_words(first, "operation"), "update");
        cr_expect_eq(json_integer_value(json_array_get(json_object_get(first, "index"), 0)), 5);
        cr_expect_eq(json_integer_value(json_array_get(json_object_get(first, "index"), 1)), 0);
        cr_expect_eq(json_figure(first, "ulp"), 1);
        cr_expect(json_is_false(json_object_get(object, "equal")));
        json_decref(object);
    }
    leave_folder();
    forget_opencl();
}

/* ---- faults of executors for GPUs ------------------------------------------------------------------------------ */

/* What is kept shows in a tensor, of the first layer and step; what no executor keeps, only in weights at the end. */
typedef struct gpu_fault {
    const char *name, *executor;
    edit edit;
    size_t rows, features, hidden; /* hidden 0: none */
    quantity quantity;
    bool is_kept;
} gpu_fault;

static const gpu_fault gpu_faults[] = {
    {"dense_stale",
     "gpu_dense",
     {"gpu/dense.inc", "    barrier(CLK_GLOBAL_MEM_FENCE);\n    tail_place",
      "    if (lanes > 16) return;\n    tail_place"},
     100,
     21,
     32,
     QUANTITY_OUTPUT,
     true},
    {"dense_swapped_pair",
     "gpu_dense",
     {"merge.h", "uint slot = first + i * a.distance;", "uint slot = first + (i + 1) % FAN_IN * a.distance;"},
     1000,
     21,
     32,
     QUANTITY_LOSS_SUM,
     true},
    {"chunk_order",
     "gpu",
     {"gpu/perceptron.cl", "place.parts[(c * OUTPUTS + h) * STRIP + t];",
      "place.parts[((chunks - 1 - c) * OUTPUTS + h) * STRIP + t];"},
     100,
     300,
     0,
     QUANTITY_WEIGHT,
     false},
    {"swapped_pair",
     "gpu",
     {"gpu/slots.h", "uint slot = part * a.part_slots + first + i;",
      "uint slot = part * a.part_slots + first + i;\n            if (slot == 1 || slot == 2) slot = 3 - "
      "slot;"},
     1300,
     21,
     0,
     QUANTITY_WEIGHT,
     false},
    {"stale_partial",
     "gpu",
     {"gpu/perceptron.cl", "    if (!a.updates)\n",
      "    if (!a.updates && a.epoch > 1 && get_group_id(0) == 1) return;\n    if (!a.updates)\n"},
     1300,
     21,
     0,
     QUANTITY_WEIGHT,
     false},
};

static network network_of(const gpu_fault *fault) {
    network made = {.rows = fault->rows,
                    .features = fault->features,
                    .layer_count = fault->hidden > 0 ? 2 : 1,
                    .loss = LOSS_BINARY_CROSSENTROPY,
                    .task = TANDA_TASK_CLASSES};
    made.units[0] = fault->hidden;
    made.units[made.layer_count - 1] = 1;
    made.activations[0] = ACTIVATION_TANH;
    made.activations[made.layer_count - 1] = ACTIVATION_SIGMOID;
    return made;
}

/* Where no step differs while tensors are kept, the side by itself must. */
static void expect_caught(const gpu_fault *fault, backend *cpu) {
    const lockstep_case of_case = {.steps = 4, .seed = 5};
    char text[DIFFERENCE_SIZE];
    const network network = network_of(fault);
    problem problem = problem_create(&network);
    backend *damaged = open_opencl(damaged_kernels(fault->name, &fault->edit, 1));
    damaged->information.compute_units = 8;
    damaged->executor = fault->executor;
    lockstep_result result = compare_exact(damaged, cpu, &problem, &of_case);
    const divergence *first = &result.first;
    const quantity found = result.tensors[first->tensor].quantity;
    cr_expect(first->place == (fault->is_kept ? LOCKSTEP_STEP : LOCKSTEP_FREE_A) && found == fault->quantity,
              "%s: %s", fault->name, difference_text(&result, text));
    lockstep_result_free(&result);
    problem_free(&problem);
    tanda_device_close(damaged);
}

Test(faults, of_executors_for_gpus_are_seen, .fini = forget_opencl, .timeout = 300) {
    if (!use_opencl("pocl")) return;
    backend *cpu = open_best_openmp(1);
    for (size_t i = 0; i < sizeof gpu_faults / sizeof *gpu_faults; i++)
        expect_caught(&gpu_faults[i], cpu);
    tanda_device_close(cpu);
}
