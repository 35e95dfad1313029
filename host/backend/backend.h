/*
 * The seam between training and devices. A backend is one open device; everything above works through the
 * functions below and never sees OpenMP or OpenCL.
 *
 * Preconditions, stated once: handles come from the same backend; sizes are within what was made; one thread
 * at a time uses a backend. Work is only queued: results and late errors appear where something is read, or at
 * backend_finish. Programs are made and run by session.h. Buffers and programs are released before their backend.
 * Devices are opened and closed through tanda.h.
 */
#ifndef TANDA_BACKEND_BACKEND_H
#define TANDA_BACKEND_BACKEND_H

#include "backend/plan.h"
#include "backend/remarks.h"
#include "data/recipe.h"
#include "data/synthetic.h"
#include "kernels/shuffle.h"
#include "kernels/update.h"

typedef struct tanda_device backend;
typedef struct buffer buffer;
typedef struct program program;
typedef struct executor executor; /* executor.h */
typedef struct row_maker row_maker;
struct device_profile; /* profile.h */

/* What one step left behind. */
typedef struct step_result {
    float loss;          /* sum over the rows of the step, not divided */
    uint32_t correct;    /* rows whose class was right; 0 for regression */
    uint32_t not_finite; /* 1 when a parameter became infinite or NaN in this step's update */
} step_result;

/* What some of a step's tiles add to it. */
typedef struct partial_sum {
    float *gradient; /* packed, plan->parameter_count floats: not divided by the rows; NULL unless training */
    float loss;
    uint32_t correct;
} partial_sum;

/*
 * How a step changes the parameters: see kernels/update.h. All zero is plain gradient descent. UPDATE_nothing leaves
 * them as they are: the gradient is then what session_read_gradient is asked for, and not_finite tells of it.
 */
typedef struct update_settings {
    update_rule rule;
    update_constants constants;
    float initial_state; /* of AdaGrad's sums; other state begins at 0 */
} update_settings;

/* Vectors of state of a rule, 0 to MOST_UPDATE_STATES. */
size_t update_state_count(update_rule rule);

/*
 * Where the rows of a program stand in a training whose rows come in sections: they begin with the batch of first_step, or
 * are the rows from `position` on, a multiple of a tile, of that one step, which has step_rows. All zero: they are all rows.
 */
typedef struct rows_place {
    uint64_t first_step;
    size_t position;
    size_t step_rows; /* 0: batches are whole */
} rows_place;

typedef struct program_options {
    buffer *features; /* (rows, features) binary32, row-major */
    buffer *labels; /* (rows) int32 classes or (rows, outputs) binary32 targets; NULL: the plan has no loss */
    buffer *weights; /* rows binary32, finite and not below 0, where the plan is weighted; else NULL */
    buffer
        *parameters; /* plan->parameter_count floats, laid out as the backend likes; training updates them */
    size_t rows;
    size_t batch_rows; /* B; the last batch of an epoch holds what is left */
    bool exchanged; /* rows are exchanged for others (session_place), never more than these; not shuffled */
    rows_place place;
    enum shuffle_kind shuffle; /* the order of an epoch's rows; windows of blocks of so many rows: */
    size_t shuffle_block, shuffle_window;
    uint64_t seed;
    float learning_rate; /* of runs without rates of each step */
    update_settings update;
    tanda_math math;
    tanda_gemm gemm;
    size_t wave_tiles; /* power of two; 0: the backend chooses. The bits do not depend on it */
} program_options;

/* The orders of a program's epochs: that of storage where a batch is all rows, as their sums have one order anyway. */
static inline row_order order_of_rows(const program_options *options) {
    const bool has_batches = options->batch_rows < options->rows;
    return row_order_make(has_batches ? options->shuffle : SHUFFLE_NONE, options->seed, options->rows,
                          options->shuffle_block, options->shuffle_window);
}

/* What a device can do at best, measured on the spot; 0 where there is no such thing. */
typedef struct device_limits {
    double read_bandwidth;   /* bytes per second, from memory far larger than the caches */
    double fma_peak;         /* floating-point operations per second; a fused multiply-add is two */
    double launch_seconds;   /* from handing over an empty piece of work to knowing that it is done */
    double queued_seconds;   /* what each of many such pieces takes when they are only queued */
    double atomic_rate;      /* exchanges per second, each of a word that one work-item has for itself */
    double upload, download; /* bytes per second between the host's memory and the device's */
} device_limits;

/* Rows that take the place of a program's. */
typedef struct program_rows {
    buffer *features, *labels, *weights;
    size_t rows;
    rows_place place;
} program_rows;

/* What is done with programs; see session.h. */
typedef struct program_interface {
    tanda_status (*make)(backend *backend, const plan *plan, const program_options *options,
                         const executor *executor, program **result, tanda_error *error);
    void (*free)(backend *backend, program *program);
    const char *(*notes)(const program *program); /* optional slot: NULL means no notes */
    tanda_status (*place)(backend *backend, program *program, const program_rows *rows, tanda_error *error);
    tanda_status (*run)(backend *backend, program *program, uint64_t first_step, size_t steps,
                        const update_rates *rates, bool with_loss, tanda_error *error);
    tanda_status (*results)(backend *backend, program *program, step_result *results, tanda_error *error);
    tanda_status (*partial)(backend *backend, program *program, uint64_t step, size_t first_tile,
                            size_t tiles, bool with_loss, partial_sum *sum, tanda_error *error);
    tanda_status (*apply)(backend *backend, program *program, uint64_t step, const update_rates *rates,
                          const partial_sum *sum, step_result *result, tanda_error *error);
    tanda_status (*part)(backend *backend, program *program, uint64_t step, size_t index, bool is_last,
                         tanda_error *error); /* optional slot */
    tanda_status (*read)(backend *backend, program *program, const tensor *tensor, float *values,
                         tanda_error *error);
    tanda_status (*sweep)(backend *backend, program *program, const tensor *tensor, size_t first_row,
                          size_t rows, float *values, tanda_error *error);
    tanda_status (*read_gradient)(backend *backend, program *program, float *packed, tanda_error *error);
    tanda_status (*read_state)(backend *backend, program *program, size_t index, float *packed,
                               tanda_error *error);
    tanda_status (*write_state)(backend *backend, program *program, size_t index, const float *packed,
                                tanda_error *error);
} program_interface;

/* One implementation of the seam. */
typedef struct backend_interface {
    void (*close)(backend *backend);
    tanda_status (*buffer)(backend *backend, size_t bytes, const void *contents, buffer **result,
                           tanda_error *error);
    tanda_status (*rows)(backend *backend, const void *values, size_t rows, size_t width, bool moved,
                         buffer **result, tanda_error *error);
    tanda_status (*refill)(backend *backend, buffer *buffer, const void *values, size_t rows, size_t width,
                           tanda_error *error);
    tanda_status (*reserve)(backend *backend, size_t rows, size_t width, buffer **result,
                            tanda_error *error); /* these, down to */
    tanda_status (*settle)(backend *backend, buffer *buffer,
                           tanda_error *error); /* room_free, are optional */
    tanda_status (*maker)(backend *backend, const row_recipe *recipe, const row_order *order,
                          row_maker **result, tanda_error *error);
    void (*maker_free)(backend *backend, row_maker *maker);
    tanda_status (*make_rows)(backend *backend, row_maker *maker, uint64_t epoch, size_t first, size_t rows,
                              buffer *features, buffer *labels, tanda_error *error);
    void *(*room)(backend *backend, size_t bytes);
    bool (*room_free)(backend *backend, void *memory);
    void (*buffer_free)(backend *backend, buffer *buffer);
    tanda_status (*write_parameters)(backend *backend, const plan *plan, buffer *parameters,
                                     const float *packed, tanda_error *error);
    tanda_status (*read_parameters)(backend *backend, const plan *plan, buffer *parameters, float *packed,
                                    tanda_error *error);
    const executor *const *executors; /* best first, NULL behind them */
    program_interface programs;
    tanda_status (*probe)(backend *backend, unsigned function, size_t count, const float *a, const float *b,
                          const float *c, float *result, tanda_error *error);
    tanda_status (*generate)(backend *backend, const synthetic_source *source, const uint64_t *rows,
                             size_t count, float *features, uint32_t *labels, tanda_error *error);
    tanda_status (*finish)(backend *backend, tanda_error *error);
    void (*share_cores)(backend *backend, bool shares); /* optional slot */
    tanda_status (*limits)(backend *backend, bool briefly, device_limits *limits,
                           tanda_error *error);                          /* optional slot */
    tanda_status (*profile_begin)(backend *backend, tanda_error *error); /* see profile.h */
    tanda_status (*profile_end)(backend *backend, struct device_profile *profile, tanda_error *error);
    bool profiles_spans; /* each command by itself, not only what all took */
} backend_interface;

/* Embedded as the first member of each implementation's own struct. */
struct tanda_device {
    const backend_interface *interface;
    tanda_device_information information;
    tanda_grade grade;
    const char *missed_probe;
    const char *executor; /* that was asked for, or NULL */
    size_t row_memory;    /* bytes of a data set that it may hold; 0: unbounded. More are streamed */
    size_t row_bytes;     /* of those data sets that it holds */
    bool copies_rows;     /* it has a memory of its own, to which rows are sent */
    bool has_failed;      /* a call of its driver */
    char instead_of[sizeof(
        (tanda_error){0}.message)]; /* how the device failed that this one replaces, or "" */
};

/*
 * One kind of backend. list appends its devices (best first), and to remarks what it has to tell of others; open takes
 * an id that list gave and the options of tanda.h. Neither runs the self-test: device.c does.
 */
typedef struct backend_kind {
    tanda_status (*list)(tanda_device_information **devices, size_t *count, device_remarks *remarks,
                         tanda_error *error);
    tanda_status (*open)(const char *id, const tanda_device_options *options, backend **result,
                         tanda_error *error);
} backend_kind;

extern const backend_kind openmp_backend;
extern const backend_kind opencl_backend;

/*
 * The names that --device and tanda_device_options take; words count in any case. TANDA_USAGE for what is no name, with what is;
 * the device need not be there.
 */
tanda_status device_name_check(const char *name, tanda_error *error);

/* Whether it leaves the choice to tanda: NULL or "auto"; and whether it is "cpu", which needs no driver. */
bool device_name_is_automatic(const char *name);
bool device_name_is_cpu(const char *name);

/*
 * Opens OpenMP in the place of a device whose driver has failed, as tanda_device_open does. TANDA_DEVICE with the same
 * message where it has not failed or is required.
 */
tanda_status device_fall_back(const backend *device, const tanda_device_options *options,
                              const tanda_error *failure, backend **result, tanda_error *error);

/* The kind whose list a device is from. */
const backend_kind *backend_kind_of(const tanda_device_information *device);

/* tanda_device_list() with all there is to remark. Loading OpenCL's drivers takes a while, and can be left out. */
tanda_status device_list(bool with_opencl, tanda_device_information **devices, size_t *count,
                         device_remarks *remarks, tanda_error *error);

/*
 * bytes of device memory. contents may be NULL (zeroed) or give the initial bytes; the backend may use them in
 * place, so they must stay as they are until the buffer is freed, and the buffer is then only read.
 */
tanda_status backend_buffer(backend *backend, size_t bytes, const void *contents, buffer **result,
                            tanda_error *error);
void backend_buffer_free(backend *backend, buffer *buffer);

/*
 * The same for features, labels or weights of a data set, (rows, width) of four bytes each: more, too, than the device
 * takes in one piece. moved: the backend may rearrange the values themselves, so that they are in memory once; until the
 * buffer is freed, which puts them back, nobody else may look at them.
 */
tanda_status backend_rows(backend *backend, const void *values, size_t rows, size_t width, bool moved,
                          buffer **result, tanda_error *error);

/* The same without values, which come by backend_refill: of a backend that copies rows. */
tanda_status backend_reserve_rows(backend *backend, size_t rows, size_t width, buffer **result,
                                  tanda_error *error);

/*
 * Other values, no more rows than the buffer was made for: they stay as they are until backend_settle. A backend that copies
 * rows has them come behind all that is queued over the buffer, which one program at a time is placed on; another wants
 * that to be done before.
 */
tanda_status backend_refill(backend *backend, buffer *buffer, const void *values, size_t rows, size_t width,
                            tanda_error *error);

/*
 * Who makes rows of a recipe on the device, as one that copies rows can. *result is NULL where the
 * device has no way. Given back with backend_maker_free; what the recipe names lives as long.
 */
tanda_status backend_maker(backend *backend, const row_recipe *recipe, const row_order *order,
                           row_maker **result, tanda_error *error);
void backend_maker_free(backend *backend, row_maker *maker); /* NULL is nothing */

/* Like backend_refill, for features and labels, which may be NULL: rows at places from `first` on of an epoch. */
tanda_status backend_make_rows(backend *backend, row_maker *maker, uint64_t epoch, size_t first, size_t rows,
                               buffer *features, buffer *labels, tanda_error *error);

/* Waits until nothing that is queued reads the values of the latest refill where they lay. */
tanda_status backend_settle(backend *backend, buffer *buffer, tanda_error *error);

/*
 * Memory of the host for rows on their way to the device, from which they come quickest. NULL: there is none. Given back with
 * backend_room_free.
 */
void *backend_room(backend *backend, size_t bytes);
void backend_room_free(backend *backend, void *memory);

void backend_program_free(backend *backend, program *program);

/* result[i] = function(a[i], b[i], c[i]) on the device; functions are numbered in kernels/probe.h. */
tanda_status backend_probe(backend *backend, unsigned function, size_t count, const float *a, const float *b,
                           const float *c, float *result, tanda_error *error);

/* Makes the `count` rows of a source that `rows` lists, in their order: the bytes of synthetic_make. */
tanda_status backend_generate(backend *backend, const synthetic_source *source, const uint64_t *rows,
                              size_t count, float *features, uint32_t *labels, tanda_error *error);

tanda_status backend_finish(backend *backend, tanda_error *error);

/* Whether others have work for the host's cores, too, while the backend waits. Each call that says so is undone by one. */
void backend_share_cores(backend *backend, bool shares);

/*
 * Measures for a second or two, with some 512 MiB or five times the last-level cache; briefly: the first two figures
 * alone, in some tenths of a second. All 0 without the slot.
 */
tanda_status backend_limits(backend *backend, bool briefly, device_limits *limits, tanda_error *error);

/* ---- arithmetic of batches that backends and training share ---- */

static inline size_t tiles_of(size_t rows) {
    return (rows + TILE_ROWS - 1) / TILE_ROWS;
}

static inline size_t steps_per_epoch(size_t rows, size_t batch_rows) {
    return (rows + batch_rows - 1) / batch_rows;
}

/* Rows of a batch as options have it, where 0 is all. */
static inline size_t batch_rows_of(size_t wanted, size_t rows) {
    return wanted == 0 || wanted > rows ? rows : wanted;
}

/* What a batch's sums are multiplied by for means over its rows. */
static inline float inverse_rows_of(size_t rows) {
    return (float)(1.0 / (double)rows);
}

/* Rows of batch `index` of an epoch. */
static inline size_t batch_size(size_t rows, size_t batch_rows, size_t index) {
    size_t left = rows - index * batch_rows;
    return left < batch_rows ? left : batch_rows;
}

#endif
