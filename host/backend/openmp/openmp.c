/* The CPU as a device: which instruction set, how many threads, and memory. */
#include <omp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "backend/openmp/state.h"
#include "support/floating_mode.h"
#include "support/memory.h"
#include "support/text.h"

#define MOST_THREADS 1024

/* ---- threads --------------------------------------------------------------------------------------------- */

/* Ends when the one who started all of them lets go. */
static void *wait_for_end(void *gate) {
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* What OMP_STACKSIZE asks for: a number and B, K (so does none), M or G. 0: the default. */
static size_t stack_size(void) {
    static const char units[] = "BKMG";
    const char *wanted = getenv("OMP_STACKSIZE");
    char *end = NULL;
    if (wanted == NULL) wanted = getenv("GOMP_STACKSIZE");
    if (wanted == NULL) return 0;
    size_t size = strtoul(wanted, &end, 10);
    end += strspn(end, " ");
    const char *unit = *end == '\0' ? &units[1] : strchr(units, *end & ~0x20);
    for (ptrdiff_t i = unit == NULL ? 0 : unit - units; i > 0; i--)
        if (multiply_overflows(size, 1024, &size)) return SIZE_MAX;
    return size;
}

/*
 * Whether there are threads to be had: OpenMP's runtime ends the whole process where it gets none. Starts so many less one,
 * as large as the runtime will make them, and ends them again, which takes some 20 microseconds for each. TANDA_FAILED
 * when they cannot be there at once.
 */
static tanda_status try_threads(size_t threads, tanda_error *error) {
    pthread_t *made = NULL;
    size_t started = 0;
    tanda_status status = allocate(&made, threads, sizeof *made, "threads", error);
    if (status != TANDA_OK) return status;
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    const size_t stack = stack_size();
    if (stack > 0)
        pthread_attr_setstacksize(&attributes, stack); /* one too small is not taken by OpenMP either */
    int code = 0;
    pthread_mutex_lock(&gate);
    for (started = 0; started < threads - 1 && code == 0; started += code == 0)
        code = pthread_create(&made[started], &attributes, wait_for_end, &gate);
    pthread_mutex_unlock(&gate);
    for (size_t i = 0; i < started; i++)
        pthread_join(made[i], NULL);
    pthread_attr_destroy(&attributes);
    free(made);
    if (code == 0) return TANDA_OK;
    return fail(
        error, TANDA_FAILED,
        "--threads: %zu threads cannot be started, only %zu: %s; take fewer, or a smaller OMP_STACKSIZE",
        threads, started + 1, strerror(code));
}

/* ---- the device ----------------------------------------------------------------------------------------- */

typedef struct isa_entry {
    const cpu_functions *functions;
    bool available;
} isa_entry;

/* Best first. The processor is asked directly: GLIBC_TUNABLES does not change the answer. */
static size_t list_isas(isa_entry entries[3]) {
    size_t count = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool v3 =
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
              __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512cd");
    entries[count++] = (isa_entry){&cpu_functions_v4, v4};
    entries[count++] = (isa_entry){&cpu_functions_v3, v3};
#endif
    entries[count++] = (isa_entry){&cpu_functions_generic, true};
    return count;
}

static tanda_status choose_isa(const char *wanted, const cpu_functions **result, tanda_error *error) {
    isa_entry entries[3];
    size_t count = list_isas(entries);
    const char *flag = "--isa";
    if (wanted == NULL) {
        wanted = getenv("TANDA_ISA");
        flag = "TANDA_ISA";
    }
    for (size_t i = 0; i < count; i++) {
        bool named = wanted != NULL && strcmp(wanted, entries[i].functions->isa) == 0;
        if (named && !entries[i].available)
            return fail(error, TANDA_DEVICE, "%s %s: this processor does not have it", flag, wanted);
        if (entries[i].available && (wanted == NULL || named)) {
            *result = entries[i].functions;
            return TANDA_OK;
        }
    }
    return fail(error, TANDA_USAGE, "%s: '%s' is none of x86-64-v4, x86-64-v3, generic", flag, wanted);
}

/* As the processor itself spells it: a file that tells it, too, may fail to be read. Runs of blanks become one. */
static void name_processor(char name[128]) {
    text_put(name, 128, "CPU");
#ifdef __x86_64__
    unsigned brand[13] = {0}; /* the last one ends the text */
    for (unsigned part = 0; part < 3; part++)
        if (!__get_cpuid(0x80000002 + part, brand + 4 * part, brand + 4 * part + 1, brand + 4 * part + 2,
                         brand + 4 * part + 3))
            return;
    const char *text = (const char *)brand;
    size_t length = 0;
    for (; *text != '\0'; text++)
        if (*text != ' ' || (length > 0 && text[1] != ' ' && text[1] != '\0')) name[length++] = *text;
    if (length > 0) name[length] = '\0';
#endif
}

static void describe(tanda_device_information *information, const cpu_functions *functions, size_t threads) {
    memset(information, 0, sizeof *information);
    text_put(information->backend, sizeof information->backend, "openmp");
    text_put(information->id, sizeof information->id, "cpu");
    text_put(information->kind, sizeof information->kind, "CPU");
    text_put(information->platform, sizeof information->platform, "%s", functions->isa);
    name_processor(information->name);
    information->compute_units = threads;
    information->memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static size_t default_threads(void) {
    int threads = omp_get_max_threads();
    return threads > 0 ? (size_t)threads : 1;
}

static tanda_status list_cpu(tanda_device_information **devices, size_t *count, device_remarks *remarks,
                             tanda_error *error) {
    (void)remarks;
    const cpu_functions *functions = NULL;
    tanda_status status = choose_isa(NULL, &functions, error);
    if (status != TANDA_OK) return status;
    tanda_device_information *grown = realloc(*devices, (*count + 1) * sizeof *grown);
    if (grown == NULL) return fail(error, TANDA_FAILED, "no memory for the list of devices");
    describe(&grown[*count], functions, default_threads());
    *devices = grown;
    *count += 1;
    return TANDA_OK;
}

static void close_cpu(backend *backend) {
    openmp_backend_state *state = (openmp_backend_state *)backend;
    openmp_profile_free(state);
    pthread_mutex_destroy(&state->crowd_gate);
    free(state->limit_values);
    free(state);
}

static tanda_status make_buffer(backend *backend, size_t bytes, const void *contents, buffer **result,
                                tanda_error *error) {
    (void)backend;
    buffer *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "buffer", error);
    if (status != TANDA_OK) return status;
    if (contents != NULL) {
        made->data = (void *)contents;
        made->borrowed = true;
    } else {
        status = allocate(&made->data, bytes, 1, "buffer", error);
        if (status != TANDA_OK) {
            free(made);
            return status;
        }
    }
    *result = made;
    return TANDA_OK;
}

/* Tiles lie at multiples of a cache line: rows that do not are not rearranged. */
static tanda_status make_rows(backend *backend, const void *values, size_t rows, size_t features, bool moved,
                              buffer **result, tanda_error *error) {
    const tanda_status status = make_buffer(backend, rows * features * sizeof(float), values, result, error);
    if (status != TANDA_OK) return status;
    (*result)->rows = rows;
    (*result)->features = features;
    (*result)->moved = moved && (uintptr_t)values % MEMORY_ALIGNMENT == 0;
    return TANDA_OK;
}

static tanda_status refill(backend *backend, buffer *buffer, const void *values, size_t rows, size_t width,
                           tanda_error *error) {
    (void)backend, (void)width, (void)error;
    buffer->data = (void *)values;
    buffer->rows = rows;
    return TANDA_OK;
}

static void free_buffer(backend *backend, buffer *buffer) {
    (void)backend;
    layout_restore(buffer);
    if (!buffer->borrowed) free(buffer->data);
    free(buffer);
}

static tanda_status write_parameters(backend *backend, const plan *plan, buffer *parameters,
                                     const float *packed, tanda_error *error) {
    (void)backend, (void)error;
    layout_to_panels(plan, packed, parameters->data, 0, 1);
    return TANDA_OK;
}

static tanda_status read_parameters(backend *backend, const plan *plan, buffer *parameters, float *packed,
                                    tanda_error *error) {
    (void)backend, (void)error;
    layout_read_panels(plan, parameters->data, packed);
    return TANDA_OK;
}

static tanda_status probe(backend *backend, unsigned function, size_t count, const float *a, const float *b,
                          const float *c, float *result, tanda_error *error) {
    (void)error;
    unsigned mode = enter_exact_mode();
    ((openmp_backend_state *)backend)->functions->probe(function, count, a, b, c, result);
    leave_exact_mode(mode);
    return TANDA_OK;
}

static tanda_status generate(backend *backend, const synthetic_source *source, const uint64_t *rows,
                             size_t count, float *features, uint32_t *labels, tanda_error *error) {
    (void)error;
    const char *isa = ((openmp_backend_state *)backend)->functions->isa;
    for (size_t i = 0; i < count; i++)
        synthetic_make(source, isa, rows[i], 1, features + i * source->data.features, labels + i);
    return TANDA_OK;
}

static tanda_status finish(backend *backend, tanda_error *error) {
    (void)backend, (void)error;
    return TANDA_OK;
}

/* ---- cores that others use, too ---------------------------------------------------------------------------- */

/*
 * GCC's runtime has threads spin for milliseconds where they wait for a region, unless it has more threads than there are
 * cores. So as long as others need the cores it gets as many more, which sleep.
 */
static size_t crowd_size(const openmp_backend_state *state) {
    const size_t cores = (size_t)omp_get_num_procs();
    return cores > state->threads ? cores - state->threads + 2 : 2;
}

static void *crowd(void *of) {
    openmp_backend_state *state = of;
    const int sleepers = (int)crowd_size(state);
#pragma omp parallel num_threads(sleepers)
    wait_for_end(&state->crowd_gate);
    return NULL;
}

static void share_cores(backend *backend, bool shares) {
    openmp_backend_state *state = (openmp_backend_state *)backend;
    if (!shares && --state->sharers > 0) return;
    if (shares && state->sharers++ > 0) return;
    if (shares) {
        pthread_mutex_lock(&state->crowd_gate);
        state->has_crowd = try_threads(crowd_size(state) + 1, NULL) == TANDA_OK &&
                           pthread_create(&state->crowd, NULL, crowd, state) == 0;
        return;
    }
    pthread_mutex_unlock(&state->crowd_gate);
    if (state->has_crowd) pthread_join(state->crowd, NULL);
    state->has_crowd = false;
}

static const backend_interface interface = {
    .close = close_cpu,
    .buffer = make_buffer,
    .rows = make_rows,
    .refill = refill,
    .buffer_free = free_buffer,
    .write_parameters = write_parameters,
    .read_parameters = read_parameters,
    .executors = openmp_executors,
    .programs.make = openmp_compile,
    .programs.free = openmp_program_free,
    .programs.place = openmp_place,
    .programs.run = openmp_run,
    .programs.partial = openmp_partial,
    .programs.apply = openmp_apply,
    .programs.results = openmp_results,
    .programs.read = openmp_read,
    .programs.sweep = openmp_sweep,
    .programs.read_gradient = openmp_read_gradient,
    .programs.read_state = openmp_read_state,
    .programs.write_state = openmp_write_state,
    .probe = probe,
    .generate = generate,
    .finish = finish,
    .share_cores = share_cores,
    .limits = openmp_limits,
    .profile_begin = openmp_profile_begin,
    .profile_end = openmp_profile_end,
};

static tanda_status open_cpu(const char *id, const tanda_device_options *options, backend **result,
                             tanda_error *error) {
    (void)id;
    const cpu_functions *functions = NULL;
    tanda_status status = choose_isa(options->isa, &functions, error);
    if (status != TANDA_OK) return status;
    if (options->threads > MOST_THREADS)
        return fail(error, TANDA_USAGE, "--threads: %zu is more than %d", options->threads, MOST_THREADS);
    const size_t threads = options->threads > 0 ? options->threads : default_threads();
    openmp_backend_state *made = NULL;
    status = try_threads(threads, error);
    if (status == TANDA_OK) status = allocate(&made, 1, sizeof *made, "device", error);
    if (status != TANDA_OK) return status;
    pthread_mutex_init(&made->crowd_gate, NULL);
    made->base.interface = &interface;
    made->threads = threads;
    made->functions = functions;
    describe(&made->base.information, functions, made->threads);
    *result = &made->base;
    return TANDA_OK;
}

const backend_kind openmp_backend = {.list = list_cpu, .open = open_cpu};
