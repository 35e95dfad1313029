/* A folder of shards: written, read, gone on with, and refused by the name of the shard that is wrong. */
#include <dirent.h>
#include <sys/stat.h>

#include "data/shards.h"
#include "data_files.h"

static void remove_all(void) {
    char command[200];
    snprintf(command, sizeof command, "rm -rf %s", test_folder);
    if (system(command) != 0) abort();
}

TestSuite(shards, .init = make_folder, .fini = remove_all, .timeout = 60);

#define SOURCE "synthetic:blobs,rows=10007,classes=3,features=5"
#define SHARDS 5

static char folder[100];

static tanda_dataset *make_source(const char *source) {
    const tanda_dataset_options options = {.memory = 1};
    return load_expecting(source, &options, NULL);
}

static tanda_status write_shards(tanda_error *error) {
    const shards_options options = {.shard_rows = 2048, .source = SOURCE};
    tanda_dataset *source = make_source(SOURCE);
    snprintf(folder, sizeof folder, "%s/rows", test_folder);
    const tanda_status status = shards_write(folder, source, &options, error);
    tanda_dataset_free(source);
    return status;
}

static void write_well(void) {
    tanda_error error = {0};
    cr_assert_eq(write_shards(&error), TANDA_OK, "%s", error.message);
}

static const char *in_folder(const char *name) {
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static uint64_t fingerprint(const tanda_dataset *dataset) {
    uint64_t made = 0;
    cr_assert_eq(dataset_fingerprint(dataset, NULL, &made, NULL), TANDA_OK);
    return made;
}

static tanda_status try_to_load(const tanda_dataset_options *options, tanda_error *error) {
    tanda_dataset *dataset = NULL;
    uint64_t made = 0;
    tanda_status status = dataset_load(folder, options, NULL, &dataset, error);
    if (status == TANDA_OK) status = dataset_fingerprint(dataset, NULL, &made, error);
    tanda_dataset_free(dataset);
    return status;
}

Test(shards, the_rows_are_those_of_the_source_in_place_and_in_memory) {
    const tanda_dataset_options all = {.memory = 0}, little = {.memory = 1};
    write_well();
    tanda_dataset *source = make_source(SOURCE), *memory = load_expecting(folder, &all, NULL),
                  *feed = load_expecting(folder, &little, NULL);
    cr_assert_not_null(memory->values);
    cr_assert_not_null(feed->feed);
    cr_expect_eq(fingerprint(source), fingerprint(memory));
    cr_expect_eq(fingerprint(source), fingerprint(feed));
    cr_expect_eq(feed->class_count, 3);
    cr_expect_str_eq(feed->class_names[2], "2");
    tanda_dataset_free(source);
    tanda_dataset_free(memory);
    tanda_dataset_free(feed);
}

Test(shards, columns_may_be_left_out) {
    const char *ignored[] = {"1", "4"};
    const tanda_dataset_options all = {.ignore = ignored, .ignore_count = 2},
                                little = {.ignore = ignored, .ignore_count = 2, .memory = 1},
                                none = {.without_target = true, .memory = 1};
    write_well();
    tanda_dataset *memory = load_expecting(folder, &all, NULL), *feed = load_expecting(folder, &little, NULL),
                  *bare = load_expecting(folder, &none, NULL);
    cr_expect_eq(feed->features, 3);
    cr_expect_eq(bare->task, TANDA_TASK_AUTO);
    cr_expect_eq(fingerprint(memory), fingerprint(feed));
    tanda_dataset_free(memory);
    tanda_dataset_free(feed);
    tanda_dataset_free(bare);
}

Test(shards, classes_are_numbered_as_is_expected) {
    char *names[] = {"2", "0", "1"}, *fewer[] = {"0", "1"};
    const tanda_dataset_options little = {.memory = 1};
    dataset_expectation expected = {
        .feature_count = 5, .class_count = 3, .class_names = names, .task = TANDA_TASK_CLASSES};
    write_well();
    size_t *counts = NULL, *others = NULL;
    tanda_error error = {0};
    tanda_dataset *own = load_expecting(folder, &little, NULL),
                  *dataset = load_expecting(folder, &little, &expected), *none = NULL;
    cr_assert_eq(class_counts(own, &counts, NULL), TANDA_OK);
    cr_assert_eq(class_counts(dataset, &others, NULL), TANDA_OK);
    cr_expect_eq(counts[2], others[0]);
    cr_expect_eq(counts[0], others[1]);
    expected.class_names = fewer;
    expected.class_count = 2;
    cr_expect_eq(dataset_load(folder, &little, &expected, &none, &error), TANDA_BAD_INPUT);
    cr_expect_not_null(strstr(error.message, "'2' is none of the model's 2 classes"), "%s", error.message);
    free(counts);
    free(others);
    tanda_dataset_free(own);
    tanda_dataset_free(dataset);
}

Test(shards, a_folder_half_made_is_gone_on_with_and_ends_the_same) {
    shards_facts facts;
    tanda_error error = {0};
    struct stat before, after;
    char *text = NULL;
    size_t size = 0;
    write_well();
    FILE *file = fopen(in_folder("meta.json"), "r");
    cr_assert(getdelim(&text, &size, '\0', file) > 0);
    fclose(file);
    /* as if it had been killed while it wrote the fourth shard */
    const shards_options options = {.shard_rows = 2048, .source = SOURCE};
    char command[800];
    snprintf(command, sizeof command,
             "cd %s && sed -E 's/\"((features|labels)_hash)\": \"[0-9a-f]*\"/\"\\1\": \"\"/' meta.json >"
             " _unfinished.json && rm meta.json shard-00003.npy labels-0000[34].npy && "
             "touch shard-00003.npy.unfinished-abcdef",
             folder);
    cr_assert_eq(system(command), 0);
    cr_assert_eq(stat(in_folder("shard-00001.npy"), &before), 0);
    tanda_dataset *source = make_source(SOURCE);
    cr_assert_eq(shards_write(folder, source, &options, &error), TANDA_OK, "%s", error.message);
    tanda_dataset_free(source);
    cr_assert_eq(stat(in_folder("shard-00001.npy"), &after), 0);
    cr_expect_eq(before.st_ino, after.st_ino, "a whole shard is not written again");
    cr_expect_neq(access(in_folder("_unfinished.json"), F_OK), 0);
    cr_expect_neq(access(in_folder("shard-00003.npy.unfinished-abcdef"), F_OK), 0);
    char *again = NULL;
    file = fopen(in_folder("meta.json"), "r");
    cr_assert(getdelim(&again, &size, '\0', file) > 0);
    fclose(file);
    cr_expect_str_eq(text, again);
    cr_expect_eq(shards_verify(folder, &facts, &error), TANDA_OK, "%s", error.message);
    cr_expect_eq(facts.shards, SHARDS);
    cr_expect_eq(facts.rows, 10007);
    cr_expect_str_eq(facts.source, SOURCE);
    free(text);
    free(again);
}

Test(shards, a_folder_of_something_else_is_not_written_to) {
    tanda_error error = {0};
    write_well();
    cr_expect_eq(write_shards(&error), TANDA_USAGE);
    cr_expect_not_null(strstr(error.message, "whole data set already"), "%s", error.message);
    cr_assert_eq(unlink(in_folder("meta.json")), 0);
    cr_expect_eq(write_shards(&error), TANDA_USAGE);
    cr_expect_not_null(strstr(error.message, "is not empty"), "%s", error.message);
}

typedef struct lie {
    const char *command; /* in the folder */
    const char *said;    /* in the message */
} lie;

Test(shards, a_folder_that_lies_is_refused_by_the_name_of_the_shard) {
    static const lie lies[] = {
        {"rm shard-00002.npy", "rows/shard-00002.npy: is missing, and meta.json names it"},
        {"rm labels-00004.npy", "rows/labels-00004.npy: is missing"},
        {"truncate -s 20000 shard-00001.npy", "rows/shard-00001.npy: the header declares 2048 x 5 values"},
        {"truncate -s +4 labels-00000.npy", "rows/labels-00000.npy: the header declares"},
        {"cp shard-00004.npy shard-00003.npy",
         "rows/shard-00003.npy: has 1815 rows of 5 values, and meta.json says "
         "2048 of 5"},
        {"cp labels-00001.npy shard-00003.npy", "rows/shard-00003.npy: has 2048 rows of 1 values"},
        {"sed -i 's/\"rows\": 10007/\"rows\": 10008/' meta.json",
         "its shards have 10007 rows together, and it says 10008"},
        {"sed -i 's/shard-00001/..\\/shard/' meta.json", "a shard has no file in the folder"},
        {"sed -i 's/\"version\": 1/\"version\": 2/' meta.json", "version 2 is unknown"},
        {"truncate -s 300 meta.json", "is not valid JSON"},
        {"echo '[]' > meta.json", "is not of a folder of shards"},
        {"echo '{}' > meta.json", "is not of a folder of shards"},
    };
    const tanda_dataset_options little = {.memory = 1};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        char command[400];
        tanda_error error = {0};
        write_well();
        snprintf(command, sizeof command, "cd %s && %s", folder, lies[i].command);
        cr_assert_eq(system(command), 0);
        cr_expect_eq(try_to_load(&little, &error), TANDA_BAD_INPUT, "%s", lies[i].command);
        cr_expect_not_null(strstr(error.message, lies[i].said), "%s: %s", lies[i].command, error.message);
        snprintf(command, sizeof command, "rm -r %s", folder);
        cr_assert_eq(system(command), 0);
    }
}

Test(shards, verifying_finds_a_changed_value_and_a_changed_label) {
    static const char *const names[] = {"shard-00002.npy", "labels-00003.npy"};
    for (size_t i = 0; i < 2; i++) {
        tanda_error error = {0};
        shards_facts facts;
        write_well();
        cr_assert_eq(shards_verify(folder, &facts, &error), TANDA_OK, "%s", error.message);
        FILE *file = fopen(in_folder(names[i]), "r+b");
        fseek(file, 128 + 40, SEEK_SET);
        const int byte = fgetc(file);
        fseek(file, 128 + 40, SEEK_SET);
        fputc(byte == 1 ? 0 : 1, file);
        fclose(file);
        cr_expect_eq(shards_verify(folder, &facts, &error), TANDA_BAD_INPUT);
        cr_expect_not_null(strstr(error.message, names[i]), "%s", error.message);
        char command[200];
        snprintf(command, sizeof command, "rm -r %s", folder);
        cr_assert_eq(system(command), 0);
    }
}

Test(shards, a_shard_that_changes_while_it_is_read_is_refused) {
    const tanda_dataset_options little = {.memory = 1};
    uint64_t made = 0;
    tanda_error error = {0};
    write_well();
    tanda_dataset *dataset = load_expecting(folder, &little, NULL);
    cr_assert_eq(truncate(in_folder("shard-00004.npy"), 1000), 0);
    cr_expect_eq(dataset_fingerprint(dataset, NULL, &made, &error), TANDA_BAD_INPUT);
    cr_expect_not_null(strstr(error.message, "shard-00004.npy: changed while it was in use"), "%s",
                       error.message);
    tanda_dataset_free(dataset);
}

Test(shards, more_shards_than_files_may_be_open_at_once) {
    const tanda_dataset_options little = {.memory = 1};
    const shards_options options = {.shard_rows = 20, .source = SOURCE};
    tanda_error error = {0};
    tanda_dataset *source = make_source(SOURCE);
    snprintf(folder, sizeof folder, "%s/many", test_folder);
    source->rows = source->feed->rows = 6001;
    cr_assert_eq(shards_write(folder, source, &options, &error), TANDA_OK, "%s", error.message);
    tanda_dataset *dataset = load_expecting(folder, &little, NULL);
    cr_expect_eq(fingerprint(source), fingerprint(dataset));
    tanda_dataset_free(source);
    tanda_dataset_free(dataset);
}
