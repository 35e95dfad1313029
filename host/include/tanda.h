/*
 * tanda: a batch trainer for dense networks whose results are the same bits on every device.
 *
 * Conventions, stated once for the whole file:
 *  - Every function that can fail returns a tanda_status and takes a tanda_error as its last argument; the
 *    error may be NULL. On failure outputs are untouched and the message says what was wrong and what would
 *    be right, in one line. The library never prints and never exits.
 *  - Objects that a function hands out through a pointer to a pointer belong to the caller and are released by the
 *    ..._free or ..._close of the same type, which accept NULL.
 *  - Matrices are row-major binary32. Rows are instances, columns are features.
 *  - A struct of options begins with its size, by which a program built for an older tanda is understood: what it does not
 *    know is 0. {.size = sizeof options} begins one, as TANDA_OPTIONS does; TANDA_USAGE for another size than an older or this tanda's.
 *  - The library is not to be called from a process forked after its first use (OpenMP and OpenCL forbid it).
 *  - Files are mapped, and the first one that is opened installs a handler of SIGBUS for good: a page of a file of ours
 *    that is gone, because the file became shorter or its disk failed, becomes zeros, and the call that read it fails.
 *    Every other SIGBUS goes on to the handler that was there before. One that is installed later sees all of them, and
 *    is to pass those that it does not know on to the one that it replaced.
 *  - JSON is read and written by jansson, whose allocator is wrapped at the first use to count what it did not get.
 */
#ifndef TANDA_H
#define TANDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TANDA_VERSION "0.1.0"
#define TANDA_VERSION_NUMBER 0x000100 /* 0xMMmmpp */

/* Of docs/exactness.md: files keep the one that their weights were made under. Others give other bits. */
#define TANDA_CONTRACT 1

#if defined(__GNUC__)
#define TANDA_API __attribute__((visibility("default")))
#else
#define TANDA_API
#endif

/* ---- status ------------------------------------------------------------------------------------------- */

/* The values are the exit codes of the command line. */
typedef enum tanda_status {
    TANDA_OK = 0,
    TANDA_FAILED = 1, /* the work failed: training diverged, memory ran out, a result could not be written */
    TANDA_USAGE = 2,  /* an option or argument is wrong */
    TANDA_BAD_INPUT = 3, /* a data or model file is damaged or does not fit */
    TANDA_DEVICE = 4,    /* a device or driver is missing, refused the work, or failed */
    TANDA_INTERRUPTED = 130
} tanda_status;

typedef struct tanda_error {
    tanda_status status;
    char message[600];
} tanda_error;

/* Of the library at hand, which may be another than that of this header. */
TANDA_API const char *tanda_version(void);
TANDA_API uint32_t tanda_version_number(void);

#ifndef __cplusplus
/* Options of a type with these members, all others 0: TANDA_OPTIONS(tanda_train_options, .epochs = 3). */
#define TANDA_OPTIONS(type, ...) \
    (type) { \
        .size = sizeof(type), __VA_ARGS__ \
    }
#endif

/* ---- data --------------------------------------------------------------------------------------------- */

typedef enum tanda_task {
    TANDA_TASK_AUTO,
    TANDA_TASK_CLASSES,
    TANDA_TASK_REGRESSION,
    TANDA_TASK_LABELS /* several labels a row, each 0 or 1: two or more targets */
} tanda_task;
typedef enum tanda_header { TANDA_HEADER_AUTO, TANDA_HEADER_NONE, TANDA_HEADER_FIRST_ROW } tanda_header;
/* Missing values (in CSV empty, ? and the words that pandas takes, in .npy NaN) are refused, or become their column's mean. */
typedef enum tanda_missing { TANDA_MISSING_REFUSE, TANDA_MISSING_MEAN } tanda_missing;
/* Categories that no training row had are refused, or belong to none. AUTO: as the model says, else refused. */
typedef enum tanda_unknown { TANDA_UNKNOWN_AUTO, TANDA_UNKNOWN_REFUSE, TANDA_UNKNOWN_ZERO } tanda_unknown;
typedef enum tanda_scale { TANDA_SCALE_NONE, TANDA_SCALE_STANDARD, TANDA_SCALE_MINMAX } tanda_scale;

/*
 * The names in settings and messages, "classes", "standard" and so on. Where a name is given, those of Keras 3,
 * scikit-learn and PyTorch for the same are understood, too, in any case ("StandardScaler"); ..._from_name are false for
 * another text.
 */
TANDA_API const char *tanda_task_name(tanda_task task); /* NULL for no task, as the next for no scale */
TANDA_API bool tanda_task_from_name(const char *name, tanda_task *task);
TANDA_API const char *tanda_scale_name(tanda_scale scale);
TANDA_API bool tanda_scale_from_name(const char *name, tanda_scale *scale);

typedef struct tanda_dataset tanda_dataset;
typedef struct tanda_model tanda_model;

/* How to read a data file. All zero but the size is a good start: format, header, target and task are then found out. */
typedef struct tanda_dataset_options {
    size_t size;               /* sizeof of this struct */
    const char *format;        /* "csv", "npy", "npz", "idx", "libsvm"; NULL: by content, then by extension */
    tanda_header header;       /* CSV only */
    const char *target;        /* column name or index from 0; several behind commas, quantities or labels;
                                  NULL: the last column (none with labels) */
    const char *labels;        /* file with one label per row (.npy, IDX), NULL: labels are a column */
    const char *const *ignore; /* columns to leave out, by name or index */
    size_t ignore_count;
    const char *const *features; /* columns to use, in this order; NULL: all that are left */
    size_t feature_count;
    const char *const *categorical; /* columns of categories, which become a feature each; by name or index */
    size_t categorical_count;
    bool categorical_auto;     /* so do columns of text */
    tanda_missing missing;     /* training: what becomes of missing values; a model keeps it */
    tanda_unknown unknown;     /* what becomes of categories that the model does not know */
    const char *sample_weight; /* column of the rows' weights in the loss, each 0 or more; NULL: none */
    tanda_task task;
    bool without_target;       /* predict: no target is needed; one that is named is left out */
    bool drop_missing_targets; /* leave out rows whose target is missing, and not refuse them */
    bool labels_of_several;    /* task auto: several targets are labels, each 0 or 1, and not quantities */
    bool held_out; /* of "synthetic:...,test-rows=N" those rows and not the others; else no difference */
    const char *const *more_files; /* whose rows follow those of the path; columns must agree */
    size_t more_count;
    bool validation;     /* of an .npz: x_test and y_test before x and y */
    char delimiter;      /* CSV: ',', ';', tab, '|', or ' ' for runs of blanks; 0: found out */
    char decimal;        /* CSV: '.' or ','; 0: found out */
    const char *comment; /* CSV: lines that begin with it are skipped; "": none are; NULL: found out */
    size_t skip_lines;   /* CSV: lines before the names or the first row */
    const char *const *missing_values; /* CSV: further texts that stand for a missing value */
    size_t missing_value_count;
    const char *const *copy; /* CSV: columns whose text is kept for tanda_dataset_copied, by name or index */
    size_t copy_count;
    bool keep_origins; /* columns that binary32 would ruin become distances from their first values, which
                          tanda_model_fit_scaling then takes into the model */
    size_t
        memory; /* bytes that the rows with their labels may take; more of them are read in place, as they are
                      needed, from .npy, a folder of shards or synthetic:..., and refused of others; 0: all */
    const char
        *cache; /* a folder where text of more rows than memory holds is put as .npy, once for each way of
                          reading it, and then read in place; NULL: such text is refused */
    void (*on_note)(const char *note, void *context);            /* of the cache; or NULL */
    void (*on_progress)(size_t done, size_t all, void *context); /* bytes of text that goes there; or NULL */
    void *context;
    bool in_place; /* rows that need not be in memory are read in place, also where it would hold them */
} tanda_dataset_options;

/*
 * path is a file (CSV or libsvm text, .npy, .npz, IDX, any of them packed), one array of an .npz (FILE.npz:NAME), a
 * folder of CSV files, whose rows follow one another in the order of the names, a folder of shards with meta.json, a pipe
 * ("-": standard input), or synthetic:KIND,...
 */
TANDA_API tanda_status tanda_dataset_load(const char *path, const tanda_dataset_options *options,
                                          tanda_dataset **dataset, tanda_error *error);
TANDA_API void tanda_dataset_free(tanda_dataset *dataset);

/*
 * The values of an .npy of binary32 stay in the mapped file until they are scaled or prepared. TANDA_BAD_INPUT once it
 * is no longer as it was: shorter, longer or written to. Whatever computes from such a data set fails likewise.
 */
TANDA_API tanda_status tanda_dataset_check(const tanda_dataset *dataset, tanda_error *error);
TANDA_API size_t tanda_dataset_rows(const tanda_dataset *dataset);
TANDA_API size_t tanda_dataset_features(const tanda_dataset *dataset);

/*
 * The columns that options->copy names as fields of CSV with commas between them: their names (column_INDEX where the
 * file names none), and the text of a row. *length bytes without an end; NULL without such columns. What was quoted in
 * the file is still.
 */
TANDA_API const char *tanda_dataset_copied_names(const tanda_dataset *dataset, size_t *length);
TANDA_API const char *tanda_dataset_copied(const tanda_dataset *dataset, size_t row, size_t *length);

/* 1; more for several quantities or labels; 0 without a target. */
TANDA_API size_t tanda_dataset_targets(const tanda_dataset *dataset);

/*
 * Rows that are in memory. Everything is copied but values with borrow_values, which then have to stay as they are
 * until the data set is freed or scaled. Members that are NULL or 0 are left out; without classes and targets the
 * rows are for predictions.
 */
typedef struct tanda_dataset_arrays {
    size_t size; /* sizeof of this struct */
    size_t rows, features;
    const float *values;              /* (rows, features), finite */
    bool borrow_values;               /* not copied, unless a value is -0, which becomes 0 */
    const char *const *feature_names; /* (features) */
    const int32_t *classes;           /* (rows), each from 0 and below class_count */
    size_t class_count;               /* 0: one more than the largest of classes */
    const char *const *class_names;   /* (class_count); NULL: the numbers */
    const float *targets;             /* (rows, target_count), finite: a regression, or labels */
    size_t target_count;              /* 0: 1 */
    bool targets_are_labels;          /* two or more, each 0 or 1: TANDA_TASK_LABELS */
    const char *const *target_names;  /* (target_count) */
    const float *sample_weights;      /* (rows) of the loss, each 0 or more; NULL: all 1 */
} tanda_dataset_arrays;

/* TANDA_USAGE for members that do not go together, TANDA_BAD_INPUT for a value out of place, with its row. */
TANDA_API tanda_status tanda_dataset_create(const tanda_dataset_arrays *arrays, tanda_dataset **dataset,
                                            tanda_error *error);

/*
 * Rows that a program makes, or has elsewhere, and hands over as they are needed: they are never all in memory. Texts are
 * copied. Members that are NULL or 0 are left out; without classes and targets the rows are for predictions.
 */
typedef struct tanda_dataset_reader {
    size_t size; /* sizeof of this struct */
    size_t rows, features;
    /*
     * Rows first ... first + rows - 1: values (rows, features), finite; labels (rows) int32_t from 0 and below class_count,
     * or (rows, target_count) float; sample_weights (rows), each 0 or more. What is NULL is not wanted. Any number of threads
     * call it at once, and a row is the same each time. Another status than TANDA_OK ends what asked, which returns it.
     */
    tanda_status (*read)(size_t first, size_t rows, float *values, void *labels, float *sample_weights,
                         void *context);
    void *context;
    const char *const *feature_names; /* (features) */
    size_t class_count;               /* of classes */
    const char *const *class_names;   /* (class_count); NULL: the numbers */
    size_t target_count;              /* of a regression, or of labels */
    bool targets_are_labels;          /* two or more, each 0 or 1: TANDA_TASK_LABELS */
    const char *const *target_names;  /* (target_count) */
    bool has_sample_weights;
} tanda_dataset_reader;

/* TANDA_USAGE for members that do not go together. A value out of place is told when it is read, with its row. */
TANDA_API tanda_status tanda_dataset_create_reader(const tanda_dataset_reader *reader,
                                                   tanda_dataset **dataset, tanda_error *error);

/*
 * Two new data sets: round(fraction * rows) rows, at least one, drawn by the seed (with classes, as large a part of
 * each), become the validation set, the rest the training set, both in the order of the source, which stays as it is.
 * TANDA_USAGE unless 0 < fraction < 1, TANDA_BAD_INPUT for rows that cannot be split so.
 */
TANDA_API tanda_status tanda_dataset_split(const tanda_dataset *source, double fraction, uint64_t seed,
                                           tanda_dataset **training, tanda_dataset **validation,
                                           tanda_error *error);

/*
 * The same for cross-validation: part `fold` (from 0) of `folds` is the validation set, and over all of them every row
 * is so once. TANDA_USAGE unless 2 <= folds <= rows and fold < folds.
 */
TANDA_API tanda_status tanda_dataset_fold(const tanda_dataset *source, size_t folds, size_t fold,
                                          uint64_t seed, tanda_dataset **training, tanda_dataset **validation,
                                          tanda_error *error);

/*
 * Multiplies each row's weight in the loss by that of its class; weights is (class_count), each 0 or more, or NULL for
 * scikit-learn's "balanced". For the training set. TANDA_USAGE for data without classes, TANDA_BAD_INPUT when every row
 * would weigh 0.
 */
TANDA_API tanda_status tanda_dataset_weigh_classes(tanda_dataset *dataset, const double *weights,
                                                   tanda_error *error);

/*
 * What a data set holds, valid until it is freed or scaled: NULL for what it has not, no such index, or rows that are read in
 * place (options->memory).
 */
TANDA_API tanda_task tanda_dataset_task(const tanda_dataset *dataset);             /* AUTO: no target */
TANDA_API const float *tanda_dataset_values(const tanda_dataset *dataset);         /* (rows, features) */
TANDA_API const int32_t *tanda_dataset_classes(const tanda_dataset *dataset);      /* (rows) */
TANDA_API const float *tanda_dataset_target_values(const tanda_dataset *dataset);  /* (rows, targets) */
TANDA_API const float *tanda_dataset_sample_weights(const tanda_dataset *dataset); /* (rows) */
TANDA_API size_t tanda_dataset_class_count(const tanda_dataset *dataset);
TANDA_API const char *tanda_dataset_class_name(const tanda_dataset *dataset, size_t index);
TANDA_API const char *tanda_dataset_feature_name(const tanda_dataset *dataset, size_t index);

/* ---- models ------------------------------------------------------------------------------------------- */

#define TANDA_DIGEST_SIZE 65 /* 64 lower-case hexadecimal digits and the end */

/* The activations and losses that there are, from index 0: "identity", "binary_crossentropy", ...; NULL behind them. */
TANDA_API const char *tanda_activation_name(size_t index);
TANDA_API const char *tanda_loss_name(size_t index);

typedef struct tanda_layer {
    size_t units;
    const char *activation; /* of the last layer: the output function */
} tanda_layer;

/*
 * A model of these layers with all weights 0, without names and scaling. TANDA_USAGE for a layer of no units, a name
 * that is unknown, or a loss that does not go with the output function, its units and the task: the message says what
 * would.
 */
TANDA_API tanda_status tanda_model_create(size_t features, const tanda_layer *layers, size_t layer_count,
                                          const char *loss, tanda_task task, tanda_model **model,
                                          tanda_error *error);

/* All zero: no hidden layer, and the output function and loss that go with the data. */
typedef struct tanda_model_options {
    size_t size;          /* sizeof of this struct */
    const size_t *hidden; /* units of the hidden layers */
    size_t hidden_count;
    const char *const *activations; /* of the hidden layers: one for all, or one each */
    size_t activation_count;        /* 0: relu */
    const char
        *output_activation; /* NULL: what goes with the loss; sigmoid for 2 classes, softmax for more */
    const char *loss;       /* NULL: what goes with the output function */
    double huber_delta;     /* where the loss huber becomes linear; 0: 1 */
    double label_smoothing; /* of [0, 1), for the cross-entropies and kl_divergence */
    tanda_unknown unknown;  /* categories that no training row has */
} tanda_model_options;

/*
 * A model for a data set that has a target: its features, classes and names, and as many outputs as it needs. options
 * may be NULL. Fails as tanda_model_create; TANDA_BAD_INPUT for data without a target.
 */
TANDA_API tanda_status tanda_model_create_for(const tanda_dataset *training,
                                              const tanda_model_options *options, tanda_model **model,
                                              tanda_error *error);

/* Copies of the names. count must be the number of classes or features; TANDA_USAGE otherwise. */
TANDA_API tanda_status tanda_model_set_class_names(tanda_model *model, const char *const *names, size_t count,
                                                   tanda_error *error);
TANDA_API tanda_status tanda_model_set_feature_names(tanda_model *model, const char *const *names,
                                                     size_t count, tanda_error *error);

/* TANDA_BAD_INPUT for a file that is damaged or not a tanda model. */
TANDA_API tanda_status tanda_model_load(const char *path, tanda_model **model, tanda_error *error);
/*
 * The whole file or none; TANDA_FAILED when it cannot be written. Symbolic links are followed; mode and owner of a file
 * that is there stay, its other hard links keep the old content. A device, pipe or socket is written to as it is.
 */
TANDA_API tanda_status tanda_model_save(const tanda_model *model, const char *path, tanda_error *error);
TANDA_API void tanda_model_free(tanda_model *model);

/*
 * Rows to use a model on: columns and classes are found by the model's names where the file has names, else by
 * position, and features are scaled as the model says. options may be NULL; its task is the model's.
 */
TANDA_API tanda_status tanda_dataset_load_for_model(const char *path, const tanda_dataset_options *options,
                                                    const tanda_model *model, tanda_dataset **dataset,
                                                    tanda_error *error);

/*
 * Makes features of columns of categories and fills in missing values as tanda_model_create_for has seen them in the
 * training set, in place. To be called before scaling for every data set that tanda_dataset_load gave with options for
 * such; others stay as they are.
 */
TANDA_API tanda_status tanda_dataset_prepare(tanda_dataset *dataset, const tanda_model *model,
                                             tanda_error *error);

/* Fits the model's scaling to rows that are prepared and not scaled yet: its training set's. */
TANDA_API tanda_status tanda_model_fit_scaling(tanda_model *model, tanda_scale scale,
                                               const tanda_dataset *training, tanda_error *error);

/* Scales prepared rows as the model says, in place; once, as a data set does not know its scaling. */
TANDA_API tanda_status tanda_dataset_scale(tanda_dataset *dataset, const tanda_model *model,
                                           tanda_error *error);

/*
 * x' = (x - origin - center) * factor of each feature; center and factor (NULL, or set to NULL for no scaling) are the
 * model's.
 */
TANDA_API tanda_scale tanda_model_scaling(const tanda_model *model, const float **center,
                                          const float **factor);
/* What is subtracted of each feature, in binary64, before its values are rounded to binary32; NULL: nothing. */
TANDA_API const double *tanda_model_origin(const tanda_model *model);

/*
 * Standardised targets of a regression: each (target - mean) / deviation of the training set, by TANDA_SCALE_STANDARD, or
 * as they are, by TANDA_SCALE_NONE. Data sets keep their targets; the model's training and its losses are of the
 * standardised ones, its predictions and their metrics in the units of the data. TANDA_USAGE for another scale, classes,
 * the loss poisson, or an output function that is never below 0.
 */
TANDA_API tanda_status tanda_model_fit_target_scaling(tanda_model *model, tanda_scale scale,
                                                      const tanda_dataset *training, tanda_error *error);

/* mean and deviation (NULL, or set to NULL without scaling) are the model's, one for each target. */
TANDA_API tanda_scale tanda_model_target_scaling(const tanda_model *model, const double **mean,
                                                 const double **deviation);

TANDA_API size_t tanda_model_features(const tanda_model *model);
/* Of the last layer: 1 for binary classes through a sigmoid, for regression and labels the targets, else the classes. */
TANDA_API size_t tanda_model_outputs(const tanda_model *model);
TANDA_API tanda_task tanda_model_task(const tanda_model *model);
TANDA_API const char *tanda_model_loss(const tanda_model *model);
TANDA_API size_t tanda_model_class_count(const tanda_model *model); /* 0 but for classes */
/* NULL without names, or for no such index. */
TANDA_API const char *tanda_model_class_name(const tanda_model *model, size_t index);
TANDA_API const char *tanda_model_feature_name(const tanda_model *model, size_t index);
/* The settings of the training by tanda train, a JSON object whose keys are its options; NULL without. */
TANDA_API const char *tanda_model_settings(const tanda_model *model);
/* A copy of a JSON object that the model file is to keep; NULL: none. TANDA_USAGE for another text. */
TANDA_API tanda_status tanda_model_set_settings(tanda_model *model, const char *settings, tanda_error *error);

/* A layer as it is now; the arrays are the model's, and the next training or freeing ends them. */
typedef struct tanda_layer_information {
    size_t inputs, outputs;
    const char *activation; /* static storage */
    const float *weight;    /* (outputs, fan_in) */
    const float *bias;      /* (outputs) */
    const char *kind;       /* static storage: "dense" */
    size_t fan_in;          /* weights of each output: of a dense layer, inputs */
} tanda_layer_information;

TANDA_API size_t tanda_model_layers(const tanda_model *model);
/* False for no such index, from 0. */
TANDA_API bool tanda_model_layer(const tanda_model *model, size_t index,
                                 tanda_layer_information *information);

/* All parameters: per layer the weight as (outputs, inputs), then the bias. count may be NULL. */
TANDA_API const float *tanda_model_weights(const tanda_model *model, size_t *count);
/* Copies them; TANDA_USAGE for another count, TANDA_BAD_INPUT for one that is not finite. -0 becomes 0. */
TANDA_API tanda_status tanda_model_set_weights(tanda_model *model, const float *weights, size_t count,
                                               tanda_error *error);

/* SHA-256 of the parameters as they lie in the model file; text has TANDA_DIGEST_SIZE bytes. */
TANDA_API void tanda_model_digest(const tanda_model *model, char *text);
/* Draws new weights, the same on every machine for the same seed; biases become 0. */
TANDA_API void tanda_model_initialise(tanda_model *model, uint64_t seed);
/*
 * Takes weights and scaling from the file of a model of the same layers, whose features and classes may stand in another
 * order where both have names; or, without scaling, from the state_dict of a net of torch.nn.Linear as safetensors
 * (NAME.weight, NAME.bias). TANDA_BAD_INPUT for a file that is damaged or does not fit; the model is then as before but
 * for its weights.
 */
TANDA_API tanda_status tanda_model_initialise_from(tanda_model *model, const char *path, tanda_error *error);

/* ---- devices ------------------------------------------------------------------------------------------ */

typedef struct tanda_device tanda_device;

/* exact: the same bits on every device. fast: what is quickest on this one, within derived bounds of exact. */
typedef enum tanda_math { TANDA_MATH_EXACT, TANDA_MATH_FAST } tanda_math;

/* Who multiplies matrices in fast mode on OpenCL: measured per shape, always tanda's kernels, or always CLBlast. */
typedef enum tanda_gemm { TANDA_GEMM_AUTO, TANDA_GEMM_TANDA, TANDA_GEMM_CLBLAST } tanda_gemm;

/* What the self-test found a device good for (docs/exactness.md). */
typedef enum tanda_grade {
    TANDA_GRADE_EXACT,                /* the same bits as every other exact device */
    TANDA_GRADE_EXACT_BUT_SUBNORMALS, /* subnormal numbers are flushed: exact only on request */
    TANDA_GRADE_FAST_ONLY             /* some basic operation differs: --math exact is refused */
} tanda_grade;

typedef struct tanda_device_information {
    char backend[16];     /* "openmp" or "opencl" */
    char id[32];          /* "cpu" or "opencl:P.D": what --device takes */
    char name[128];       /* of the processor or device */
    char platform[128];   /* OpenCL platform and version; on OpenMP the instruction set in use */
    char driver[128];     /* OpenCL driver version */
    char kind[16];        /* "CPU", "GPU" or "accelerator" */
    size_t compute_units; /* on OpenMP: threads */
    uint64_t memory;      /* bytes; 0 when unknown */
} tanda_device_information;

/* All zero (NULL, false) is the default: the best device there is, else OpenMP. */
typedef struct tanda_device_options {
    size_t size;         /* sizeof of this struct */
    const char *device;  /* "auto", "cpu", "gpu", "opencl", "opencl:P.D", "opencl:NAME"; NULL: "auto" */
    bool require_device; /* fail rather than fall back to OpenMP */
    tanda_math math;     /* fast takes a device of any grade */
    bool accept_flush;   /* exact mode even where subnormals are flushed */
    size_t threads;      /* OpenMP; 0: one per core (OMP_NUM_THREADS is obeyed) */
    const char *isa;     /* OpenMP: "x86-64-v4", "x86-64-v3", "generic"; NULL: TANDA_ISA, else the best */
    const char
        *kernel_folder; /* OpenCL: kernels from this folder; NULL: TANDA_KERNELS, else the built-in ones */
    const char
        *executor; /* the way of computing, as tanda_device_executor names it; NULL: the best that fits */
    size_t turn;   /* of the OpenCL devices that `device` names, the one at this place, round and round */
    /*
     * Bytes of a data set that may lie on the device at a time; more is sent to it piece by piece, to the same bits. 0: three
     * quarters of the device's own memory, and of the host's as much as there is.
     */
    size_t memory;
} tanda_device_options;

/*
 * Every device, the OpenMP one first; *devices is released with free(). A missing or failing OpenCL platform or device
 * is no error: remark (NULL or 256 bytes) then says what failed, and why there is none; else it is empty.
 */
TANDA_API tanda_status tanda_device_list(tanda_device_information **devices, size_t *count, char *remark,
                                         tanda_error *error);

/*
 * Opens a device and runs its self-test. options may be NULL. reason (NULL or 256 bytes) says in a few words why
 * it is this one.
 * TANDA_DEVICE when a required device is missing, fails, or does not reach the grade.
 */
TANDA_API tanda_status tanda_device_open(const tanda_device_options *options, tanda_device **device,
                                         char *reason, tanda_error *error);

/*
 * Whether it is OpenMP in the place of another that is missing or failed; *failure (may be NULL) then says how, else it is
 * empty. It is the device's.
 */
TANDA_API bool tanda_device_is_fallback(const tanda_device *device, const char **failure);
TANDA_API void tanda_device_close(tanda_device *device);
TANDA_API const tanda_device_information *tanda_device_describe(const tanda_device *device);

/*
 * The ways of computing that a device has, best first, from index 0; NULL behind them. All give the same bits. One that is
 * asked for by tanda_device_options and does not fit a training fails it with TANDA_DEVICE.
 */
TANDA_API const char *tanda_device_executor(const tanda_device *device, size_t index);

/* The grade and, below exact, the probe that missed (a short name, static storage; "" when exact). */
TANDA_API tanda_grade tanda_device_grade(const tanda_device *device, const char **missed_probe);

/* ---- optimizers --------------------------------------------------------------------------------------- */

/* Formulas and defaults as in Keras 3 (keras.io/api/optimizers). */
typedef enum tanda_optimizer {
    TANDA_OPTIMIZER_SGD, /* plain gradient descent */
    TANDA_OPTIMIZER_MOMENTUM,
    TANDA_OPTIMIZER_NESTEROV,
    TANDA_OPTIMIZER_ADAGRAD,
    TANDA_OPTIMIZER_RMSPROP,
    TANDA_OPTIMIZER_ADAM,
    TANDA_OPTIMIZER_ADAMW,
    TANDA_OPTIMIZER_LBFGS /* one iteration an epoch, over all rows; finds its own step lengths */
} tanda_optimizer;

/*
 * All zero is plain gradient descent. For every other optimizer begin with tanda_optimizer_defaults: 0 is a value like
 * another here. What an optimizer does not have must be 0.
 */
typedef struct tanda_optimizer_options {
    tanda_optimizer kind;
    double momentum;            /* momentum and nesterov: 0.9 (Keras has no default); rmsprop: 0 */
    double rho;                 /* rmsprop: 0.9 */
    double beta1, beta2;        /* adam and adamw: 0.9, 0.999 */
    double epsilon;             /* adagrad, rmsprop, adam, adamw: 1e-7, where Keras puts it */
    double initial_accumulator; /* adagrad: 0.1 */
    double weight_decay;        /* adamw: 0.004; of all parameters, biases too */
    double history;             /* lbfgs: differences of points that are remembered, a whole number: 10 */
    double tolerance;           /* lbfgs: ends when no derivative is larger: 1e-5 */
    bool amsgrad;               /* adam and adamw: divide by the largest second moment so far */
    bool centered;              /* rmsprop: less the square of the mean derivative */

    /* Of every optimizer (of lbfgs, l2 alone); 0: none. The penalties are not in the losses that are reported. */
    double l1;         /* derivatives of weights gain l1 sign(w), not those of biases; Keras: L1(l1) */
    double l2;         /* and l2 w; Keras: L2(l2 / 2); scikit-learn's C: l2 = 1 / (C rows) */
    double clip_value; /* the largest magnitude of a derivative; Keras: clipvalue */
    double clip_norm;  /* the largest norm of all derivatives together; Keras: global_clipnorm. Not both */

    double reserved[6]; /* 0: of optimizers to come, so that this part of other options keeps its size */
} tanda_optimizer_options;

/* "sgd", "momentum", ...; NULL for no optimizer. ..._from_name is false for another text. */
TANDA_API const char *tanda_optimizer_name(tanda_optimizer optimizer);
TANDA_API bool tanda_optimizer_from_name(const char *name, tanda_optimizer *optimizer);

/* The constants of an optimizer as Keras 3 has them. */
TANDA_API tanda_optimizer_options tanda_optimizer_defaults(tanda_optimizer kind);
/* 0.1 for plain descent, which suits standardised features; 1 for lbfgs, which has none; else Keras 3's. */
TANDA_API double tanda_optimizer_learning_rate(tanda_optimizer kind);

typedef enum tanda_schedule {
    TANDA_SCHEDULE_CONSTANT,
    TANDA_SCHEDULE_STEP,        /* times decay_factor after every decay_epochs epochs */
    TANDA_SCHEDULE_EXPONENTIAL, /* times decay_factor after every epoch */
    TANDA_SCHEDULE_COSINE,      /* half a cosine from the rate to final_share of it, over all steps */
    TANDA_SCHEDULE_ONE_CYCLE,   /* up to the rate and down again by half cosines, over all steps */
    TANDA_SCHEDULE_PLATEAU      /* times decay_factor when the loss has not fallen for some epochs */
} tanda_schedule;

/*
 * How the learning rate changes. All zero: it does not. For a schedule begin with tanda_schedule_defaults; what a
 * schedule does not have must be 0.
 */
typedef struct tanda_schedule_options {
    tanda_schedule kind;
    size_t warmup_steps; /* before any schedule: step i of them, from 1, has i / warmup_steps of the rate */
    double decay_factor; /* step: 0.1, exponential: 0.95, plateau: 0.1 */
    size_t decay_epochs; /* step: 10 */
    double final_share;  /* cosine: 0; Keras' alpha */
    /* one-cycle, as PyTorch's OneCycleLR */
    double rise;          /* part of the steps in which the rate rises: 0.3 */
    double start_divisor; /* it starts at rate / start_divisor: 25 */
    double end_divisor;   /* and ends at that / end_divisor: 10000 */
    /* plateau, as Keras 3's ReduceLROnPlateau; it looks at the validation loss, else at the running loss */
    size_t patience;  /* 10 */
    double min_delta; /* a fall of the loss counts above this: 0.0001 */
    size_t cooldown;  /* epochs after a change that do not count: 0 */
    double min_rate;  /* 0 */

    double reserved[6]; /* 0 */
} tanda_schedule_options;

/* "constant", "step", ...; as for optimizers. */
TANDA_API const char *tanda_schedule_name(tanda_schedule schedule);
TANDA_API bool tanda_schedule_from_name(const char *name, tanda_schedule *schedule);
TANDA_API tanda_schedule_options tanda_schedule_defaults(tanda_schedule kind);

/* ---- several processes --------------------------------------------------------------------------------- */

/*
 * The ranks of an MPI job, which train together by the member `hosts` of tanda_train_options. The library links no MPI: it
 * loads a plug-in that lies beside it.
 */
typedef struct tanda_hosts tanda_hosts;

/* Whether a launcher (mpirun, srun) has started several of this process, and which this is, from 0. Both may be NULL. */
TANDA_API bool tanda_hosts_launched(size_t *rank, size_t *ranks);

/*
 * Begins MPI, at most once in a process. mpi: "openmpi", "mpich", "no", or "auto" (NULL), which goes by the launcher's
 * variables. *hosts becomes NULL for no MPI. TANDA_USAGE for another name, or without its plug-in.
 */
TANDA_API tanda_status tanda_hosts_begin(const char *mpi, tanda_hosts **hosts, tanda_error *error);

/*
 * status: how this rank ends. After a failure that the others do not know of, it ends them all. hosts may be NULL.
 */
TANDA_API void tanda_hosts_end(tanda_hosts *hosts, tanda_status status);

/* From 0, and 1 or more; 0 and 1 for NULL. */
TANDA_API size_t tanda_hosts_rank(const tanda_hosts *hosts);
TANDA_API size_t tanda_hosts_count(const tanda_hosts *hosts);

/*
 * For all ranks at a time: status is how it went here so far, and the first rank's failure, with its words, becomes that
 * of all. Likewise whether the latest failure is one that all know: one of them is to tell it.
 */
TANDA_API tanda_status tanda_hosts_agree(tanda_hosts *hosts, tanda_status status, tanda_error *error);
TANDA_API bool tanda_hosts_is_settled(const tanda_hosts *hosts);

/* ---- training ----------------------------------------------------------------------------------------- */

/*
 * Loss is the mean over the rows; correct are those whose class, or whose labels all, are right; accuracy is NaN for
 * regression.
 */
typedef struct tanda_evaluation {
    size_t rows;
    double loss;
    double accuracy;
    uint64_t correct;
    double squared_error; /* loss mse: the total squared error; else, and of standardised targets, NaN */
} tanda_evaluation;

typedef struct tanda_epoch {
    size_t epoch; /* from 1 */
    size_t epochs;
    size_t steps;         /* of this epoch */
    double seconds;       /* spent since the line before */
    size_t steps_since;   /* steps done since the line before */
    double loss;          /* running: mean over the epoch's rows, each at the weights of its step */
    double accuracy;      /* running; NaN for regression */
    double learning_rate; /* of the epoch's last step */
    bool has_validation;
    tanda_evaluation validation;
} tanda_epoch;

/* Where a training is between two epochs that are reported. */
typedef struct tanda_progress {
    size_t epoch, epochs;  /* from 1 */
    size_t step, steps;    /* of this epoch: done, all */
    uint64_t steps_left;   /* of the whole training */
    double seconds;        /* since the latest on_epoch, or the start */
    double step_seconds;   /* what a step took lately */
    double loss, accuracy; /* running; NaN where they are not known */
} tanda_progress;

/* A checkpoint that was written, or not. */
typedef struct tanda_checkpoint {
    const char *path;
    size_t epoch, step, steps; /* after this step, from 1, of so many of the epoch */
    const char *failure;       /* NULL: it lies on the disk, whole; else why it could not be written */
} tanda_checkpoint;

/*
 * The order of an epoch's rows. FULL: a new order of all rows every epoch. WINDOW: rows lie in blocks; the blocks come in a
 * new order every epoch, and so many in a row, a window, are mixed with one another: what is read at a time is whole
 * blocks, and a window. NONE: that of the file. docs/exactness.md has the definition.
 */
typedef enum tanda_shuffle { TANDA_SHUFFLE_FULL, TANDA_SHUFFLE_WINDOW, TANDA_SHUFFLE_NONE } tanda_shuffle;

typedef struct tanda_train_options {
    size_t size; /* sizeof of this struct */
    size_t epochs;
    size_t batch_rows; /* 0: all rows, full-batch gradient descent */
    double learning_rate;
    tanda_optimizer_options optimizer;
    tanda_schedule_options schedule;
    uint64_t seed;   /* of the shuffle; tanda_model_initialise takes its own */
    bool no_shuffle; /* as TANDA_SHUFFLE_NONE in `shuffle`, below */
    /*
     * The training set owns its rows and hands them to the device, which may rearrange them: nobody may look at them until
     * tanda_train returns. It saves a copy of the data in memory. False: they are copied.
     */
    bool move_rows;
    tanda_math math;     /* fast differs from exact on OpenCL only */
    tanda_gemm gemm;     /* fast on OpenCL */
    size_t report_every; /* epochs between calls of on_epoch, the last epoch always; 0: 1 */
    void (*on_epoch)(const tanda_epoch *epoch, void *context); /* NULL: none */
    void (*on_note)(const char *note,
                    void *context); /* what was decided on the way, a line each; NULL: none */
    void (*on_progress)(const tanda_progress *progress, void *context); /* some times a second; NULL: none */
    /* Asked some times a second; true: tanda_train finishes the step and returns TANDA_INTERRUPTED. NULL: never. */
    bool (*should_stop)(void *context);
    /* Asked as often; true: a checkpoint is written after the step, and the training goes on. NULL: never. */
    bool (*should_save)(void *context);
    void *context;

    /*
     * Early stopping, on the validation loss, without a validation set on the running loss: after `patience` epochs
     * in a row without one that is lower than the best by more than min_delta (Keras 3: EarlyStopping). 0: none.
     */
    size_t patience;
    double min_delta;
    bool restore_best; /* end with the weights of the best epoch, stopped early or not */

    /*
     * Dropout: the part of each layer's inputs that a step drops, as many rates in [0, 1) as layers: of the features,
     * then of the outputs of each hidden layer. What is kept is multiplied by 1 / (1 - rate) (Keras: Dropout). The masks
     * are a function of seed, step and position in the batch. NULL: none.
     */
    const double *dropout;

    /*
     * Checkpoints: a file that ends in .safetensors, or else a folder, made if it is missing, for the latest ones and
     * best.safetensors, a model of the best epoch. Each is written as by tanda_model_save, flushed, and is a
     * model that can be evaluated. One is written every so many epochs and seconds (neither: every 60 seconds), when
     * should_save asks for it, when should_stop ends the training, and at the end. A training goes on without one that
     * cannot be written. The place is locked meanwhile, by FILE.lock or FOLDER/.lock; TANDA_USAGE when another training
     * has the lock, or when the file or folder holds something that is not resumed from.
     */
    const char *checkpoint;                                                   /* NULL: none */
    size_t checkpoint_epochs;                                                 /* 0: not by epochs */
    double checkpoint_seconds;                                                /* 0: not by time */
    size_t checkpoint_keep;                                                   /* of a folder; 0: 3 */
    void (*on_checkpoint)(const tanda_checkpoint *checkpoint, void *context); /* NULL: none */

    /*
     * A checkpoint or a folder of them, of which the newest whole one is taken; on_note hears which. The training goes on
     * as if it had not been interrupted, to the same bits on any device. Model, data and options must be those of its
     * beginning, but for epochs, and only the model's weights are taken from the checkpoint. NULL: a new training.
     */
    const char *resume;

    /*
     * Of windows: rows of a block and of a window, a multiple of a block's; 0: by the number of rows and their width. They
     * are part of the bits, and kept in the model. Neither goes with another order: TANDA_USAGE.
     */
    tanda_shuffle shuffle;
    size_t shuffle_block, shuffle_window;

    /*
     * The ranks that train together, each with the same model, data and options: what differs is refused, with the rank.
     * Each ends with the same weights, those of one process alone. Checkpoints are rank 0's, whatever the others say. With a
     * tanda_trainer all ranks make the same calls.
     */
    tanda_hosts *hosts; /* NULL: this process alone */
} tanda_train_options;

typedef struct tanda_train_result {
    size_t epochs; /* done */
    uint64_t steps;
    bool stopped_early;
    size_t best_epoch; /* with patience or restore_best; else 0, and best_score NaN */
    double best_score;
    tanda_evaluation training; /* of the final weights over all training rows */
    bool has_validation;
    tanda_evaluation validation;
    double compile_seconds, transfer_seconds, train_seconds;
    bool converged;            /* lbfgs: no derivative at the last weights exceeds the tolerance */
    double largest_derivative; /* lbfgs: its magnitude */
    const char *executor;      /* who computed the steps; see tanda_device_executor */
    char device[32];           /* and its device: an id of tanda_device_list */
    char failure
        [600]; /* how another failed that this device replaces, see tanda_device_is_fallback; else "" */
} tanda_train_result;

/*
 * Trains the model in place. validation may be NULL. Both data sets must be scaled as the
 * model says (tanda_dataset_load_for_model does it) and have the model's features and classes.
 * TANDA_FAILED with epoch and step when a loss or weight is not finite, TANDA_INTERRUPTED when
 * should_stop said so (message says what was saved); the model is then as it was. TANDA_USAGE or TANDA_BAD_INPUT when
 * `resume` does not fit or is damaged.
 */
TANDA_API tanda_status tanda_train(tanda_device *device, tanda_model *model, const tanda_dataset *training,
                                   const tanda_dataset *validation, const tanda_train_options *options,
                                   tanda_train_result *result, tanda_error *error);

/*
 * The same, step by step: the trainer is made, goes on by some steps, is read, and may be finished. Data sets, model and
 * device must outlive it, and what options point to; they are those of tanda_train, and the callbacks are called likewise.
 */
typedef struct tanda_trainer tanda_trainer;

/* Fails as tanda_train does before its first step. */
TANDA_API tanda_status tanda_trainer_create(tanda_device *device, tanda_model *model,
                                            const tanda_dataset *training, const tanda_dataset *validation,
                                            const tanda_train_options *options, tanda_trainer **trainer,
                                            tanda_error *error);

/* So many steps, or those that are left: none at the end, or once it has stopped early. Fails as tanda_train. */
TANDA_API tanda_status tanda_trainer_step(tanda_trainer *trainer, uint64_t steps, tanda_error *error);

/* Where the training is: steps_left is 0 at its end. The model gets the weights so far. progress may be NULL. */
TANDA_API tanda_status tanda_trainer_read(tanda_trainer *trainer, tanda_progress *progress,
                                          tanda_error *error);

/* What tanda_train does after its last step, whatever is left: the best weights if asked for, the last checkpoint. */
TANDA_API tanda_status tanda_trainer_finish(tanda_trainer *trainer, tanda_train_result *result,
                                            tanda_error *error);
TANDA_API void tanda_trainer_free(tanda_trainer *trainer);

/* ---- all of it, as tanda train ------------------------------------------------------------------------ */

/* Sets optimizer, learning rate, epochs and rows of a batch to what tanda train takes; the other members stay. */
TANDA_API void tanda_train_defaults(tanda_optimizer kind, tanda_train_options *options);

/* Whether each class is held out in proportion to its rows. AUTO: with classes. */
typedef enum tanda_stratify { TANDA_STRATIFY_AUTO, TANDA_STRATIFY_YES, TANDA_STRATIFY_NO } tanda_stratify;

/* The options of tanda train. All zero but size, data and fall_back is what it does without an option. */
typedef struct tanda_fit_options {
    size_t size; /* sizeof of this struct */

    /* Rows. */
    const char *data;                     /* as tanda_dataset_load; needed */
    const tanda_dataset_options *reading; /* NULL: all zero. keep_origins is decided by the scaling */
    const char *validation;               /* another file, or NULL */
    const char *validation_labels;        /* that go with it, or NULL */
    double validation_fraction;           /* of the rows, to be held out; 0: none */
    tanda_stratify stratify;
    bool has_scale;    /* false: that of init, else minmax for bytes and standard for all else */
    tanda_scale scale; /* of the features */
    bool has_scale_target;
    tanda_scale scale_target;            /* none or standard */
    bool balance_classes;                /* tanda_dataset_weigh_classes, or these weights: */
    const char *const *weighted_classes; /* by name; all others count 1 */
    const double *class_weights;         /* (weighted_class_count) */
    size_t weighted_class_count;

    /* The model. */
    const tanda_model_options *model; /* NULL: all zero */
    const char *init;      /* first weights, as tanda_model_initialise_from; NULL: drawn by the seed */
    const double *dropout; /* of the outputs of the hidden layers: one for all, or one each */
    size_t dropout_count;  /* 0: none */
    double input_dropout;

    /*
     * NULL: as tanda_train_defaults for plain descent. The seed is that of rows held out and first weights, too. dropout is
     * taken from above. on_note also hears what the data are worth a note for.
     */
    const tanda_train_options *training;

    /*
     * Not NULL: if the device fails before the first step, as it has no room for the training, OpenMP takes its place, opened
     * with these options, unless they require the device. on_note hears of it, and the result names both.
     */
    const tanda_device_options *fall_back;
} tanda_fit_options;

/*
 * What tanda train does: reads the data, holds rows out, encodes, scales, makes a model of first weights and trains it. The
 * model keeps the same settings as that of the command line, and its file is the same. result may be NULL. Fails as the
 * functions above; messages name the options by their flags.
 */
TANDA_API tanda_status tanda_fit(tanda_device *device, const tanda_fit_options *options, tanda_model **model,
                                 tanda_train_result *result, tanda_error *error);

/* One evaluation over all rows. */
TANDA_API tanda_status tanda_evaluate(tanda_device *device, const tanda_model *model,
                                      const tanda_dataset *dataset, tanda_evaluation *evaluation,
                                      tanda_error *error);

/*
 * Columns of a prediction: the classes, each with its probability (2 for a binary model), the labels, each with its own,
 * or the targets of a regression.
 */
TANDA_API size_t tanda_prediction_columns(const tanda_model *model);

/*
 * Calls on_rows for consecutive blocks of rows: predictions is (rows, columns), valid during the call. A status
 * other than TANDA_OK from on_rows ends the work and is returned.
 */
TANDA_API tanda_status tanda_predict(tanda_device *device, const tanda_model *model,
                                     const tanda_dataset *dataset,
                                     tanda_status (*on_rows)(size_t first_row, size_t rows,
                                                             const float *predictions, void *context),
                                     void *context, tanda_error *error);

/* ---- metrics ------------------------------------------------------------------------------------------ */

/* Above so many classes there is no confusion matrix: its size grows with their square. */
#define TANDA_CONFUSION_CLASSES 1024

/* One class against all others. What would be 0 / 0 is 0 (scikit-learn: zero_division=0). */
typedef struct tanda_class_metrics {
    uint64_t support;   /* rows of this class */
    uint64_t predicted; /* rows said to be of this class */
    uint64_t correct;   /* rows of this class said to be so */
    double precision, recall, f1;
    double roc_auc; /* NaN unless there are rows of this class and rows of others */
    double pr_auc;  /* average precision; NaN unless there are rows of this class */
} tanda_class_metrics;

typedef struct tanda_average {
    double precision, recall, f1;
} tanda_average;

/*
 * How good predictions are: the numbers that scikit-learn gives for the same predictions. Computed on the host in
 * double, in one order, so that equal predictions give equal bits. The class said of a row is the most probable one,
 * of equals the first. The figures of the other task are NaN, their pointers NULL.
 */
typedef struct tanda_metrics {
    tanda_task task;
    size_t rows;

    /* Classes. */
    size_t class_count;
    double accuracy;
    size_t top_k;           /* as asked, at most class_count; 0: not asked */
    double top_accuracy;    /* share of rows whose class is among the top_k; of equals the last come first */
    tanda_average macro;    /* mean over the classes that occur, as truth or as prediction */
    tanda_average weighted; /* mean over all, weighted by support */
    double roc_auc;         /* two classes: of the second; more: mean over all, NaN if one has no rows */
    double pr_auc; /* average precision, as roc_auc: the area below precision over recall, in steps */
    double
        brier; /* two classes: mean (p - y)^2 of the second; more: the mean over rows of the sum over classes */
    double mcc;   /* Matthews's correlation of truth and prediction; 0 where one of them is always the same */
    double kappa; /* Cohen's; NaN where truth and prediction are the same class in all rows */
    double log_loss; /* natural; probabilities clipped to [2^-52, 1 - 2^-52], NaN if one is outside [0, 1] */
    tanda_class_metrics *classes; /* (class_count) */
    uint64_t *confusion; /* (class_count, class_count): row the truth, column the prediction; or NULL */

    /*
     * Labels: class_count is their number, and classes has one entry for each, whose rows are those where it holds. A label
     * is said to hold where its probability is above 1/2. accuracy is of rows whose labels are all right; macro and
     * roc_auc are means over the labels (roc_auc NaN if one is the same in all rows), as pr_auc is; weighted is by support.
     */
    double hamming_loss;   /* share of labels that are wrong */
    tanda_average micro;   /* of all labels of all rows together */
    tanda_average samples; /* mean over the rows */

    /* Regression: means over rows and columns. A column's r2 is NaN for one row, and of equal targets 1 or 0. */
    double mse, mae, r2;
} tanda_metrics;

/*
 * From probabilities (rows, class_count) and classes (rows), each below class_count. top_k: 0 for none.
 * TANDA_BAD_INPUT for no rows, fewer than two classes, a class out of range or a value that is not finite.
 */
TANDA_API tanda_status tanda_metrics_of_classes(const float *probabilities, const int32_t *classes,
                                                size_t rows, size_t class_count, size_t top_k,
                                                tanda_metrics **metrics, tanda_error *error);

/* From probabilities and labels, each 0 or 1, both (rows, label_count); fails as the above. */
TANDA_API tanda_status tanda_metrics_of_labels(const float *probabilities, const float *labels, size_t rows,
                                               size_t label_count, tanda_metrics **metrics,
                                               tanda_error *error);

/* From predictions and targets, both (rows, columns); fails as the above. */
TANDA_API tanda_status tanda_metrics_of_values(const float *predictions, const float *targets, size_t rows,
                                               size_t columns, tanda_metrics **metrics, tanda_error *error);

/* Of what tanda_predict gives for the data set, which must have a target; keeps rows * columns floats meanwhile. */
TANDA_API tanda_status tanda_metrics_evaluate(tanda_device *device, const tanda_model *model,
                                              const tanda_dataset *dataset, size_t top_k,
                                              tanda_metrics **metrics, tanda_error *error);
TANDA_API void tanda_metrics_free(tanda_metrics *metrics);

#ifdef __cplusplus
}
#endif

#endif
