/* What is written goes where its name leads, takes no other file's place by mistake, and leaves nothing half done. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "program.h"
#include "support/file_writer.h"

TestSuite(outputs, .init = enter_folder, .fini = leave_folder, .timeout = 120);

#define QUICK "train", "--data", IRIS, "--epochs", "1", "--device", "cpu", "--threads", "1", "--quiet"

static tanda_status put(const char *path, const char *text, tanda_error *error) {
    const file_part parts[] = {{text, strlen(text)}};
    return file_write_atomically(path, parts, 1, error);
}

static void expect_written(const char *path, const char *text) {
    tanda_error error = {0};
    cr_assert_eq(put(path, text, &error), TANDA_OK, "%s", error.message);
}

static void expect_refused(const char *path, const char *reason) {
    tanda_error error = {0};
    char whole[6000];
    snprintf(whole, sizeof whole, "%s: cannot be written: %s", path, reason);
    cr_expect_eq(file_writer_check(path, NULL), TANDA_FAILED, "%s", path);
    cr_expect_eq(put(path, "new", &error), TANDA_FAILED, "%s", path);
    if (strlen(path) < 200) cr_expect_str_eq(error.message, whole);
}

static struct stat look_at(const char *path) {
    struct stat found = {0};
    cr_assert_eq(lstat(path, &found), 0, "%s: %s", path, strerror(errno));
    return found;
}

/* Entries of a folder whose names have `part` in them. */
static size_t count_entries(const char *folder, const char *part) {
    size_t count = 0;
    DIR *directory = opendir(folder);
    cr_assert_not_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += strstr(entry->d_name, part) != NULL;
    closedir(directory);
    return count;
}

/* A device in the test's own folder. */
static bool make_device(const char *path, unsigned number) {
    if (mknod(path, S_IFCHR | 0666, makedev(1, number)) == 0) {
        const int probe = open(path, O_WRONLY | O_CLOEXEC);
        if (probe >= 0) return close(probe) == 0;
    }
    fprintf(stderr, "SKIPPED: no device nodes can be made and used here: %s\n", strerror(errno));
    return false;
}

/* ---- the writer ---------------------------------------------------------------------------------------- */

Test(outputs, new_file_has_the_mode_of_the_umask) {
    umask(027);
    expect_written("new", "text");
    cr_expect_eq(look_at("new").st_mode & 07777, 0640);
    cr_expect_str_eq(file_text("new"), "text");
}

Test(outputs, existing_file_keeps_mode_and_owner) {
    write_text("old", "old");
    cr_assert_eq(chmod("old", 0620), 0);
    if (geteuid() == 0) cr_assert_eq(chown("old", 1234, 4321), 0);
    const struct stat before = look_at("old");
    expect_written("old", "new");
    const struct stat after = look_at("old");
    cr_expect_str_eq(file_text("old"), "new");
    cr_expect_eq(after.st_mode, before.st_mode);
    cr_expect_eq(after.st_uid, before.st_uid);
    cr_expect_eq(after.st_gid, before.st_gid);
    cr_expect_neq(after.st_ino, before.st_ino, "it was written in place");
}

Test(outputs, symbolic_links_are_followed_and_stay) {
    cr_assert_eq(mkdir("d", 0777), 0);
    write_text("d/file", "old");
    cr_assert_eq(symlink("file", "d/near"), 0);
    cr_assert_eq(symlink("d/near", "far"), 0);
    cr_assert_eq(symlink("d/../d/made", "dangling"), 0);
    expect_written("far", "new");
    expect_written("dangling", "newer");
    cr_expect(S_ISLNK(look_at("far").st_mode) && S_ISLNK(look_at("d/near").st_mode));
    cr_expect(S_ISLNK(look_at("dangling").st_mode));
    cr_expect_str_eq(file_text("d/file"), "new");
    cr_expect_str_eq(file_text("d/made"), "newer");
    cr_assert_eq(symlink("loop", "loop"), 0);
    expect_refused("loop", "Too many levels of symbolic links");
}

Test(outputs, other_hard_links_keep_the_old_content) {
    write_text("old", "old");
    cr_assert_eq(link("old", "other"), 0);
    expect_written("old", "new");
    cr_expect_str_eq(file_text("old"), "new");
    cr_expect_str_eq(file_text("other"), "old");
}

Test(outputs, device_is_written_to_as_it_is) {
    if (!make_device("null", 3) || !make_device("full", 7)) return;
    expect_written("null", "text");
    cr_expect_eq(file_writer_check("full", NULL), TANDA_OK);
    tanda_error error = {0};
    cr_expect_eq(put("full", "text", &error), TANDA_FAILED);
    cr_expect_str_eq(error.message, "full: cannot be written: No space left on device");
    cr_expect(S_ISCHR(look_at("null").st_mode) && S_ISCHR(look_at("full").st_mode));
}

Test(outputs, pipe_and_socket_get_the_bytes) {
    char text[16] = "";
    cr_assert_eq(mkfifo("pipe", 0666), 0);
    const int reader = open("pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    expect_written("pipe", "by pipe");
    cr_expect_eq(read(reader, text, sizeof text), 7);
    cr_expect_str_eq(text, "by pipe");
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    const int server = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(server, (const struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(server, 1), 0);
    expect_written("socket", "by socket");
    const int connection = accept(server, NULL, NULL);
    cr_expect_eq(read(connection, text, sizeof text), 9);
    cr_expect_eq(strncmp(text, "by socket", 9), 0);
    cr_expect(S_ISFIFO(look_at("pipe").st_mode) && S_ISSOCK(look_at("socket").st_mode));
}

Test(outputs, pipe_without_a_reader_is_waited_for_and_then_told) {
    cr_assert_eq(mkfifo("pipe", 0666), 0);
    cr_assert_eq(system("(sleep 0.3; cat pipe > got) &"), 0);
    expect_written("pipe", "late");
    tanda_error error = {0};
    usleep(200000);
    cr_expect_str_eq(file_text("got"), "late");
    cr_expect_eq(file_writer_check("pipe", NULL), TANDA_OK, "whether somebody will read is not known yet");
    cr_expect_eq(put("pipe", "text", &error), TANDA_FAILED);
    cr_expect_str_eq(error.message,
                     "pipe: cannot be written: it is a pipe that nobody opened for reading within 5 s");
}

Test(outputs, own_descriptor_is_written_to_where_it_stands) {
    char path[32];
    const int file = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    cr_assert_eq(write(file, "before ", 7), 7);
    snprintf(path, sizeof path, "/dev/fd/%d", file);
    const struct stat before = look_at("file");
    expect_written(path, "after");
    cr_expect_str_eq(file_text("file"), "before after");
    cr_expect_eq(look_at("file").st_ino, before.st_ino);
    close(file);
    cr_expect_eq(put(path, "text", NULL), TANDA_FAILED);
}

Test(outputs, what_cannot_be_written_is_refused_before_and_stays_as_it_was) {
    char length[400], path[5000];
    write_text("old", "old");
    cr_assert_eq(chmod("old", 0444), 0);
    expect_refused("old", "its mode is 0444, its owner may not write it; chmod u+w allows it");
    cr_assert_eq(symlink("old", "link"), 0);
    expect_refused("link", "its mode is 0444, its owner may not write it; chmod u+w allows it");
    cr_expect_str_eq(file_text("old"), "old");
    cr_assert_eq(mkdir("folder", 0777), 0);
    expect_refused("folder", "it is a folder; name a file");
    expect_refused("new/", "Is a directory");
    expect_refused("old/new", "Not a directory");
    expect_refused("no/where", "No such file or directory");
    expect_refused("", "No such file or directory");
    memset(length, 'a', sizeof length);
    length[NAME_MAX - 17] = '\0'; /* a good name, but not that of its temporary file */
    expect_refused(length, "File name too long");
    length[NAME_MAX - 18] = '\0';
    cr_expect_eq(file_writer_check(length, NULL), TANDA_OK);
    memset(path, '/', sizeof path);
    path[PATH_MAX] = '\0';
    expect_refused(path, "File name too long");
    cr_expect_eq(count_entries(".", "unfinished"), 0);
}

Test(outputs, failed_write_leaves_the_old_file_and_no_other) {
    const struct rlimit limit = {.rlim_cur = 8, .rlim_max = RLIM_INFINITY};
    write_text("old", "old");
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_eq(put("old", "more than eight", NULL), TANDA_FAILED);
    cr_expect_eq(put("new", "more than eight", NULL), TANDA_FAILED);
    cr_expect_str_eq(file_text("old"), "old");
    cr_expect_neq(access("new", F_OK), 0);
    cr_expect_eq(count_entries(".", "unfinished"), 0);
}

/* ---- temporary files ----------------------------------------------------------------------------------- */

Test(outputs, temporary_files_of_the_dead_are_removed_and_no_others) {
    static const char *const others[] = {"x.unfinished-abcde",   "x.unfinished-abc.ef",
                                         "x.unfinished-abcdefg", "xx.unfinished-abcdef",
                                         ".unfinished-abcdef",   "x-unfinished-abcdef"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        write_text(others[i], "");
    write_text("x.unfinished-abcdef", "dead");
    write_text("x.unfinished-A1b2c3", "dead");
    write_text("x.unfinished-living", "");
    const int held = open("x.unfinished-living", O_WRONLY | O_CLOEXEC);
    cr_assert_eq(flock(held, LOCK_EX), 0);
    cr_assert_eq(mkdir("x.unfinished-folder", 0777), 0);
    cr_assert_eq(symlink("xx.unfinished-abcdef", "x.unfinished-linked"), 0);
    expect_written("./x", "text");
    cr_expect_neq(access("x.unfinished-abcdef", F_OK), 0);
    cr_expect_neq(access("x.unfinished-A1b2c3", F_OK), 0);
    look_at("x.unfinished-living");
    look_at("x.unfinished-folder");
    look_at("x.unfinished-linked");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        look_at(others[i]);
}

Test(outputs, two_writers_of_one_file_leave_each_other_alone) {
    file_writer first, second;
    cr_assert_eq(file_writer_begin("x", &first, NULL), TANDA_OK);
    cr_assert_eq(file_writer_begin("x", &second, NULL), TANDA_OK);
    cr_assert_eq(file_writer_add(&first, "first", 5, NULL), TANDA_OK);
    cr_assert_eq(file_writer_finish(&first, NULL), TANDA_OK);
    cr_expect_str_eq(file_text("x"), "first");
    cr_assert_eq(file_writer_add(&second, "second", 6, NULL), TANDA_OK);
    cr_assert_eq(file_writer_finish(&second, NULL), TANDA_OK);
    cr_expect_str_eq(file_text("x"), "second");
    cr_expect_eq(count_entries(".", "unfinished"), 0);
}

Test(outputs, last_act_removes_all_that_is_open) {
    static file_writer writers[3];
    static const char *const names[] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(file_writer_begin(names[i], &writers[i], NULL), TANDA_OK);
    cr_assert_eq(file_writer_finish(&writers[1], NULL), TANDA_OK);
    cr_expect_eq(count_entries(".", "unfinished"), 2);
    unfinished_remove_all();
    cr_expect_eq(count_entries(".", "unfinished"), 0);
    look_at("b");
}

#define ENDLESS "generate", "classification", "--rows", "100000000", "--features", "20", "--output", "x.npy"

/* Starts a long generation, and waits until it is writing. */
static pid_t start_writing(void) {
    const char *const arguments[] = {TANDA_PROGRAM, ENDLESS, NULL};
    pid_t child;
    cr_assert_eq(posix_spawn(&child, TANDA_PROGRAM, NULL, NULL, (char *const *)arguments, environ), 0);
    while (count_entries(".", "unfinished") == 0)
        usleep(1000);
    return child;
}

Test(outputs, signal_removes_what_is_unfinished_and_ends_the_program) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        int status = 0;
        const pid_t child = start_writing();
        cr_assert_eq(kill(child, signals[i]), 0);
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == signals[i], "%d: %d", signals[i], status);
        cr_expect_eq(count_entries(".", "x.npy"), 0, "after signal %d", signals[i]);
    }
}

Test(outputs, next_run_removes_what_a_killed_one_left) {
    const pid_t child = start_writing();
    cr_assert_eq(kill(child, SIGKILL), 0);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    cr_expect_eq(count_entries(".", "unfinished"), 1);
    cr_expect_eq(RUN("generate", "moons", "--rows", "9", "--output", "x.npy").status, 0);
    cr_expect_eq(count_entries(".", "unfinished"), 0);
}

/* ---- what a command names ------------------------------------------------------------------------------ */

/* Names for one file: itself, through a folder, a symbolic and a hard link, the latter only of what is there. */
static const char *alias_of(const char *path, size_t kind) {
    static char name[64];
    snprintf(name, sizeof name, kind == 1 ? "./d/../%s" : "%s", path);
    if (kind < 2) return name;
    snprintf(name, sizeof name, "alias.safetensors");
    unlink(name);
    cr_assert_eq(kind == 2 ? symlink(path, name) : link(path, name), 0);
    return name;
}

static void make_inputs(void) {
    cr_assert_eq(mkdir("d", 0777), 0);
    cr_assert_eq(RUN("generate", "moons", "--rows", "64", "--test-rows", "16", "--output", "x.npy",
                     "--labels", "l.npy")
                     .status,
                 0);
    cr_assert_eq(
        RUN("train", "--data", "x.npy", "--labels", "l.npy", "--epochs", "1", "--output", "m.st").status, 0);
    write_text("cf.json", "{\"quiet\": true}");
}

#define ALL_INPUTS \
    "--data", "x.npy", "--labels", "l.npy", "--validation", "x-test.npy", "--validation-labels", "l-test.npy"

Test(outputs, output_that_is_an_input_is_refused_and_nothing_is_lost) {
    static const char *const outputs[] = {"--output", "--checkpoint", "--log", "--csv-log"};
    static const char *const inputs[][2] = {{"--data", "x.npy"},
                                            {"--labels", "l.npy"},
                                            {"--validation", "x-test.npy"},
                                            {"--validation-labels", "l-test.npy"},
                                            {"--config", "cf.json"},
                                            {"--init", "m.st"}};
    make_inputs();
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 6; j++)
            for (size_t kind = 0; kind < 4; kind++) {
                if (j >= 4 && i < 2) continue; /* read whole before */
                char told[200];
                const struct stat before = look_at(inputs[j][1]);
                const char *alias = alias_of(inputs[j][1], kind);
                const outcome run = RUN("train", ALL_INPUTS, "--config", "cf.json", "--init", "m.st",
                                        "--epochs", "1", outputs[i], alias);
                const struct stat after = look_at(inputs[j][1]);
                snprintf(told, sizeof told,
                         "tanda: %s %s: %s %s reads it, and it would be lost; name another file\n",
                         outputs[i], alias, inputs[j][0], inputs[j][1]);
                cr_expect_eq(run.status, 2, "%s %s: %d, %s", outputs[i], alias, run.status, run.err);
                cr_expect_str_eq(run.err, told);
                cr_expect(after.st_ino == before.st_ino && after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
            }
}

Test(outputs, files_behind_the_other_ways_to_name_data_are_not_lost) {
    static const char *const lines[][2] = {
        {"--data " IRIS " --data part.csv --output part.csv", "--data part.csv"},
        {"--data " IRIS " --data folder --output folder/part.csv", "--data folder"},
        {"--data folder --output folder/new", "--data folder"},
        {"--data folder/ --log folder/new", "--data folder/"},
        {"--data x.npz:x --output x.npz", "--data x.npz"},
        {"--data " IRIS " --validation x.npz:x --csv-log x.npz", "--validation x.npz"},
        {"--data x.npz --labels x.npz:y --output x.npz", "--data x.npz"},
        {"--data - --output part.csv < part.csv", "--data /dev/stdin"},
    };
    cr_assert_eq(system("mkdir folder; cp " IRIS " part.csv; cp part.csv folder; cp part.csv x.npz"), 0);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char line[500], wanted[200];
        snprintf(line, sizeof line, TANDA_PROGRAM " train --device cpu --epochs 1 %s 2> told", lines[i][0]);
        snprintf(wanted, sizeof wanted, "%s reads it, and it would be lost; name another file\n",
                 lines[i][1]);
        cr_expect_eq(WEXITSTATUS(system(line)), 2, "%s", line);
        cr_expect_not_null(strstr(file_text("told"), wanted), "%s: %s", line, file_text("told"));
    }
    cr_expect_eq(system("cmp " IRIS " part.csv && cmp " IRIS " folder/part.csv && cmp " IRIS " x.npz"), 0);
}

Test(outputs, two_outputs_on_one_file_are_refused) {
    static const char *const flags[] = {"--output", "--checkpoint", "--log", "--csv-log"};
    cr_assert_eq(mkdir("d", 0777), 0);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < i; j++)
            for (size_t kind = 0; kind < 4; kind++) {
                unlink("o.safetensors");
                if (kind == 3) write_text("o.safetensors", "there already");
                const char *alias = alias_of("o.safetensors", kind);
                const outcome run = RUN(QUICK, flags[j], "o.safetensors", flags[i], alias);
                cr_expect_eq(run.status, 2, "%s %s %s: %d", flags[j], flags[i], alias, run.status);
                cr_expect_not_null(strstr(run.err, flags[i]), "%s", run.err);
                cr_expect_not_null(strstr(run.err, flags[j]), "%s", run.err);
                cr_expect_not_null(strstr(run.err, "writes it too"), "%s", run.err);
                cr_expect_eq(access("o.safetensors", F_OK) == 0, kind == 3);
            }
}

Test(outputs, cross_validation_and_record_are_checked_alike) {
    make_inputs();
    const struct stat before = look_at("x.npy");
    cr_expect_eq(
        RUN("train", "--data", "x.npy", "--labels", "l.npy", "--folds", "2", "--output", "x.npy").status, 2);
    cr_expect_eq(
        RUN("record", "--data", "x.npy", "--labels", "l.npy", "--epochs", "1", "--output", "l.npy").status,
        2);
    cr_expect_eq(look_at("x.npy").st_ino, before.st_ino);
}

Test(outputs, two_outputs_on_one_device_are_well) {
    if (!make_device("null", 3)) return;
    cr_expect_eq(RUN(QUICK, "--output", "null", "--log", "null", "--csv-log", "null").status, 0);
    cr_expect_eq(RUN("generate", "moons", "--rows", "9", "--output", "null", "--labels", "null").status, 0);
    cr_expect_eq(RUN("record", "--data", IRIS, "--epochs", "1", "--quiet", "--output", "null").status, 0);
    cr_expect(S_ISCHR(look_at("null").st_mode));
}

/* It would wait for itself. */
Test(outputs, pipe_that_is_read_and_written_is_refused) {
    cr_assert_eq(mkfifo("pipe", 0666), 0);
    const outcome run = run_to(-1, (const char *const[]){TANDA_PROGRAM, "train", "--data", "pipe",
                                                         "--csv-log", "pipe", "--device", "cpu", NULL});
    cr_expect_eq(run.status, 2);
    cr_expect_str_eq(
        run.err, "tanda: --csv-log pipe: --data pipe reads it, and it would be lost; name another file\n");
}

Test(outputs, what_is_read_whole_before_may_be_replaced) {
    cr_assert_eq(RUN(QUICK, "--output", "m.safetensors").status, 0);
    cr_expect_eq(RUN(QUICK, "--init", "m.safetensors", "--output", "m.safetensors").status, 0);
    cr_expect_eq(
        RUN("train", "--config", "m.safetensors", "--epochs", "2", "--quiet", "--output", "m.safetensors")
            .status,
        0);
    cr_expect_eq(RUN(QUICK, "--checkpoint", "c.safetensors").status, 0);
    cr_expect_eq(RUN("train", "--resume", "c.safetensors", "--epochs", "2", "--quiet").status, 0);
    const outcome both =
        RUN("train", "--resume", "c.safetensors", "--epochs", "3", "--output", "c.safetensors");
    cr_expect_eq(both.status, 2, "it would be checkpoint and model: %s", both.err);
}

Test(outputs, names_that_a_folder_of_checkpoints_takes_are_refused) {
    static const char *const names[] = {"kept/best.safetensors", "./kept/step-000000000005.safetensors",
                                        "kept/step-000000000005.safetensors.unfinished-abcdef",
                                        "outside.csv"};
    cr_assert_eq(RUN(QUICK, "--checkpoint", "kept").status, 0);
    write_text("outside.csv", "");
    unlink("kept/best.safetensors");
    cr_assert_eq(symlink("../outside.csv", "kept/best.safetensors"), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const outcome run = RUN("train", "--resume", "kept", "--epochs", "2", "--output", names[i]);
        cr_expect_eq(run.status, 2, "%s: %d, %s", names[i], run.status, run.err);
    }
    cr_expect_eq(RUN("train", "--resume", "kept", "--epochs", "2", "--quiet", "--output", "kept/m.st").status,
                 0);
}

Test(outputs, input_that_looks_like_a_left_temporary_file_is_not_removed) {
    cr_assert_eq(RUN(QUICK, "--output", "m.st.unfinished-abcdef").status, 0);
    cr_expect_eq(RUN(QUICK, "--init", "m.st.unfinished-abcdef", "--output", "m.st").status, 2);
    look_at("m.st.unfinished-abcdef");
}

/* ---- told at the start, and at the end ----------------------------------------------------------------- */

Test(outputs, what_would_fail_at_the_end_is_told_at_the_start) {
    static const char *const flags[] = {"--output", "--checkpoint", "--log", "--csv-log"};
    char name[NAME_MAX];
    memset(name, 'a', sizeof name);
    strcpy(name + NAME_MAX - 20, ".safetensors");
    write_text("read_only.safetensors", "");
    cr_assert_eq(chmod("read_only.safetensors", 0444), 0);
    cr_assert_eq(mkdir("folder.safetensors", 0777), 0);
    const struct {
        int status;
        const char *path;
    } cases[] = {{2, ""},
                 {1, name},
                 {1, "folder.safetensors"},
                 {1, "read_only.safetensors"},
                 {1, "no/where.safetensors"}};
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < sizeof cases / sizeof *cases; j++) {
            if (i >= 2 && cases[j].path == name) continue; /* needs no temporary file */
            char start[32];
            snprintf(start, sizeof start, "tanda: %s", flags[i]);
            const outcome run = RUN("train", "--data", IRIS, "--device", "cpu", flags[i], cases[j].path);
            cr_expect_eq(run.status, cases[j].status, "%s '%s': %d", flags[i], cases[j].path, run.status);
            cr_expect_eq(strncmp(run.err, start, strlen(start)), 0, "%s", run.err);
            cr_expect_eq(count_lines(run.err), 1, "%s", run.err);
        }
}

Test(outputs, model_that_cannot_be_written_leaves_its_results_on_standard_output) {
    const struct rlimit limit = {.rlim_cur = 900, .rlim_max = RLIM_INFINITY};
    const outcome good = RUN(QUICK);
    char *hash = strstr(good.out, "weights_sha256: ");
    cr_assert_not_null(hash);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const outcome text = RUN(QUICK, "--output", "m.st");
    cr_expect_eq(text.status, 1);
    cr_expect_str_eq(text.err, "tanda: m.st: cannot be written: File too large\n");
    cr_expect_not_null(strstr(text.out, hash), "%s", text.out);
    cr_expect_null(strstr(text.out, "model:"), "%s", text.out);
    int ends[2];
    cr_assert_eq(pipe(ends), 0); /* a pipe has no limit */
    cr_expect_eq(RUN_TO(ends[1], QUICK, "--output", "m.st", "--json").status, 1);
    close(ends[1]);
    char line[8192] = "";
    cr_assert_gt(read(ends[0], line, sizeof line - 1), 0);
    const outcome json = {.out = line};
    json_t *object = only_object(&json);
    cr_expect_eq(strncmp(hash + 16, json_words(object, "weights_sha256"), 64), 0);
    cr_expect_str_eq(json_words(object, "error"), "m.st: cannot be written: File too large");
    cr_expect_eq(json_figure(object, "status"), 1);
    cr_expect_null(json_object_get(object, "model"));
    json_decref(object);
}

Test(outputs, golden_file_that_cannot_be_written_leaves_its_hashes_on_standard_output) {
    const struct rlimit limit = {.rlim_cur = 900, .rlim_max = RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const outcome run =
        RUN("record", "--data", IRIS, "--epochs", "9", "--device", "cpu", "--quiet", "--output", "g.json");
    cr_expect_eq(run.status, 1);
    cr_expect_not_null(strstr(run.out, "\nweights_sha256: "), "%s", run.out);
    cr_expect_null(strstr(run.out, "golden:"), "%s", run.out);
    cr_expect_neq(access("g.json", F_OK), 0);
}

/* ---- logs ---------------------------------------------------------------------------------------------- */

Test(outputs, log_goes_into_a_pipe_and_its_heading_comes_once) {
    cr_assert_eq(mkfifo("pipe", 0666), 0);
    cr_assert_eq(system("cat pipe > got &"), 0);
    cr_assert_eq(
        RUN("train", "--data", IRIS, "--epochs", "3", "--device", "cpu", "--quiet", "--csv-log", "pipe")
            .status,
        0);
    usleep(200000);
    const char *text = file_text("got");
    cr_expect_eq(count_lines(text), 4, "%s", text);
    cr_expect(S_ISFIFO(look_at("pipe").st_mode));
}

Test(outputs, log_is_written_in_place) {
    write_text("log", "an earlier one");
    cr_assert_eq(chmod("log", 0600), 0);
    const struct stat before = look_at("log");
    cr_assert_eq(symlink("log", "link"), 0);
    cr_assert_eq(RUN(QUICK, "--log", "link").status, 0);
    const struct stat after = look_at("log");
    cr_expect(after.st_ino == before.st_ino && after.st_mode == before.st_mode);
    cr_expect_eq(file_text("log")[0], '{');
}
