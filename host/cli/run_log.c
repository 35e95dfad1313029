#include "cli/run_log.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/report.h"
#include "tanda_lab.h"

/* ---- one log ------------------------------------------------------------------------------------------- */

static tanda_status open_log(run_log *log, const char *flag, const char *path, bool append,
                             tanda_error *error) {
    *log = (run_log){.flag = flag, .path = path};
    if (path == NULL) return TANDA_OK;
    int descriptor = -1;
    tanda_error reason = {0};
    const tanda_status status = file_stream_open(path, append, &descriptor, &reason);
    if (status != TANDA_OK) return fail(error, status, "%s %s", flag, reason.message);
    log->file = fdopen(descriptor, append ? "a" : "w");
    if (log->file != NULL) {
        struct stat information = {0}; /* a pipe, which has no size, counts as empty */
        log->is_empty =
            fstat(descriptor, &information) != 0 || !S_ISREG(information.st_mode) || information.st_size == 0;
        return TANDA_OK;
    }
    close(descriptor);
    return fail(error, TANDA_FAILED, "%s %s: out of memory", flag, path);
}

static void give_up(run_log *log, const char *reason) {
    text_put(log->failure, sizeof log->failure, "%s", reason);
    fclose(log->file);
    log->file = NULL;
    fprintf(stderr, "tanda: %s ", log->flag);
    print_name(stderr, log->path);
    fprintf(stderr, ": cannot be written any more: %s; the training goes on without it\n", reason);
}

/* After each line: it must have arrived, in a file that still has a name. */
static void flush_line(run_log *log) {
    struct stat information = {0};
    errno = 0;
    if (fflush(log->file) != 0 || ferror(log->file))
        give_up(log, errno == 0 ? "a write failed" : strerror(errno));
    else if (fstat(fileno(log->file), &information) == 0 && information.st_nlink == 0)
        give_up(log, "it was deleted");
}

/* ---- JSON lines ---------------------------------------------------------------------------------------- */

/* What is nested gets the outer name in front of its own. An array is left out: its items have lines of their own. */
static void add_flat(json_builder *flat, const char *outer, json_t *object) {
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value) {
        char name[128];
        text_put(name, sizeof name, "%s%s", outer, key);
        if (!json_is_object(value)) {
            if (!json_is_array(value)) json_put(flat, name, json_incref(value));
            continue;
        }
        text_put(name, sizeof name, "%s%s_", outer, key);
        add_flat(flat, name, value);
    }
}

void run_logs_add(run_logs *logs, json_t *object) {
    run_log *log = &logs->json;
    if (log->file == NULL) return;
    json_builder flat = json_object_begin();
    add_flat(&flat, "", object);
    char *text = object == NULL || flat.failed ? NULL : json_write_shortest(flat.object);
    json_drop(&flat);
    if (text == NULL) {
        give_up(log, "out of memory");
        return;
    }
    fputs(text, log->file);
    fputc('\n', log->file);
    free(text);
    flush_line(log);
}

static void put_epoch_object(run_logs *logs, const tanda_epoch *epoch) {
    char text[32];
    struct tm parts;
    const time_t now = time(NULL);
    if (logs->json.file == NULL) return;
    report line = json_object_begin();
    json_put_text(&line, "event", "epoch");
    /* As of RFC 3339, in UTC. */
    if (gmtime_r(&now, &parts) != NULL && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0)
        json_put_text(&line, "time", text);
    json_put_count(&line, "epoch", epoch->epoch);
    json_put_count(&line, "epochs", epoch->epochs);
    json_put_count(&line, "steps", epoch->steps_since);
    json_put_real(&line, "seconds", epoch->seconds);
    json_put_real(&line, "learning_rate", epoch->learning_rate);
    json_put_real(&line, "loss", epoch->loss);
    json_put_real(&line, "accuracy", epoch->accuracy);
    if (epoch->has_validation) report_evaluation(&line, "val_", &epoch->validation);
    run_logs_add(logs, line.failed ? NULL : line.object);
    json_drop(&line);
}

/* ---- CSV ----------------------------------------------------------------------------------------------- */

/* What a task or training has none of is "NA" in Keras, or no column. */
static void put_column(FILE *file, double value) {
    char text[TEXT_NUMBER_SIZE];
    fprintf(file, ",%s", isnan(value) ? "NA" : text_shortest(value, text));
}

/* Columns in the order of Keras 3 (keras/src/callbacks/csv_logger.py): sorted, those of the validation last. */
static void put_row(run_logs *logs, const tanda_epoch *epoch) {
    FILE *file = logs->csv.file;
    const bool classes = !isnan(epoch->accuracy);
    if (file == NULL) return;
    if (logs->csv.is_empty)
        fprintf(file, "epoch%s%s,loss%s,val_loss\r\n", classes ? ",accuracy" : "",
                logs->with_learning_rate ? ",learning_rate" : "", classes ? ",val_accuracy" : "");
    logs->csv.is_empty = false;
    fprintf(file, "%zu", epoch->epoch - 1);
    if (classes) put_column(file, epoch->accuracy);
    if (logs->with_learning_rate) put_column(file, epoch->learning_rate);
    put_column(file, epoch->loss);
    if (classes) put_column(file, epoch->has_validation ? epoch->validation.accuracy : NAN);
    put_column(file, epoch->has_validation ? epoch->validation.loss : NAN);
    fputs("\r\n", file);
    flush_line(&logs->csv);
}

/* Cuts the file at the first line of an epoch, from 0, that is not below `epochs`. A missing one is as good. */
static tanda_status cut_csv(const char *path, size_t epochs, tanda_error *error) {
    char *line = NULL;
    size_t room = 0;
    struct stat information;
    if (path == NULL || stat(path, &information) != 0 || !S_ISREG(information.st_mode)) return TANDA_OK;
    FILE *file = fopen(path, "r+e");
    if (file == NULL) return TANDA_OK;
    off_t end = 0;
    for (ssize_t length; (length = getline(&line, &room, file)) > 0; end += length) {
        const bool is_row = line[0] >= '0' && line[0] <= '9';
        if (line[length - 1] != '\n' || (is_row && strtoull(line, NULL, 10) >= epochs))
            break; /* or half a line */
    }
    const int code = ftruncate(fileno(file), end) == 0 ? 0 : errno;
    free(line);
    fclose(file);
    return code == 0 ? TANDA_OK
                     : fail(error, TANDA_FAILED, "--csv-log %s: cannot be cut: %s", path, strerror(code));
}

tanda_status run_logs_open(run_logs *logs, const char *json_path, const char *csv_path, bool resumed,
                           size_t epochs, tanda_error *error) {
    const bool with_learning_rate = logs->with_learning_rate;
    *logs = (run_logs){.with_learning_rate = with_learning_rate};
    tanda_status status = open_log(&logs->json, "--log", json_path, resumed, error);
    if (status == TANDA_OK && resumed) status = cut_csv(csv_path, epochs, error);
    if (status == TANDA_OK) status = open_log(&logs->csv, "--csv-log", csv_path, resumed, error);
    return status;
}

void run_logs_epoch(run_logs *logs, const tanda_epoch *epoch) {
    put_epoch_object(logs, epoch);
    put_row(logs, epoch);
}

tanda_status run_logs_close(run_logs *logs, tanda_error *error) {
    run_log *const all[] = {&logs->json, &logs->csv};
    tanda_status status = TANDA_OK;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i]->file != NULL) fclose(all[i]->file);
        all[i]->file = NULL;
        if (all[i]->failure[0] != '\0' && status == TANDA_OK)
            status = fail(error, TANDA_FAILED, "%s %s: it is incomplete: %s; the training itself went well",
                          all[i]->flag, all[i]->path, all[i]->failure);
    }
    return status;
}
