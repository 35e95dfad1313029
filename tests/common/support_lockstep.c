#include "support_lockstep.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lockstep_result compare_sides(lockstep_side a, lockstep_side b, const problem *problem,
                              const lockstep_case *of_case) {
    const lockstep_side sides[SIDE_COUNT] = {a, b};
    const lockstep_options options = {.steps = of_case->steps,
                                      .batch_rows = of_case->batch_rows,
                                      .shuffle = true,
                                      .seed = of_case->seed,
                                      .learning_rate = 0.125f};
    lockstep_result result;
    MUST(lockstep_run(sides, problem->model, &problem->dataset, &options, &result, error));
    return result;
}

lockstep_result compare_exact(backend *a, backend *b, const problem *problem, const lockstep_case *of_case) {
    return compare_sides((lockstep_side){.backend = a}, (lockstep_side){.backend = b}, problem, of_case);
}

const char *difference_text(const lockstep_result *result, char text[DIFFERENCE_SIZE]) {
    const divergence *first = &result->first;
    if (first->place == LOCKSTEP_NONE) {
        snprintf(text, DIFFERENCE_SIZE, "no difference");
        return text;
    }
    const compared_tensor *tensor = &result->tensors[first->tensor];
    snprintf(text, DIFFERENCE_SIZE, "%sstep %" PRIu64 ", layer %zu, %s [%zu, %zu]: 0x%08x and 0x%08x",
             first->place == LOCKSTEP_STEP ? "" : "a side by itself, after ", first->step + 1,
             tensor->layer + 1, quantity_name(tensor->quantity), first->mismatch.row, first->mismatch.column,
             bits_of(first->mismatch.value[SIDE_A]), bits_of(first->mismatch.value[SIDE_B]));
    return text;
}

/* ---- kernels with a fault ----------------------------------------------------------------------------- */

static char *read_text(const char *path) {
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s cannot be read", path);
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *text = calloc(size + 1, 1);
    cr_assert_not_null(text);
    cr_assert_eq(fread(text, 1, size, file), size);
    fclose(file);
    return text;
}

/* A fault stands in one place of its file. */
static void apply(const edit *edit, const char *folder) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, edit->file);
    char *text = read_text(path);
    const char *found = strstr(text, edit->from);
    cr_assert_not_null(found, "%s does not hold '%s': the fault wants to be put elsewhere", edit->file,
                       edit->from);
    cr_assert_null(strstr(found + 1, edit->from), "%s holds '%s' more than once", edit->file, edit->from);
    FILE *output = fopen(path, "wb");
    cr_assert_not_null(output);
    fprintf(output, "%.*s%s%s", (int)(found - text), text, edit->to, found + strlen(edit->from));
    cr_assert_eq(fclose(output), 0);
    free(text);
}

const char *damaged_kernels_of(const char *source, const char *name, const edit *edits, size_t count) {
    static char folder[256];
    char command[1024];
    snprintf(folder, sizeof folder, "%s/%s", temporary_folder(), name);
    snprintf(command, sizeof command, "cp -r '%s' '%s'", source, folder);
    cr_assert_eq(system(command), 0);
    for (size_t i = 0; i < count && edits[i].file != NULL; i++)
        apply(&edits[i], folder);
    return folder;
}
