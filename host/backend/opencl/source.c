/* The kernels as one text: what OpenCL's compiler gets has no #include left. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/opencl/kernel_text.h"
#include "backend/opencl/state.h"
#include "support/file.h"
#include "support/memory.h"
#include "support/text.h"

#define MOST_FILES 128
#define MOST_DEPTH 16
#define NAME_SIZE 64

static const char *const kernel_files[] = {"gather.cl", "dense.cl", "activation.cl", "dropout.cl",
                                           "loss.cl",   "weigh.cl", "reduce.cl",     "update.cl",
                                           "probe.cl",  "layout.cl"};

/* Where 16 lanes lie in one real. */
static const char *const cpu_files[] = {"cpu/gather.cl"};

#define COUNT(files) (sizeof(files) / sizeof *(files))

typedef struct expansion {
    const char *folder; /* NULL: embedded */
    FILE *output;
    char included[MOST_FILES][NAME_SIZE];
    size_t included_count, depth;
} expansion;

static tanda_status expand(expansion *expansion, const char *name, tanda_error *error);

/* True for a line `#include "kernels/NAME"`; other includes belong to C and stand under #ifdef. */
static bool included_name(const char *line, size_t length, char name[NAME_SIZE]) {
    static const char start[] = "#include \"kernels/";
    size_t skip = sizeof start - 1;
    if (length < skip || strncmp(line, start, skip) != 0) return false;
    size_t size = 0;
    while (skip + size < length && line[skip + size] != '"' && size < NAME_SIZE - 1) {
        name[size] = line[skip + size];
        size++;
    }
    name[size] = '\0';
    return true;
}

static tanda_status expand_text(expansion *expansion, const char *name, const char *text, size_t size,
                                tanda_error *error) {
    size_t number = 1;
    fprintf(expansion->output, "#line 1 \"%s\"\n", name);
    for (const char *line = text, *end = text + size; line < end; number++) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((stop == NULL ? end : stop) - line);
        char other[NAME_SIZE];
        if (included_name(line, length, other)) {
            tanda_status status = expand(expansion, other, error);
            if (status != TANDA_OK) return status;
            fprintf(expansion->output, "#line %zu \"%s\"\n", number + 1, name);
        } else {
            fprintf(expansion->output, "%.*s\n", (int)length, line);
        }
        line += length + 1;
    }
    return TANDA_OK;
}

static tanda_status expand_file(expansion *expansion, const char *name, tanda_error *error) {
    char path[4096];
    file_view view = {0};
    if (!text_fit(path, sizeof path, "%s/%s", expansion->folder, name))
        return fail(error, TANDA_DEVICE, "kernels: %s: the path is too long", expansion->folder);
    tanda_status status = file_view_open(path, &view, error);
    if (status != TANDA_OK) return status;
    status = expand_text(expansion, name, (const char *)view.data, view.size, error);
    status = file_view_check(&view, status, error);
    file_view_close(&view);
    return status;
}

/* Templates (NAME.inc) are included several times, each time with other numbers. */
static bool is_template(const char *name) {
    const char *end = strrchr(name, '.');
    return end != NULL && strcmp(end, ".inc") == 0;
}

static bool is_included(const expansion *expansion, const char *name) {
    for (size_t i = 0; i < expansion->included_count; i++)
        if (strcmp(expansion->included[i], name) == 0) return true;
    return false;
}

static tanda_status expand_new(expansion *expansion, const char *name, tanda_error *error) {
    if (expansion->folder != NULL) return expand_file(expansion, name, error);
    for (const kernel_text *entry = embedded_kernels; entry->name != NULL; entry++)
        if (strcmp(entry->name, name) == 0)
            return expand_text(expansion, name, entry->text, strlen(entry->text), error);
    return fail(error, TANDA_DEVICE, "kernel file %s is not built in", name);
}

/* Appends a file, its includes first, unless it is in already. */
static tanda_status expand(expansion *expansion, const char *name, tanda_error *error) {
    if (is_included(expansion, name)) return TANDA_OK;
    if (expansion->included_count == MOST_FILES) return fail(error, TANDA_DEVICE, "too many kernel files");
    if (expansion->depth == MOST_DEPTH)
        return fail(error, TANDA_DEVICE, "kernel file %s: more than %d includes within one another", name,
                    MOST_DEPTH);
    if (!is_template(name)) text_put(expansion->included[expansion->included_count++], NAME_SIZE, "%s", name);
    expansion->depth++;
    tanda_status status = expand_new(expansion, name, error);
    expansion->depth--;
    return status;
}

/* The text of several files and of some more, each include once. */
static tanda_status read_files(const char *folder, const char *const *names, size_t count,
                               const char *const *more, size_t more_count, char **text, tanda_error *error) {
    char *made = NULL;
    size_t size = 0;
    expansion *expansion = NULL;
    tanda_status status = allocate(&expansion, 1, sizeof *expansion, "kernels", error);
    if (status != TANDA_OK) return status;
    expansion->folder = folder;
    expansion->output = open_memstream(&made, &size);
    if (expansion->output == NULL) {
        free(expansion);
        return fail(error, TANDA_FAILED, "no memory for the kernels: %s", strerror(errno));
    }
    for (size_t i = 0; status == TANDA_OK && i < count; i++)
        status = expand(expansion, names[i], error);
    for (size_t i = 0; status == TANDA_OK && i < more_count; i++)
        status = expand(expansion, more[i], error);
    const bool written = text_stream_end(expansion->output, &made);
    free(expansion);
    if (status == TANDA_OK && !written) status = fail(error, TANDA_FAILED, "no memory for the kernels");
    if (status != TANDA_OK) {
        free(made);
        return status;
    }
    *text = made;
    return TANDA_OK;
}

tanda_status opencl_read_kernels(const char *folder, size_t vector, char **text, tanda_error *error) {
    return read_files(folder, kernel_files, COUNT(kernel_files), cpu_files,
                      vector == 16 ? COUNT(cpu_files) : 0, text, error);
}

tanda_status opencl_read_kernel(const char *folder, const char *name, char **text, tanda_error *error) {
    return read_files(folder, &name, 1, NULL, 0, text, error);
}
