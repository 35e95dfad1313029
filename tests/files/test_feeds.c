/* Rows that lie elsewhere are the rows in memory: their bits, their figures, their parts, their failures. */
#include <math.h>
#include <sys/resource.h>

#include "data/column_check.h"
#include "data/fingerprint.h"
#include "data/npy.h"
#include "data_files.h"

TestSuite(feeds, .init = make_folder, .fini = remove_folder, .timeout = 60);

#define ROWS 300007 /* no multiple of anything, and several blocks */
#define FEATURES 7

/* Both ways to read the same. */
typedef struct pair {
    tanda_dataset *memory, *feed;
} pair;

static tanda_dataset_options little_memory(tanda_dataset_options options) {
    options.memory = 1000;
    return options;
}

static pair load_pair(const char *path, const tanda_dataset_options *options) {
    const tanda_dataset_options little = little_memory(*options);
    const pair made = {load_expecting(path, options, NULL), load_expecting(path, &little, NULL)};
    cr_assert_null(made.memory->feed);
    cr_assert_not_null(made.feed->feed);
    cr_assert_null(made.feed->values);
    return made;
}

static void free_pair(pair *pair) {
    tanda_dataset_free(pair->memory);
    tanda_dataset_free(pair->feed);
}

/* Of so many sizes that sums in another order have other bits. */
static float value_at(size_t row, size_t feature) {
    static const float scales[] = {1e-9f, 1e-4f, 3e3f, 1.0f, 1.0f, 1.0f, 1.0f};
    const uint32_t mixed = (uint32_t)(row * 2654435761u + feature * 40503u);
    return ((float)(mixed >> 8) * 0x1p-24f - 0.5f) * scales[mixed % 7];
}

static char path_memory[2][128];

static const char *write_npy(const char *name, char type, size_t rows, size_t columns, const void *data) {
    char header[NPY_HEADER_SIZE];
    npy_make_header(header, type, rows, columns);
    const char *path = path_of(name);
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(header, 1, sizeof header, file), sizeof header);
    const size_t count = rows * (columns == 0 ? 1 : columns);
    cr_assert_eq(fwrite(data, 4, count, file), count);
    cr_assert_eq(fclose(file), 0);
    return path;
}

/* x.npy (ROWS, FEATURES) and y.npy. */
static tanda_dataset_options write_rows(size_t rows, char label_type) {
    float *values = malloc(rows * FEATURES * sizeof *values);
    int32_t *labels = malloc(rows * sizeof *labels);
    for (size_t i = 0; i < rows * FEATURES; i++)
        values[i] = value_at(i / FEATURES, i % FEATURES);
    for (size_t row = 0; row < rows; row++)
        values[row * FEATURES] = fabsf(values[row * FEATURES]); /* it may be a weight */
    values[3] = -0.0f;
    for (size_t row = 0; row < rows; row++) {
        const int32_t class = (int32_t)(row * row % 5) * 3 - 2;
        const float target = value_at(row, 9);
        if (label_type == 'i')
            labels[row] = class;
        else
            memcpy(&labels[row], &target, sizeof target);
    }
    strcpy(path_memory[0], write_npy("x.npy", 'f', rows, FEATURES, values));
    strcpy(path_memory[1], write_npy("y.npy", label_type, rows, 0, labels));
    free(values);
    free(labels);
    return (tanda_dataset_options){.labels = path_memory[1]};
}

/* Reads a data set in pieces of an odd size, backwards, and compares it with the one in memory. */
static void expect_same_rows(const tanda_dataset *memory, const tanda_dataset *other) {
    feed *a = NULL, *b = NULL;
    tanda_error error = {0};
    cr_assert_eq(dataset_feed(memory, NULL, &a, &error), TANDA_OK);
    cr_assert_eq(dataset_feed(other, NULL, &b, &error), TANDA_OK);
    cr_assert_eq(a->rows, b->rows);
    cr_assert_eq(a->features, b->features);
    cr_assert_eq(a->label_width, b->label_width);
    cr_assert_eq(a->has_weights, b->has_weights);
    const size_t most = 1237, row = feed_row_size(a);
    char *of_a = malloc(most * row), *of_b = malloc(most * row);
    for (size_t end = a->rows; end > 0;) {
        const size_t rows = end < most ? end : most, first = end - rows;
        const size_t values = rows * a->features, labels = rows * a->label_width;
        float *at_a = (float *)(void *)of_a, *at_b = (float *)(void *)of_b;
        memset(of_a, 0, most * row);
        memset(of_b, 0, most * row);
        const row_block block_a = {at_a, at_a + values, at_a + values + labels},
                        block_b = {at_b, at_b + values, at_b + values + labels};
        cr_assert_eq(feed_read(a, first, rows, &block_a, &error), TANDA_OK, "%s", error.message);
        cr_assert_eq(feed_read(b, first, rows, &block_b, &error), TANDA_OK, "%s", error.message);
        cr_assert_eq(memcmp(of_a, of_b, rows * row), 0, "rows from %zu on", first);
        end = first;
    }
    free(of_a);
    free(of_b);
    feed_free(a);
    feed_free(b);
}

static void expect_same(const tanda_dataset *memory, const tanda_dataset *other) {
    uint64_t of_memory = 0, of_other = 1;
    cr_assert_eq(memory->rows, other->rows);
    cr_assert_eq(memory->task, other->task);
    cr_assert_eq(memory->task_was_found, other->task_was_found);
    cr_assert_eq(memory->target_count, other->target_count);
    cr_assert_eq(memory->class_count, other->class_count);
    cr_assert_eq(memory->from_bytes, other->from_bytes);
    for (size_t i = 0; i < memory->class_count; i++)
        cr_assert_str_eq(memory->class_names[i], other->class_names[i]);
    cr_assert_eq(dataset_is_weighted(memory), dataset_is_weighted(other));
    expect_same_rows(memory, other);
    cr_assert_eq(dataset_fingerprint(memory, NULL, &of_memory, NULL), TANDA_OK);
    cr_assert_eq(dataset_fingerprint(other, NULL, &of_other, NULL), TANDA_OK);
    cr_assert_eq(of_memory, of_other);
}

static void expect_same_scaling(const scaling *a, const scaling *b) {
    cr_assert_eq(a->features, b->features);
    cr_assert_eq(memcmp(a->center, b->center, a->features * sizeof *a->center), 0);
    cr_assert_eq(memcmp(a->factor, b->factor, a->features * sizeof *a->factor), 0);
}

Test(feeds, classes_of_an_npy_are_those_in_memory) {
    const tanda_dataset_options options = write_rows(ROWS, 'i');
    pair pair = load_pair(path_memory[0], &options);
    cr_assert_eq(pair.memory->task, TANDA_TASK_CLASSES);
    cr_assert_eq(pair.memory->class_count, 3);
    expect_same(pair.memory, pair.feed);
    size_t *a = NULL, *b = NULL;
    cr_assert_eq(class_counts(pair.memory, &a, NULL), TANDA_OK);
    cr_assert_eq(class_counts(pair.feed, &b, NULL), TANDA_OK);
    cr_assert_eq(memcmp(a, b, 3 * sizeof *a), 0);
    free(a);
    free(b);
    free_pair(&pair);
}

Test(feeds, quantities_of_an_npy_are_those_in_memory) {
    const tanda_dataset_options options = write_rows(ROWS, 'f');
    pair pair = load_pair(path_memory[0], &options);
    cr_assert_eq(pair.memory->task, TANDA_TASK_REGRESSION);
    expect_same(pair.memory, pair.feed);
    free_pair(&pair);
}

Test(feeds, labels_and_weights_may_be_columns_of_the_rows) {
    write_rows(ROWS, 'i');
    const char *ignored[] = {"1"};
    const tanda_dataset_options options = {.target = "2",
                                           .sample_weight = "0",
                                           .task = TANDA_TASK_REGRESSION,
                                           .ignore = ignored,
                                           .ignore_count = 1};
    pair pair = load_pair(path_memory[0], &options);
    cr_assert_eq(pair.feed->features, 4);
    expect_same(pair.memory, pair.feed);
    const tanda_dataset_options several = {.target = "2,5"};
    struct pair both = load_pair(path_memory[0], &several);
    cr_assert_eq(both.feed->target_count, 2);
    expect_same(both.memory, both.feed);
    free_pair(&pair);
    free_pair(&both);
}

Test(feeds, scalings_have_the_bits_of_those_in_memory) {
    const size_t sizes[] = {1, 255, 256, 257, 131072 + 255, ROWS};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const tanda_dataset_options options = write_rows(sizes[s], 'f');
        const tanda_dataset_options little = {.labels = options.labels, .memory = 1};
        pair pair = {load_expecting(path_memory[0], &options, NULL),
                     load_expecting(path_memory[0], &little, NULL)};
        for (tanda_scale kind = TANDA_SCALE_STANDARD; kind <= TANDA_SCALE_MINMAX; kind++) {
            scaling a = {0}, b = {0};
            cr_assert_eq(dataset_fit_scaling(pair.memory, kind, &a, NULL), TANDA_OK);
            cr_assert_eq(dataset_fit_scaling(pair.feed, kind, &b, NULL), TANDA_OK);
            expect_same_scaling(&a, &b);
            scaling_free(&a);
            scaling_free(&b);
        }
        free_pair(&pair);
    }
}

/* Contract 4, as it is written: chunks of 256 rows, the left side of a sum has the largest power of two of them. */
static double sum_of_chunks(const float *values, size_t rows, size_t first, size_t chunks) {
    if (chunks == 1) {
        double sum = 0.0;
        for (size_t row = first * 256; row < rows && row < (first + 1) * 256; row++)
            sum += (double)values[row];
        return sum;
    }
    size_t left = 1;
    while (2 * left < chunks)
        left *= 2;
    return sum_of_chunks(values, rows, first, left) +
           sum_of_chunks(values, rows, first + left, chunks - left);
}

/* In binary64: rounded to binary32, many other orders have the same mean. */
Test(feeds, means_are_sums_of_the_contracts_tree_over_all_blocks) {
    const tanda_dataset_options options = write_rows(ROWS, 'f');
    pair pair = load_pair(path_memory[0], &options);
    const tanda_dataset *sets[] = {pair.memory, pair.feed};
    const double sum = sum_of_chunks(pair.memory->targets, ROWS, 0, (ROWS + 255) / 256);
    for (size_t s = 0; s < 2; s++) {
        feed *rows = NULL;
        target_scaling scaling = {0};
        cr_assert_eq(dataset_feed(sets[s], NULL, &rows, NULL), TANDA_OK);
        cr_assert_eq(target_scaling_fit(rows, &scaling, NULL), TANDA_OK);
        cr_expect_eq(scaling.mean[0], sum / ROWS);
        target_scaling_free(&scaling);
        feed_free(rows);
    }
    free_pair(&pair);
}

Test(feeds, hashes_are_of_the_bytes_whatever_the_blocks) {
    const tanda_dataset_options options = write_rows(ROWS, 'f');
    tanda_dataset *memory = load_expecting(path_memory[0], &options, NULL);
    const feed_arrays shapes[] = {{ROWS, FEATURES, 0, memory->values, NULL, NULL},
                                  {FEATURES, ROWS, 0, memory->values, NULL, NULL},
                                  {1, ROWS * FEATURES, 0, memory->values, NULL, NULL}};
    uint64_t made[3];
    for (size_t i = 0; i < 3; i++) {
        feed *feed = NULL;
        row_hashes *hashes = NULL;
        cr_assert_eq(feed_of_memory(&shapes[i], &feed, NULL), TANDA_OK);
        cr_assert_eq(row_hashes_of(feed, &hashes, NULL), TANDA_OK);
        made[i] = row_hashes_end(hashes, ROW_VALUES);
        row_hashes_free(hashes);
        feed_free(feed);
    }
    cr_expect_eq(made[0], made[2]);
    cr_expect_eq(made[1], made[2]);
    tanda_dataset_free(memory);
}

Test(feeds, scaled_weighed_and_standardised_rows_are_those_in_memory) {
    const tanda_dataset_options options = write_rows(ROWS, 'i');
    pair pair = load_pair(path_memory[0], &options);
    scaling scaling = {0};
    cr_assert_eq(dataset_fit_scaling(pair.memory, TANDA_SCALE_STANDARD, &scaling, NULL), TANDA_OK);
    cr_assert_eq(dataset_scale(pair.memory, &scaling, NULL), TANDA_OK);
    cr_assert_eq(dataset_scale(pair.feed, &scaling, NULL), TANDA_OK);
    cr_assert_eq(tanda_dataset_weigh_classes(pair.memory, NULL, NULL), TANDA_OK);
    cr_assert_eq(tanda_dataset_weigh_classes(pair.feed, NULL, NULL), TANDA_OK);
    expect_same(pair.memory, pair.feed);
    const double none[3] = {0};
    tanda_error error = {0};
    cr_expect_eq(tanda_dataset_weigh_classes(pair.feed, none, &error), TANDA_BAD_INPUT);
    expect_same(pair.memory, pair.feed); /* it stays as it was */
    free_pair(&pair);
    scaling_free(&scaling);

    const tanda_dataset_options quantities = write_rows(ROWS, 'f');
    pair = load_pair(path_memory[0], &quantities);
    feed *a = NULL, *b = NULL;
    target_scaling targets = {0}, other = {0};
    cr_assert_eq(dataset_feed(pair.memory, NULL, &a, NULL), TANDA_OK);
    cr_assert_eq(dataset_feed(pair.feed, NULL, &b, NULL), TANDA_OK);
    cr_assert_eq(target_scaling_fit(a, &targets, NULL), TANDA_OK);
    cr_assert_eq(target_scaling_fit(b, &other, NULL), TANDA_OK);
    cr_assert_eq(targets.mean[0], other.mean[0]);
    cr_assert_eq(targets.deviation[0], other.deviation[0]);
    feed_free(a);
    feed_free(b);
    float *of_a = malloc(ROWS * sizeof *of_a), *of_b = malloc(ROWS * sizeof *of_b);
    const row_block block_a = {.labels = of_a}, block_b = {.labels = of_b};
    cr_assert_eq(dataset_feed(pair.memory, &targets, &a, NULL), TANDA_OK);
    cr_assert_eq(dataset_feed(pair.feed, &targets, &b, NULL), TANDA_OK);
    cr_assert_eq(feed_read(a, 0, ROWS, &block_a, NULL), TANDA_OK);
    cr_assert_eq(feed_read(b, 0, ROWS, &block_b, NULL), TANDA_OK);
    cr_expect_eq(memcmp(of_a, of_b, ROWS * sizeof *of_a), 0);
    cr_expect_lt(fabsf(of_a[1]), 40.0f);
    feed_free(a);
    feed_free(b);
    target_scaling_free(&targets);
    target_scaling_free(&other);
    free(of_a);
    free(of_b);
    free_pair(&pair);
}

static void expect_same_parts(const pair *whole, bool by_class) {
    const double fractions[] = {0.2, 0.001, 0.97};
    for (size_t i = 0; i < 3; i++) {
        pair training = {0}, held_out = {0};
        cr_assert_eq(
            dataset_split(whole->memory, fractions[i], by_class, 7, &training.memory, &held_out.memory, NULL),
            TANDA_OK);
        cr_assert_eq(
            dataset_split(whole->feed, fractions[i], by_class, 7, &training.feed, &held_out.feed, NULL),
            TANDA_OK);
        expect_same(training.memory, training.feed);
        expect_same(held_out.memory, held_out.feed);
        free_pair(&training);
        free_pair(&held_out);
    }
    for (size_t fold = 0; fold < 3; fold += 2) {
        pair training = {0}, held_out = {0};
        cr_assert_eq(
            dataset_fold(whole->memory, 3, fold, by_class, 7, &training.memory, &held_out.memory, NULL),
            TANDA_OK);
        cr_assert_eq(dataset_fold(whole->feed, 3, fold, by_class, 7, &training.feed, &held_out.feed, NULL),
                     TANDA_OK);
        expect_same(training.memory, training.feed);
        expect_same(held_out.memory, held_out.feed);
        free_pair(&training);
        free_pair(&held_out);
    }
}

Test(feeds, parts_of_rows_are_those_in_memory) {
    const tanda_dataset_options options = write_rows(5003, 'i');
    pair pair = load_pair(path_memory[0], &options);
    expect_same_parts(&pair, true);
    expect_same_parts(&pair, false);
    free_pair(&pair);
}

Test(feeds, parts_outlive_what_they_are_of) {
    const tanda_dataset_options options = write_rows(5003, 'i');
    pair pair = load_pair(path_memory[0], &options), training = {0}, held_out = {0};
    dataset_split(pair.memory, 0.3, true, 1, &training.memory, &held_out.memory, NULL);
    dataset_split(pair.feed, 0.3, true, 1, &training.feed, &held_out.feed, NULL);
    free_pair(&pair);
    tanda_dataset_free(training.feed);
    expect_same(held_out.memory, held_out.feed);
    tanda_dataset_free(training.memory);
    free_pair(&held_out);
}

Test(feeds, elements_of_any_kind_are_the_numbers_in_memory) {
    static const char *const types[] = {"<f8", ">f4", ">f8", "<f2", "|u1", "|i1", "<i4", ">i8", "<u2"};
    unsigned char *bytes = malloc(ROWS * 3 * 8);
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        const size_t size = (size_t)(types[t][2] - '0'), rows = 4099;
        char header[NPY_HEADER_SIZE];
        for (size_t i = 0; i < rows * 3 * size; i++)
            bytes[i] = (unsigned char)(i * 37 % 61); /* no infinity in any type */
        npy_make_header(header, 'f', rows, 3);
        char *descr = strstr(header + 10, "f4");
        descr[-1] = types[t][0];
        descr[0] = types[t][1];
        descr[1] = types[t][2];
        const char *path = path_of("any.npy");
        FILE *file = fopen(path, "wb");
        cr_assert_eq(fwrite(header, 1, sizeof header, file), sizeof header);
        cr_assert_eq(fwrite(bytes, size, rows * 3, file), rows * 3);
        fclose(file);
        const tanda_dataset_options options = {.task = TANDA_TASK_REGRESSION};
        pair pair = load_pair(path, &options);
        expect_same(pair.memory, pair.feed);
        free_pair(&pair);
    }
    free(bytes);
}

/* Seconds since 1970 and a constant, beside a column that binary32 does not ruin. */
static const char *write_seconds(size_t rows) {
    double *values = malloc(rows * 3 * sizeof *values);
    char header[NPY_HEADER_SIZE];
    for (size_t row = 0; row < rows; row++) {
        values[3 * row] = 1764300000.25 + (double)(row % 1009) * 0.5;
        values[3 * row + 1] = 16777217.0;
        values[3 * row + 2] = (double)row * 0.1;
    }
    npy_make_header(header, 'f', rows, 3);
    *strstr(header + 10, "4") = '8';
    const char *path = path_of("seconds.npy");
    FILE *file = fopen(path, "wb");
    cr_assert_eq(fwrite(header, 1, sizeof header, file), sizeof header);
    cr_assert_eq(fwrite(values, 3 * sizeof *values, rows, file), rows);
    fclose(file);
    free(values);
    return path;
}

Test(feeds, columns_that_binary32_would_ruin_are_kept_as_in_memory) {
    const char *path = write_seconds(ROWS);
    for (int kept = 0; kept < 2; kept++) {
        const tanda_dataset_options options = {.task = TANDA_TASK_REGRESSION, .keep_origins = kept == 1};
        pair pair = load_pair(path, &options);
        expect_same(pair.memory, pair.feed);
        cr_assert_not_null(pair.memory->origin_note);
        cr_expect_str_eq(pair.memory->origin_note, pair.feed->origin_note);
        cr_expect_eq(kept == 1, pair.memory->origins != NULL);
        cr_expect_eq(kept == 1, pair.feed->origins != NULL);
        if (kept == 1) {
            cr_expect_eq(memcmp(pair.memory->origins, pair.feed->origins, 2 * sizeof(double)), 0);
            const dataset_expectation expected = dataset_expect(pair.memory);
            const tanda_dataset_options little = little_memory(options);
            tanda_dataset *memory = load_expecting(path, &options, &expected),
                          *feed = load_expecting(path, &little, &expected);
            expect_same(memory, feed);
            tanda_dataset_free(memory);
            tanda_dataset_free(feed);
        }
        free_pair(&pair);
    }
}

Test(feeds, synthetic_rows_are_those_in_memory) {
    static const char *const paths[] = {"synthetic:blobs,rows=5003,classes=4,features=6,test-rows=100",
                                        "synthetic:regression,rows=4001", "synthetic:moons,rows=777"};
    for (size_t i = 0; i < 3; i++) {
        const tanda_dataset_options options = {.task = TANDA_TASK_AUTO};
        pair pair = load_pair(paths[i], &options);
        expect_same(pair.memory, pair.feed);
        expect_same_parts(&pair, true);
        free_pair(&pair);
    }
    const tanda_dataset_options numbers = {.task = TANDA_TASK_REGRESSION};
    pair pair = load_pair(paths[0], &numbers);
    expect_same(pair.memory, pair.feed);
    free_pair(&pair);
}

/* A program that hands over the rows of a feed. */
static tanda_status hand_over(size_t first, size_t rows, float *values, void *labels, float *weights,
                              void *context) {
    const row_block block = {values, labels, weights};
    return feed_read(context, first, rows, &block, NULL);
}

static tanda_status fail_late(size_t first, size_t rows, float *values, void *labels, float *weights,
                              void *context) {
    if (first + rows > 200000) return TANDA_FAILED;
    return hand_over(first, rows, values, labels, weights, context);
}

Test(feeds, rows_from_a_program_are_those_in_memory) {
    const tanda_dataset_options options = write_rows(ROWS, 'i');
    tanda_dataset *memory = load_expecting(path_memory[0], &options, NULL), *dataset = NULL;
    feed *rows = NULL;
    uint64_t fingerprint = 0;
    tanda_error error = {0};
    cr_assert_eq(dataset_feed(memory, NULL, &rows, NULL), TANDA_OK);
    const char *const names[] = {"-2", "1", "10"};
    tanda_dataset_reader reader = {.size = sizeof reader,
                                   .rows = ROWS,
                                   .features = FEATURES,
                                   .read = hand_over,
                                   .context = rows,
                                   .class_count = 3,
                                   .class_names = names};
    cr_assert_eq(tanda_dataset_create_reader(&reader, &dataset, &error), TANDA_OK, "%s", error.message);
    memory->task_was_found = false;
    expect_same(memory, dataset);
    const pair both = {memory, dataset};
    expect_same_parts(&both, true);
    tanda_dataset_free(dataset);
    reader.class_count = 2; /* there is a third */
    cr_assert_eq(tanda_dataset_create_reader(&reader, &dataset, &error), TANDA_OK);
    cr_expect_eq(dataset_fingerprint(dataset, NULL, &fingerprint, &error), TANDA_BAD_INPUT);
    cr_expect_not_null(strstr(error.message, "(from 0) has 2; classes are 0 to 1"), "%s", error.message);
    tanda_dataset_free(dataset);
    reader.class_count = 3;
    reader.read = fail_late;
    cr_assert_eq(tanda_dataset_create_reader(&reader, &dataset, &error), TANDA_OK);
    cr_expect_eq(dataset_fingerprint(dataset, NULL, &fingerprint, &error), TANDA_FAILED);
    cr_expect_not_null(strstr(error.message, "could not be read"), "%s", error.message);
    tanda_dataset_free(dataset);
    reader.target_count = 2;
    cr_expect_eq(tanda_dataset_create_reader(&reader, &dataset, &error), TANDA_USAGE);
    reader.class_count = 0;
    reader.read = NULL;
    cr_expect_eq(tanda_dataset_create_reader(&reader, &dataset, &error), TANDA_USAGE);
    feed_free(rows);
    tanda_dataset_free(memory);
}

Test(feeds, any_number_of_threads_finds_the_same) {
    const tanda_dataset_options options = write_rows(ROWS, 'i');
    pair pair = load_pair(path_memory[0], &options);
    scaling one = {0}, many = {0};
    uint64_t first = 0, second = 1;
    setenv("OMP_NUM_THREADS", "1", 1);
    cr_assert_eq(dataset_fit_scaling(pair.feed, TANDA_SCALE_STANDARD, &one, NULL), TANDA_OK);
    cr_assert_eq(dataset_fingerprint(pair.feed, NULL, &first, NULL), TANDA_OK);
    unsetenv("OMP_NUM_THREADS");
    cr_assert_eq(dataset_fit_scaling(pair.feed, TANDA_SCALE_STANDARD, &many, NULL), TANDA_OK);
    cr_assert_eq(dataset_fingerprint(pair.feed, NULL, &second, NULL), TANDA_OK);
    expect_same_scaling(&one, &many);
    cr_assert_eq(first, second);
    scaling_free(&one);
    scaling_free(&many);
    free_pair(&pair);
}

Test(feeds, columns_are_doubted_by_their_first_rows_as_by_all) {
    float *values = malloc(ROWS * 3 * sizeof *values);
    for (size_t row = 0; row < ROWS; row++) {
        values[3 * row] = (float)row;
        values[3 * row + 1] = value_at(row, 1);
        values[3 * row + 2] = (float)((row * 7919) % ROWS);
    }
    const tanda_dataset_options options = {.without_target = true};
    pair pair = load_pair(write_npy("counted.npy", 'f', ROWS, 3, values), &options);
    doubtful_columns of_memory = {0}, of_feed = {0};
    cr_assert_eq(columns_check(pair.memory, &of_memory, NULL), TANDA_OK);
    cr_assert_eq(columns_check(pair.feed, &of_feed, NULL), TANDA_OK);
    cr_assert_eq(of_memory.count, 2);
    cr_assert_eq(of_feed.count, 2);
    for (size_t i = 0; i < 2; i++) {
        cr_expect_eq(of_memory.columns[i].doubt, of_feed.columns[i].doubt);
        cr_expect_eq(of_memory.columns[i].index, of_feed.columns[i].index);
    }
    doubtful_columns_free(&of_memory);
    doubtful_columns_free(&of_feed);
    free_pair(&pair);
    free(values);
}

/* What is wrong with a value is told in the same words, whenever it is found. */
Test(feeds, values_that_are_not_finite_are_refused_with_their_place) {
    const float bad[] = {NAN, INFINITY, -INFINITY};
    float *values = calloc(ROWS * 2, sizeof *values);
    for (size_t i = 0; i < 3; i++) {
        tanda_error of_memory = {0}, of_feed = {0};
        tanda_dataset *none = NULL, *dataset = NULL;
        values[2 * 260000 + 1] = bad[i];
        values[2 * 290000] = bad[i];
        const char *path = write_npy("bad.npy", 'f', ROWS, 2, values);
        const tanda_dataset_options options = {.without_target = true}, little = little_memory(options);
        scaling scaling = {0};
        cr_assert_eq(dataset_load(path, &options, NULL, &none, &of_memory), TANDA_BAD_INPUT);
        cr_assert_eq(dataset_load(path, &little, NULL, &dataset, &of_feed), TANDA_OK);
        cr_assert_eq(dataset_fit_scaling(dataset, TANDA_SCALE_STANDARD, &scaling, &of_feed), TANDA_BAD_INPUT);
        cr_expect_str_eq(of_memory.message, of_feed.message);
        tanda_dataset_free(dataset);
    }
    free(values);
}

Test(feeds, missing_labels_are_refused_as_in_memory) {
    float *labels = calloc(ROWS, sizeof *labels);
    labels[5] = labels[266000] = NAN;
    tanda_dataset_options options = write_rows(ROWS, 'f');
    tanda_error of_memory = {0}, of_feed = {0};
    tanda_dataset *none = NULL;
    write_npy("y.npy", 'f', ROWS, 0, labels);
    cr_assert_eq(dataset_load(path_memory[0], &options, NULL, &none, &of_memory), TANDA_BAD_INPUT);
    options.memory = 1000;
    cr_assert_eq(dataset_load(path_memory[0], &options, NULL, &none, &of_feed), TANDA_BAD_INPUT);
    cr_expect_str_eq(of_memory.message, of_feed.message);
    free(labels);
}

Test(feeds, a_file_that_changes_is_refused_by_name) {
    const tanda_dataset_options options = little_memory(write_rows(ROWS, 'i'));
    for (int how = 0; how < 3; how++) {
        tanda_error error = {0};
        uint64_t fingerprint = 0;
        tanda_dataset *dataset = load_expecting(path_memory[0], &options, NULL);
        const char *path = path_memory[how == 2];
        if (how == 0) {
            cr_assert_eq(truncate(path, 100000), 0);
        } else {
            FILE *file = fopen(path, "r+b");
            fseek(file, 1000, SEEK_SET);
            fputc(1, file);
            fclose(file);
        }
        cr_expect_eq(dataset_fingerprint(dataset, NULL, &fingerprint, &error), TANDA_BAD_INPUT);
        cr_expect_not_null(strstr(error.message, path), "%s", error.message);
        cr_expect_not_null(strstr(error.message, "changed while it was in use"), "%s", error.message);
        cr_expect_eq(dataset_check(dataset, TANDA_OK, &error), TANDA_BAD_INPUT);
        tanda_dataset_free(dataset);
        write_rows(ROWS, 'i');
    }
}

Test(feeds, what_only_memory_can_do_is_refused_in_one_line) {
    tanda_dataset_options options = little_memory(write_rows(ROWS, 'i'));
    tanda_dataset *none = NULL;
    tanda_error error = {0};
    options.missing = TANDA_MISSING_MEAN;
    cr_expect_eq(dataset_load(path_memory[0], &options, NULL, &none, &error), TANDA_BAD_INPUT);
    cr_expect_not_null(strstr(error.message, "--memory 1000"), "%s", error.message);
    char text[4000] = "a,b,c\n";
    while (strlen(text) < 3900)
        strcat(text, "1,2,0\n2,3,1\n");
    const tanda_dataset_options little = {.memory = 1000}, enough = {.memory = 100000};
    const char *path = write_text("rows.csv", text);
    cr_expect_eq(dataset_load(path, &little, NULL, &none, &error), TANDA_BAD_INPUT);
    cr_expect_not_null(strstr(error.message, "rows.csv"), "%s", error.message);
    cr_expect_not_null(strstr(error.message, ".npy"), "%s", error.message);
    tanda_dataset_free(load_expecting(path, &enough, NULL));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* they take terabytes of addresses */
/* 1 GB of rows in an address space that has no room for it. */
Test(feeds, a_pass_needs_no_memory_for_the_rows) {
    const tanda_dataset_options options = {.memory = 1000};
    tanda_dataset *dataset = load_expecting("synthetic:linear,rows=10000000,features=64", &options, NULL);
    const struct rlimit limit = {800u << 20, 800u << 20};
    size_t *counts = NULL;
    feed *rows = NULL;
    tanda_error error = {0};
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
    dataset->rows = 4000000; /* the rest takes time alone */
    dataset->feed->rows = dataset->rows;
    cr_assert_eq(dataset_feed(dataset, NULL, &rows, &error), TANDA_OK);
    cr_expect_eq(class_counts(dataset, &counts, &error), TANDA_OK, "%s", error.message);
    cr_expect_eq(counts[0] + counts[1], dataset->rows);
    feed_free(rows);
    free(counts);
    tanda_dataset_free(dataset);
}
#endif
