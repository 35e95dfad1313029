/* Files that change while they are used, and those that are none. */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "backend/backend.h"
#include "data/csv_rows.h"
#include "data/format.h"
#include "model/model_file.h"
#include "program.h"
#include "support/file_view.h"
#include "tanda.h"

#define ROWS 20000
#define FEATURES 20
#define VALUES_SIZE (ROWS * FEATURES * 4)

TestSuite(changing_inputs, .init = enter_folder, .fini = leave_folder, .timeout = 120);

/* x.npy and l.npy. */
static void write_data(void) {
    const outcome made = RUN("generate", "classification", "--rows", "20000", "--features", "20", "--output",
                             "x.npy", "--labels", "l.npy", "--quiet");
    cr_assert_eq(made.status, 0, "%s", made.err);
}

/* ---- what may happen to a file ------------------------------------------------------------------------- */

static void empty(const char *path) {
    cr_assert_eq(truncate(path, 0), 0);
}

static void shorten(const char *path) {
    cr_assert_eq(truncate(path, 1000), 0);
}

static void halve(const char *path) {
    cr_assert_eq(truncate(path, VALUES_SIZE / 2), 0);
}

static void lengthen(const char *path) {
    cr_assert_eq(truncate(path, 2 * VALUES_SIZE), 0);
}

static void overwrite(const char *path) {
    static const char zeros[4096];
    const int file = open(path, O_WRONLY);
    cr_assert_eq(pwrite(file, zeros, sizeof zeros, VALUES_SIZE / 2), (ssize_t)sizeof zeros);
    close(file);
}

static void (*const changes[])(const char *path) = {empty, shorten, halve, lengthen, overwrite};
#define CHANGES (sizeof changes / sizeof *changes)

/* ---- a view -------------------------------------------------------------------------------------------- */

static file_view open_view(const char *path) {
    file_view view = {0};
    tanda_error error = {0};
    cr_assert_eq(file_view_open(path, &view, &error), TANDA_OK, "%s", error.message);
    return view;
}

static unsigned sum(const unsigned char *data, size_t size) {
    unsigned all = 0;
    for (size_t i = 0; i < size; i++)
        all += ((const volatile unsigned char *)data)[i];
    return all;
}

Test(changing_inputs, what_is_gone_reads_as_zeros_and_every_change_is_told) {
    for (size_t i = 0; i < CHANGES; i++) {
        tanda_error error = {0};
        write_data();
        file_view view = open_view("x.npy");
        cr_expect_eq(file_view_check(&view, TANDA_OK, &error), TANDA_OK, "%s", error.message);
        changes[i]("x.npy");
        sum(view.data, view.size);
        if (changes[i] == empty) cr_expect_eq(sum(view.data, view.size), 0);
        cr_expect_eq(file_view_check(&view, TANDA_FAILED, &error), TANDA_BAD_INPUT);
        cr_expect_not_null(strstr(error.message, "x.npy: changed while it was in use: "), "%s",
                           error.message);
        file_view_close(&view);
    }
}

Test(changing_inputs, a_file_that_was_shorter_for_a_while_is_told) {
    struct stat before;
    tanda_error error = {0};
    write_data();
    file_view view = open_view("x.npy");
    cr_assert_eq(stat("x.npy", &before), 0);
    empty("x.npy");
    sum(view.data, view.size);
    cr_assert_eq(truncate("x.npy", before.st_size), 0);
    cr_assert_eq(utimensat(AT_FDCWD, "x.npy", (struct timespec[]){before.st_atim, before.st_mtim}, 0), 0);
    cr_expect_eq(file_view_check(&view, TANDA_OK, &error), TANDA_BAD_INPUT);
    file_view_close(&view);
}

Test(changing_inputs, a_file_that_is_replaced_renamed_or_removed_is_still_there) {
    write_data();
    file_view view = open_view("x.npy");
    const unsigned before = sum(view.data, view.size);
    cr_assert_eq(rename("l.npy", "x.npy"), 0);
    cr_expect_eq(sum(view.data, view.size), before);
    cr_expect_eq(file_view_check(&view, TANDA_OK, NULL), TANDA_OK);
    file_view_close(&view);
}

static sigjmp_buf back;
static void jump_back(int number) {
    siglongjmp(back, number);
}

Test(changing_inputs, a_bus_error_of_somebody_else_goes_to_the_handler_that_was_there) {
    write_data();
    signal(SIGBUS, jump_back);
    file_view view = open_view("x.npy");
    write_text("other", "some text");
    const int file = open("other", O_RDONLY);
    const unsigned char *other = mmap(NULL, 9, PROT_READ, MAP_PRIVATE, file, 0);
    empty("other");
    if (sigsetjmp(back, 1) == 0) {
        sum(other, 1);
        cr_assert_fail("no bus error");
    }
    empty("x.npy");
    cr_expect_eq(sum(view.data, view.size), 0, "ours still works");
    file_view_close(&view);
}

Test(changing_inputs, a_bus_error_of_somebody_else_ends_the_program_as_ever, .signal = SIGBUS) {
    write_data();
    signal(SIGBUS, SIG_DFL); /* a sanitizer has its own */
    file_view view = open_view("x.npy");
    file_view_close(&view);
    const int file = open("l.npy", O_RDONLY);
    const unsigned char *other = mmap(NULL, 9, PROT_READ, MAP_PRIVATE, file, 0);
    empty("l.npy");
    sum(other, 1);
}

/* ---- data sets ----------------------------------------------------------------------------------------- */

static tanda_dataset *load_mapped(void) {
    tanda_dataset *dataset = NULL;
    tanda_error error = {0};
    const tanda_dataset_options options = {.size = sizeof options, .labels = "l.npy"};
    write_data();
    cr_assert_eq(tanda_dataset_load("x.npy", &options, &dataset, &error), TANDA_OK, "%s", error.message);
    cr_assert_not_null(dataset->mapping.file);
    return dataset;
}

static tanda_model *make_model(const tanda_dataset *dataset) {
    tanda_model *model = NULL;
    tanda_error error = {0};
    const tanda_model_options options = {.size = sizeof options};
    cr_assert_eq(tanda_model_create_for(dataset, &options, &model, &error), TANDA_OK, "%s", error.message);
    return model;
}

static tanda_status ignore_rows(size_t first, size_t rows, const float *predictions, void *context) {
    (void)first, (void)rows, (void)predictions, (void)context;
    cr_expect_fail("predictions of a file that changed");
    return TANDA_OK;
}

Test(changing_inputs, nothing_is_computed_from_a_data_set_whose_file_changed) {
    tanda_dataset *dataset = load_mapped(), *parts[2] = {NULL, NULL};
    tanda_model *model = make_model(dataset);
    tanda_device *device = NULL;
    tanda_error error = {0};
    tanda_evaluation evaluation;
    tanda_train_result result;
    const tanda_device_options cpu = {.size = sizeof cpu, .device = "cpu", .threads = 2};
    const tanda_train_options training = {
        .size = sizeof training, .epochs = 3, .batch_rows = 64, .learning_rate = 0.1};
    cr_assert_eq(tanda_device_open(&cpu, &device, NULL, &error), TANDA_OK, "%s", error.message);
    cr_expect_eq(tanda_dataset_check(dataset, &error), TANDA_OK);
    cr_expect_eq(tanda_evaluate(device, model, dataset, &evaluation, &error), TANDA_OK);
    halve("x.npy");
    cr_expect_eq(tanda_dataset_check(dataset, &error), TANDA_BAD_INPUT);
    cr_expect_eq(tanda_evaluate(device, model, dataset, &evaluation, &error), TANDA_BAD_INPUT);
    cr_expect_eq(tanda_predict(device, model, dataset, ignore_rows, NULL, &error), TANDA_BAD_INPUT);
    cr_expect_eq(tanda_train(device, model, dataset, NULL, &training, &result, &error), TANDA_BAD_INPUT);
    cr_expect_eq(tanda_dataset_split(dataset, 0.5, 1, &parts[0], &parts[1], &error), TANDA_BAD_INPUT);
    cr_expect_eq(tanda_model_fit_scaling(model, TANDA_SCALE_STANDARD, dataset, &error), TANDA_BAD_INPUT);
    cr_expect_not_null(strstr(error.message, "x.npy"), "%s", error.message);
    tanda_device_close(device);
    tanda_model_free(model);
    tanda_dataset_free(dataset);
}

Test(changing_inputs, scaling_a_file_that_changed_is_refused) {
    tanda_dataset *dataset = load_mapped();
    tanda_model *model = make_model(dataset);
    cr_assert_eq(tanda_model_fit_scaling(model, TANDA_SCALE_STANDARD, dataset, NULL), TANDA_OK);
    overwrite("x.npy");
    cr_expect_eq(tanda_dataset_scale(dataset, model, NULL), TANDA_BAD_INPUT);
    tanda_model_free(model);
    tanda_dataset_free(dataset);
}

/* ---- the program --------------------------------------------------------------------------------------- */

static pid_t start(const char *const *arguments) {
    posix_spawn_file_actions_t actions;
    pid_t child;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "out.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, "err.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_eq(posix_spawn(&child, TANDA_PROGRAM, &actions, NULL, (char *const *)arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

static void wait_for_file(const char *path) {
    struct stat found;
    for (int i = 0; i < 6000 && stat(path, &found) != 0; i++)
        usleep(10000);
    cr_assert_eq(stat(path, &found), 0, "%s does not come", path);
}

/* The data changes after the first checkpoint of a training that would go on for hours. */
static void expect_end(const char *device, const char *data, void (*change)(const char *path)) {
    int status = 0;
    const char *const arguments[] = {TANDA_PROGRAM,
                                     "train",
                                     "--data",
                                     "x.npy",
                                     "--labels",
                                     "l.npy",
                                     "--scale",
                                     "none",
                                     "--device",
                                     device,
                                     "--threads",
                                     "2",
                                     "--validation",
                                     "v.npy",
                                     "--validation-labels",
                                     "m.npy",
                                     "--epochs",
                                     "1000000",
                                     "--batch",
                                     "256",
                                     "--checkpoint",
                                     "c.safetensors",
                                     "--checkpoint-every",
                                     "1",
                                     "--quiet",
                                     "--output",
                                     "o.safetensors",
                                     NULL};
    remove("c.safetensors");
    write_data();
    cr_assert_eq(rename("x.npy", "v.npy"), 0);
    cr_assert_eq(rename("l.npy", "m.npy"), 0);
    write_data();
    const pid_t child = start(arguments);
    wait_for_file("c.safetensors");
    change(data);
    cr_assert_eq(waitpid(child, &status, 0), child);
    const char *message = file_text("err.txt");
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 3, "%s: status %x: %s", device, status, message);
    cr_expect_eq(strncmp(message, "tanda: ", 7), 0, "%s", message);
    cr_expect_eq(strncmp(message + 7, data, strlen(data)), 0, "%s", message);
    cr_expect_eq(count_lines(message), 1, "%s", message);
    cr_expect_str_eq(file_text("out.txt"), "");
    cr_expect_neq(access("o.safetensors", F_OK), 0);
    cr_expect_eq(RUN("inspect", "c.safetensors").status, 0, "the checkpoint is whole");
}

Test(changing_inputs, a_training_ends_with_its_last_checkpoint) {
    for (size_t i = 0; i < CHANGES; i++)
        expect_end("cpu", "x.npy", changes[i]);
    expect_end("cpu", "v.npy", halve);
}

Test(changing_inputs, a_training_on_opencl_ends_so_too) {
    expect_end("opencl", "x.npy", empty);
}

/* What comes out of a file that somebody truncates at any moment is right or refused, and never a signal. */
Test(changing_inputs, text_and_models_that_are_cut_while_they_are_read_are_refused) {
    const char *const arguments[] = {TANDA_PROGRAM, "inspect", "t.csv", NULL};
    FILE *text = fopen("whole.csv", "w");
    fputs("a,b,kind\n", text);
    for (size_t i = 0; i < 200000; i++)
        fprintf(text, "%zu,%zu.5,%s\n", i % 97, i % 89, i % 3 == 0 ? "x" : "y");
    fclose(text);
    for (useconds_t wait = 0; wait < 30000; wait += 1500) {
        int status = 0;
        cr_assert_eq(RUN("version").status, 2);
        cr_assert_eq(system("cp whole.csv t.csv"), 0);
        const pid_t child = start(arguments);
        usleep(wait);
        cr_assert_eq(truncate("t.csv", 4096 * 3), 0);
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_expect(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 3), "status %x",
                  status);
        if (status != 0) cr_expect_eq(count_lines(file_text("err.txt")), 1);
    }
}

/* ---- bytes that change under a reader ------------------------------------------------------------------ */

/* A process that writes into the bytes for as long as it lives. */
static pid_t scribble(unsigned char *bytes, size_t size) {
    static const char letters[] = "\n\n,,\"1a{[:\xff";
    const pid_t child = fork();
    if (child != 0) return child;
    for (unsigned long i = 1;; i = i * 6364136223846793005ul + 1442695040888963407ul) {
        volatile unsigned char *at = bytes + (i >> 33) % size;
        const unsigned char byte = *at;
        *at = (unsigned char)letters[(i >> 20) % sizeof letters];
        for (volatile int pause = 0; pause < 200; pause++) {
        }
        *at = byte;
    }
}

static void expect_read_or_refused(const char *path, size_t repetitions) {
    const file_view file = open_view(path);
    unsigned char *bytes = mmap(NULL, file.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memcpy(bytes, file.data, file.size);
    const tanda_dataset_options options = {.categorical_auto = true};
    const request request = {.options = &options};
    const pid_t child = scribble(bytes, file.size);
    for (size_t i = 0; i < repetitions; i++) {
        file_view view = {.data = bytes, .size = file.size};
        table table = {0};
        tanda_model *model = NULL;
        tanda_status status;
        if (strcmp(path, "x.npy") == 0)
            status = npy_read(path, &view, &request, &table, NULL);
        else if (strcmp(path, "m.safetensors") == 0)
            status = model_file_parse(path, view, &model, NULL);
        else if (strcmp(path, IRIS) == 0 || strcmp(path, "t.csv") == 0)
            status = csv_read(path, &view, &request, &table, NULL);
        else
            status = format_read_view(path, &view, NULL, &request, &table, NULL);
        cr_assert(status == TANDA_OK || status == TANDA_BAD_INPUT || status == TANDA_USAGE, "%s: %d", path,
                  status);
        table_free(&table);
        tanda_model_free(model);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

Test(changing_inputs, readers_stand_bytes_that_change_under_them) {
    FILE *text = fopen("t.csv", "w");
    for (size_t i = 0; i < 30000; i++)
        fprintf(text, "%zu,c%zu,k%zu\n", i % 97, i % 5, i % 4);
    fclose(text);
    write_data();
    cr_assert_eq(RUN("train", "--data", IRIS, "--epochs", "1", "--quiet", "--device", "cpu", "--output",
                     "m.safetensors")
                     .status,
                 0);
    cr_assert_eq(system("gzip -k t.csv"), 0);
    text = fopen("t.svm", "w");
    for (size_t i = 0; i < 3000; i++)
        fprintf(text, "%zu %zu:1.5 %zu:2\n", i % 3, i % 7 + 1, i % 5 + 9);
    fclose(text);
    expect_read_or_refused("t.svm", 300);
    expect_read_or_refused("t.csv.gz", 300);
    expect_read_or_refused("t.csv", 100);
    expect_read_or_refused(IRIS, 3000);
    expect_read_or_refused("x.npy", 20);
    expect_read_or_refused("m.safetensors", 3000);
}

/* Rows are counted first and read then; a byte changes between the two. */
static void expect_other_rows_to_be_seen(size_t at, char letter) {
    char text[] = "1\n222\n3\n";
    float owned[] = {0.0f, 0.0f, 0.0f, 7.0f};
    const tanda_dataset_options options = {.without_target = true};
    const request request = {.options = &options};
    const csv_reader reader = {.path = "t.csv",
                               .request = &request,
                               .start = csv_open("t.csv", text, strlen(text)),
                               .columns = 1,
                               .selection = {.target = NO_COLUMN, .weight = NO_COLUMN},
                               .roles = (ptrdiff_t[]){0},
                               .places = (size_t[]){0}};
    table table = {.rows = 3, .features = 1, .values = owned, .owned = owned};
    csv_chunks chunks;
    cr_assert_eq(csv_find_chunks(&reader.start, &chunks, NULL), TANDA_OK);
    cr_expect(csv_read_chunks(&reader, &chunks, &table));
    text[at] = letter;
    cr_expect_not(csv_read_chunks(&reader, &chunks, &table));
    cr_expect_eq(owned[3], 7.0f, "a row more than there is room for");
    free(chunks.chunks);
}

Test(changing_inputs, rows_that_come_and_go_between_counting_and_reading_are_seen) {
    expect_other_rows_to_be_seen(3, '\n');
    expect_other_rows_to_be_seen(1, '2');
}

/* ---- what is no file ----------------------------------------------------------------------------------- */

#define REFUSED(path, ...) \
    do { \
        const outcome refused = RUN(__VA_ARGS__, "--quiet"); \
        cr_expect_eq(refused.status, 3, "%s: %d: %s", path, refused.status, refused.err); \
        cr_expect_str_eq(refused.err, "tanda: " path ": is not a regular file\n"); \
    } while (0)

Test(changing_inputs, a_fifo_that_is_no_data_is_refused_and_not_waited_for) {
    cr_assert_eq(mkfifo("fifo", 0600), 0);
    write_data();
    REFUSED("fifo", "train", "--data", "x.npy", "--labels", "fifo");
    REFUSED("fifo", "train", "--data", IRIS, "--init", "fifo");
    REFUSED("fifo", "train", "--data", IRIS, "--resume", "fifo");
    REFUSED("fifo", "train", "--config", "fifo");
    REFUSED("fifo", "predict", "fifo", "--data", IRIS);
    REFUSED("fifo", "verify", "--golden", "fifo");
}
