/* Text that is more than --memory goes to a cache of .npy, and gives the bits of the text in memory. */
#include <stdint.h>

#include "background.h"

TestSuite(data_cache, .init = enter_folder, .fini = leave_folder, .timeout = 200);

#define MOST_ARGUMENTS 32
#define MEMORY "200K"

static const char *const colours[] = {"red", "green", "\"x, y\"", "4", "\"two\nlines\"", "violet"};

/* Rows of a number, one that binary32 ruins, a category, a weight, and a label; `rows` of them. */
static void write_table(const char *path, size_t rows) {
    static const char *const labels[] = {"mid", "up", "down"};
    FILE *file = fopen(path, "w");
    uint64_t state = 1;
    cr_assert_not_null(file);
    fputs("a,b,colour,w,label\n", file);
    for (size_t i = 0; i < rows; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const unsigned random = (unsigned)(state >> 33);
        fprintf(file, "%s%u.%03u,%u.%04u,%s,%u.5,%s\n", random % 3 == 0 ? "-" : "", random % 7, random % 997,
                1000000, random % 99, colours[random % (i < rows / 2 ? 3 : 6)], random % 4,
                labels[random % 3]);
    }
    cr_assert_eq(fclose(file), 0);
}

/* Numbers alone; every class is there from the first rows on, or only in the last ones. */
static void write_numbers(const char *path, size_t rows, const char *last) {
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    for (size_t i = 0; i < rows; i++)
        fprintf(file, "%zu.25,-%zu,%zu.5,%s\n", i * 7 % 31, i * 5 % 17, i * 11 % 13,
                i + 3 > rows ? last
                : i % 2 == 0 ? "7"
                             : "-3");
    cr_assert_eq(fclose(file), 0);
}

static outcome train(const char *const *options, const char *model, bool cached) {
    const char *arguments[MOST_ARGUMENTS] = {TANDA_PROGRAM, "train"};
    size_t count = 2;
    for (; *options != NULL; options++)
        arguments[count++] = *options;
    const char *const rest[] = {"--hidden", "4",        "--epochs",     "2",        "--shuffle",
                                "none",     "--device", "cpu",          "--output", model,
                                "--memory", MEMORY,     "--data-cache", "cache"};
    for (size_t i = 0; i < (cached ? 14 : 10); i++)
        arguments[count++] = rest[i];
    cr_assert_lt(count, MOST_ARGUMENTS);
    return run_to(-1, arguments);
}

static void check_files(const char *one, const char *other, const char *what) {
    struct stat a, b;
    cr_assert_eq(stat(one, &a), 0);
    cr_assert_eq(stat(other, &b), 0);
    cr_assert_eq(a.st_size, b.st_size, "%s", what);
    cr_assert_eq(memcmp(file_text(one), file_text(other), (size_t)a.st_size), 0, "%s", what);
}

/* The whole model file is the same: weights, scaling, names, categories, classes; when the cache is made, and after. */
static void check_same(const char *const *options) {
    const outcome whole = train(options, "whole.safetensors", false);
    cr_assert_eq(whole.status, 0, "%s", whole.err);
    for (int i = 0; i < 2; i++) {
        const outcome cached = train(options, "cached.safetensors", true);
        cr_assert_eq(cached.status, 0, "%s", cached.err);
        check_files("whole.safetensors", "cached.safetensors", options[0]);
    }
}
#define SAME(...) check_same((const char *const[]){__VA_ARGS__, NULL})

static size_t count_entries(const char *folder) {
    DIR *directory = opendir(folder);
    size_t count = 0;
    for (const struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    if (directory != NULL) closedir(directory);
    return count;
}

/* The only entry of the cache, and what begins so in it. */
static void find_in_entry(const char *begin, char *path) {
    char entry[300] = "";
    DIR *directory = opendir("cache");
    cr_assert_not_null(directory);
    for (const struct dirent *found; (found = readdir(directory)) != NULL;)
        if (found->d_name[0] != '.') snprintf(entry, sizeof entry, "cache/%s", found->d_name);
    closedir(directory);
    strcpy(path, entry);
    directory = opendir(entry);
    for (const struct dirent *found; directory != NULL && (found = readdir(directory)) != NULL;)
        if (strncmp(found->d_name, begin, strlen(begin)) == 0) sprintf(path, "%s/%s", entry, found->d_name);
    if (directory != NULL) closedir(directory);
}

Test(data_cache, classes_and_quantities_are_as_in_memory) {
    write_numbers("n.csv", 40000, "7");
    SAME("n.csv", "--validation", "0.2");
    SAME("n.csv", "--task", "regression", "--scale", "none");
    SAME("n.csv", "--target", "0,2");
    write_numbers("late.csv", 40000, "never");
    SAME("late.csv", "--task", "classes");
    write_numbers("fraction.csv", 40000, "0.5");
    SAME("fraction.csv");
}

Test(data_cache, text_weights_categories_and_origins_are_as_in_memory) {
    write_table("t.csv", 20000);
    SAME("t.csv", "--categorical", "auto", "--sample-weight", "w", "--validation", "0.2",
         "--unknown-category", "zero");
    SAME("t.csv", "--categorical", "colour", "--ignore", "w", "--validation", "t.csv");
    cr_assert_eq(system("sed -e 's/^-1[.]/./' -e 's/,down$/,/' -e '1,2!s/^2[.].*,red/,9,red/' t.csv > m.csv"),
                 0);
    SAME("m.csv", "--categorical", "auto", "--missing", "mean", "--drop-missing-targets", "--class-weight",
         "balanced");
}

Test(data_cache, packed_and_libsvm_text_are_as_in_memory) {
    write_table("t.csv", 20000);
    cr_assert_eq(system("gzip t.csv"), 0);
    SAME("t.csv.gz", "--categorical", "auto", "--sample-weight", "w");
    FILE *file = fopen("l.svm", "w");
    cr_assert_not_null(file);
    for (size_t i = 0; i < 20000; i++)
        fprintf(file, "%d %zu:%zu.5 %zu:-1\n", i % 3 == 0 ? 1 : -1, 1 + i % 3, i * 7 % 11, 5 + i % 4);
    cr_assert_eq(fclose(file), 0);
    SAME("l.svm");
}

Test(data_cache, several_files_are_as_in_memory) {
    write_table("t.csv", 20000);
    cr_assert_eq(mkdir("parts", 0700), 0);
    cr_assert_eq(
        system("head -n 9000 t.csv > parts/a.csv; sed 's/violet/4.0/' t.csv | gzip > parts/b.csv.gz; "
               "sed -e 's/,down$/,never/' t.csv > parts/c.csv"),
        0);
    SAME("parts", "--categorical", "auto", "--sample-weight", "w", "--validation", "0.2",
         "--unknown-category", "zero");
    SAME("--data", "t.csv", "--data", "parts/c.csv", "--categorical", "colour", "--ignore", "w,b");
    write_numbers("n.csv", 40000, "7");
    write_numbers("word.csv", 40000, "word");
    SAME("--data", "n.csv", "--data", "word.csv", "--task", "classes");
    const outcome refused = RUN("train", "parts", "--memory", MEMORY, "--device", "cpu");
    cr_assert_eq(refused.status, 3, "%s", refused.err);
    cr_assert_not_null(strstr(refused.err, "--data-cache DIR"), "%s", refused.err);
}

Test(data_cache, a_model_reads_through_it) {
    write_table("t.csv", 20000);
    SAME("t.csv", "--categorical", "colour", "--ignore", "w");
    json_t *whole = RUN_JSON("evaluate", "whole.safetensors", "t.csv", "--device", "cpu");
    json_t *cached = RUN_JSON("evaluate", "whole.safetensors", "t.csv", "--device", "cpu", "--memory", MEMORY,
                              "--data-cache", "cache");
    cr_assert(json_equal(json_object_get(whole, "loss"), json_object_get(cached, "loss")));
    cr_assert(json_equal(json_object_get(whole, "accuracy"), json_object_get(cached, "accuracy")));
    json_decref(whole);
    json_decref(cached);
    cr_assert_eq(RUN("predict", "whole.safetensors", "t.csv", "--device", "cpu", "--output", "a.npy").status,
                 0);
    cr_assert_eq(RUN("predict", "whole.safetensors", "t.csv", "--device", "cpu", "--output", "b.npy",
                     "--memory", MEMORY, "--data-cache", "cache")
                     .status,
                 0);
    check_files("a.npy", "b.npy", "predictions");
}

Test(data_cache, an_entry_is_a_folder_of_shards_with_weights) {
    char entry[600];
    write_table("t.csv", 20000);
    SAME("t.csv", "--categorical", "auto", "--sample-weight", "w");
    find_in_entry("meta.json", entry);
    *strrchr(entry, '/') = '\0';
    const outcome inspected = RUN("inspect", entry);
    cr_assert_eq(inspected.status, 0, "%s", inspected.err);
    cr_assert_not_null(strstr(inspected.out, "Whole:"), "%s", inspected.out);
    const outcome trained = train((const char *const[]){entry, NULL}, "folder.safetensors", false);
    cr_assert_eq(trained.status, 0, "%s", trained.err);
    json_t *a = RUN_JSON("inspect", "folder.safetensors"), *b = RUN_JSON("inspect", "whole.safetensors");
    cr_assert_str_eq(json_words(a, "weights_sha256"), json_words(b, "weights_sha256"));
    json_decref(a);
    json_decref(b);
}

Test(data_cache, without_it_text_over_memory_is_refused_by_its_name) {
    write_numbers("n.csv", 40000, "7");
    cr_assert_eq(system("gzip -k n.csv"), 0);
    for (int i = 0; i < 2; i++) {
        const outcome refused =
            RUN("train", i == 0 ? "n.csv" : "n.csv.gz", "--memory", MEMORY, "--device", "cpu");
        cr_assert_eq(refused.status, 3, "%s", refused.err);
        cr_assert_not_null(strstr(refused.err, "--data-cache DIR"), "%s", refused.err);
        cr_assert_eq(count_lines(refused.err), 1);
    }
}

Test(data_cache, one_that_is_stale_is_named_and_made_anew) {
    write_numbers("n.csv", 40000, "7");
    SAME("n.csv");
    cr_assert_eq(count_entries("cache"), 1);
    write_numbers("n.csv", 40001, "7");
    const outcome anew = train((const char *const[]){"n.csv", NULL}, "anew.safetensors", true);
    cr_assert_eq(anew.status, 0);
    cr_assert_not_null(strstr(anew.err, "n.csv has changed since; it is made anew"), "%s", anew.err);
    SAME("n.csv");
    cr_assert_eq(count_entries("cache"), 1);
    char entry[600];
    find_in_entry("meta.json", entry);
    *strrchr(entry, '/') = '\0';
    cr_assert_eq(count_entries(entry), 3, "features, labels, meta.json");
}

Test(data_cache, another_way_of_reading_is_another_entry) {
    write_numbers("n.csv", 40000, "7");
    SAME("n.csv");
    SAME("n.csv", "--ignore", "1");
    SAME("n.csv", "--target", "1");
    cr_assert_eq(count_entries("cache"), 3);
}

Test(data_cache, errors_have_their_place_and_leave_nothing) {
    static const char *const options[] = {"bad.csv", NULL};
    write_numbers("n.csv", 40000, "7");
    static const char *const edits[] = {"39000s/^/x/", "39000s/$/,1/", "30000s/,[^,]*$/,/"};
    for (size_t i = 0; i < 3; i++) {
        char line[200];
        snprintf(line, sizeof line, "sed '%s' n.csv > bad.csv", edits[i]);
        cr_assert_eq(system(line), 0);
        const outcome whole = train(options, "a.safetensors", false);
        const outcome cached = train(options, "b.safetensors", true);
        cr_assert_eq(whole.status, 3);
        cr_assert_eq(cached.status, 3);
        cr_assert_str_eq(whole.err, cached.err);
        cr_assert_eq(count_entries("cache"), 0);
    }
}

Test(data_cache, a_quote_that_is_never_closed_is_told_soon) {
    write_numbers("n.csv", 400000, "7");
    cr_assert_eq(system("sed '1000s/^/\"/' n.csv > bad.csv"), 0);
    const outcome cached = train((const char *const[]){"bad.csv", NULL}, "b.safetensors", true);
    cr_assert_eq(cached.status, 3);
    cr_assert_not_null(strstr(cached.err, "bad.csv:1000: the row that begins here is longer than"), "%s",
                       cached.err);
    cr_assert_eq(count_entries("cache"), 0);
}

static const char *const background[] = {TANDA_PROGRAM, "train",        "big.csv",  "--epochs", "1",
                                         "--shuffle",   "none",         "--device", "cpu",      "--memory",
                                         MEMORY,        "--data-cache", "cache",    "--quiet",  NULL};

static void wait_for_begin(char *path) {
    const double begun = seconds_now();
    do {
        cr_assert_lt(seconds_now() - begun, 60.0, "nothing was begun: %s", file_text("err.txt"));
        pause_for(0.001);
        if (count_entries("cache") > 0) find_in_entry("shard-", path);
    } while (count_entries("cache") == 0 || strstr(path, "unfinished") == NULL);
}

Test(data_cache, text_that_changes_while_it_is_read_is_refused) {
    char path[600] = "";
    write_numbers("big.csv", 1000000, "7");
    const pid_t child = start(background);
    wait_for_begin(path);
    FILE *file = fopen("big.csv", "a");
    cr_assert_not_null(file);
    fputs("1,2,3,7\n", file);
    cr_assert_eq(fclose(file), 0);
    cr_assert_eq(wait_for(child), 3);
    cr_assert_not_null(strstr(file_text("err.txt"), "big.csv"), "%s", file_text("err.txt"));
    cr_assert_eq(count_entries("cache"), 0);
}

Test(data_cache, one_that_was_interrupted_is_made_anew) {
    char path[600] = "";
    write_numbers("big.csv", 1000000, "7");
    pid_t child = start(background);
    wait_for_begin(path);
    cr_assert_eq(kill(child, SIGTERM), 0);
    cr_assert_eq(wait_for(child), 128 + SIGTERM);
    cr_assert_eq(count_entries("cache"), 0, "a signal leaves nothing");
    child = start(background);
    wait_for_begin(path);
    cr_assert_eq(kill(child, SIGKILL), 0);
    cr_assert_eq(wait_for(child), 128 + SIGKILL);
    cr_assert_eq(access(path, F_OK), 0);
    const pid_t first = start(background), second = start(background); /* two at once */
    cr_assert_eq(wait_for(first), 0, "%s", file_text("err.txt"));
    cr_assert_eq(wait_for(second), 0, "%s", file_text("err.txt"));
    cr_assert_neq(access(path, F_OK), 0, "what a dead process left goes");
    json_t *whole = RUN_JSON("train", "big.csv", "--epochs", "1", "--shuffle", "none", "--device", "cpu");
    json_t *cached = RUN_JSON("train", "big.csv", "--epochs", "1", "--shuffle", "none", "--device", "cpu",
                              "--memory", MEMORY, "--data-cache", "cache");
    cr_assert_str_eq(json_words(whole, "weights_sha256"), json_words(cached, "weights_sha256"));
    json_decref(whole);
    json_decref(cached);
}

/* ---- disks that are full ----------------------------------------------------------------------------------- */

/* In a mount of its own, where that is allowed. */
static bool can_mount(void) {
    if (system("unshare -rm sh -c 'mkdir -p probe && mount -t tmpfs none probe' 2>/dev/null") == 0)
        return true;
    fprintf(stderr, "SKIPPED: no mounts in a user namespace here\n");
    return false;
}

/* A command of tanda that writes to the folder `disk`, which is full soon; what is left there goes to left.txt. */
static void check_full(const char *command, size_t lines) {
    char line[1000];
    snprintf(
        line, sizeof line,
        "unshare -rm sh -c 'mkdir -p disk && mount -t tmpfs -o size=64k none disk && { %s %s > out.txt 2> "
        "err.txt; code=$?; find disk -mindepth 1 > left.txt; exit $code; }'",
        TANDA_PROGRAM, command);
    const int status = system(line);
    const char *told = file_text("err.txt");
    cr_assert_eq(WEXITSTATUS(status), 1, "%s: exit %d: %s", command, WEXITSTATUS(status), told);
    cr_assert_eq(count_lines(told), lines, "%s: %s", command, told);
    cr_assert_not_null(strstr(told, "No space left on device"), "%s: %s", command, told);
    const char *left = file_text("left.txt");
    cr_assert_null(strstr(left, "unfinished-"), "%s: %s", command, left);
    if (strstr(command, "--data-cache") != NULL) cr_assert_str_eq(left, "disk/c\n");
}

Test(data_cache, a_full_disk_is_told_and_nothing_half_is_left) {
    if (!can_mount()) return;
    write_numbers("n.csv", 40000, "7");
    check_full("train n.csv --epochs 1 --shuffle none --device cpu --quiet --memory " MEMORY
               " --data-cache disk/c",
               1);
    check_full("shuffle n.csv disk/n.csv", 1);
    check_full("generate blobs --rows 20000 --shards 1 --output disk/g", 1);
    check_full("train " DIGITS
               " --hidden 200 --epochs 1 --device cpu --quiet --checkpoint disk/c.safetensors",
               2); /* the training went on */
}
