#include "support_lockstep.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

static void apply(const edit *edit, const char *text, FILE *output) {
    const char *found = strstr(text, edit->from);
    cr_assert_not_null(found, "%s does not hold '%s': the fault wants to be put elsewhere", edit->file,
                       edit->from);
    cr_assert_null(strstr(found + 1, edit->from), "%s holds '%s' more than once", edit->file, edit->from);
    fwrite(text, 1, (size_t)(found - text), output);
    fputs(edit->to, output);
    fputs(found + strlen(edit->from), output);
}

static void copy_file(const char *source, const char *name, const char *folder, const edit *edits,
                      size_t count) {
    char from[512], to[512];
    snprintf(from, sizeof from, "%s/%s", source, name);
    snprintf(to, sizeof to, "%s/%s", folder, name);
    char *text = read_text(from);
    for (size_t i = 0; i < count; i++) {
        char *changed = NULL;
        size_t size = 0;
        if (strcmp(edits[i].file, name) != 0) continue;
        FILE *memory = open_memstream(&changed, &size);
        apply(&edits[i], text, memory);
        fclose(memory);
        free(text);
        text = changed;
    }
    FILE *output = fopen(to, "wb");
    cr_assert_not_null(output);
    fputs(text, output);
    cr_assert_eq(fclose(output), 0);
    free(text);
}

const char *damaged_kernels_of(const char *source, const char *name, const edit *edits, size_t count) {
    static char folder[256];
    snprintf(folder, sizeof folder, "%s/%s", temporary_folder(), name);
    cr_assert_eq(mkdir(folder, 0700), 0);
    while (count > 0 && edits[count - 1].file == NULL)
        count--;
    DIR *kernels = opendir(source);
    cr_assert_not_null(kernels, "%s cannot be read", source);
    for (struct dirent *entry = readdir(kernels); entry != NULL; entry = readdir(kernels)) {
        const char *end = strrchr(entry->d_name, '.');
        if (end != NULL && (strcmp(end, ".cl") == 0 || strcmp(end, ".h") == 0))
            copy_file(source, entry->d_name, folder, edits, count);
    }
    closedir(kernels);
    return folder;
}
