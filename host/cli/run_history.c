#include "cli/run_history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SUGGESTION "a log is what tanda train --log writes"

const char *const history_figure_names[HISTORY_FIGURES] = {"loss", "val_loss", "accuracy", "val_accuracy",
                                                           "learning_rate"};

void history_free(history *history) {
    free(history->epochs);
    for (size_t i = 0; i < HISTORY_FIGURES; i++)
        free(history->figures[i]);
    json_decref(history->run);
    *history = (struct history){0};
}

static bool grow(double **values, size_t room) {
    double *larger = reallocarray(*values, room, sizeof *larger);
    if (larger != NULL) *values = larger;
    return larger != NULL;
}

static tanda_status add(history *history, size_t epoch, const double figures[HISTORY_FIGURES],
                        tanda_error *error) {
    const size_t room = history->count < history->room ? history->room : 2 * history->room + 16;
    bool has_room = room == history->room || grow(&history->epochs, room);
    for (size_t i = 0; has_room && room != history->room && i < HISTORY_FIGURES; i++)
        has_room = grow(&history->figures[i], room);
    if (!has_room) return fail(error, TANDA_FAILED, "no memory for %zu epochs", room);
    history->room = room;
    while (history->count > 0 && history->epochs[history->count - 1] >= (double)epoch)
        history->count--; /* of a training that was resumed before it */
    history->epochs[history->count] = (double)epoch;
    for (size_t i = 0; i < HISTORY_FIGURES; i++)
        history->figures[i][history->count] = figures[i];
    history->count++;
    return TANDA_OK;
}

tanda_status history_add(history *history, const tanda_epoch *epoch, tanda_error *error) {
    const bool is_validated = epoch->has_validation;
    const double figures[HISTORY_FIGURES] = {[HISTORY_LOSS] = epoch->loss,
                                             [HISTORY_VAL_LOSS] = is_validated ? epoch->validation.loss : NAN,
                                             [HISTORY_ACCURACY] = epoch->accuracy,
                                             [HISTORY_VAL_ACCURACY] =
                                                 is_validated ? epoch->validation.accuracy : NAN,
                                             [HISTORY_LEARNING_RATE] = epoch->learning_rate};
    return add(history, epoch->epoch, figures, error);
}

bool history_has(const history *history, history_figure figure) {
    for (size_t i = 0; i < history->count; i++)
        if (isfinite(history->figures[figure][i])) return true;
    return false;
}

/* ---- lines ----------------------------------------------------------------------------------------------- */

static tanda_status fail_line(const char *path, size_t line, const char *what, tanda_error *error) {
    return fail(error, TANDA_BAD_INPUT, "%s:%zu: %s; " SUGGESTION, path, line, what);
}

static tanda_status take_epoch(history *history, const json_t *object, size_t line, tanda_error *error) {
    double figures[HISTORY_FIGURES];
    const json_t *epoch = json_object_get(object, "epoch");
    if (!json_is_integer(epoch) || json_integer_value(epoch) < 1)
        return fail_line(history->path, line, "the epoch is no whole number of at least 1", error);
    for (size_t i = 0; i < HISTORY_FIGURES; i++) {
        const json_t *value = json_object_get(object, history_figure_names[i]);
        char what[80];
        text_put(what, sizeof what, "\"%s\" is no number", history_figure_names[i]);
        if (value != NULL && !json_is_number(value)) return fail_line(history->path, line, what, error);
        figures[i] = value == NULL ? NAN : json_number_value(value);
    }
    return add(history, (size_t)json_integer_value(epoch), figures, error);
}

static tanda_status take_line(history *history, const json_t *object, size_t line, tanda_error *error) {
    const char *event = json_string_value(json_object_get(object, "event"));
    if (event == NULL) return fail_line(history->path, line, "has no \"event\"", error);
    if (strcmp(event, "epoch") == 0) return take_epoch(history, object, line, error);
    if (strcmp(event, "run") == 0) {
        json_decref(history->run);
        history->run = json_incref((json_t *)object);
        return TANDA_OK;
    }
    if (strcmp(event, "fold") == 0) return TANDA_OK; /* what a fold ended with */
    return fail_line(history->path, line, "its \"event\" is neither epoch, nor fold, nor run", error);
}

static tanda_status read_line(history *history, const char *text, size_t size, size_t line,
                              tanda_error *error) {
    json_error_t problem = {0};
    char what[JSON_ERROR_TEXT_LENGTH + 16];
    json_t *object = json_read(text, size, JSON_REJECT_DUPLICATES, &problem);
    if (object == NULL && json_lacked_memory(&problem))
        return fail(error, TANDA_FAILED, "%s:%zu: no memory for the line", history->path, line);
    text_put(what, sizeof what, "is no JSON: %s", problem.text);
    if (object == NULL) return fail_line(history->path, line, what, error);
    const tanda_status status = json_is_object(object)
                                    ? take_line(history, object, line, error)
                                    : fail_line(history->path, line, "is no JSON object", error);
    json_decref(object);
    return status;
}

static tanda_status read_lines(history *history, const file_view *view, tanda_error *error) {
    const char *at = (const char *)view->data, *end = at + view->size;
    tanda_status status = TANDA_OK;
    for (size_t line = 1; status == TANDA_OK && at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL) stop = end;
        status = read_line(history, at, (size_t)(stop - at), line, error);
        at = stop < end ? stop + 1 : end;
    }
    if (status == TANDA_OK && history->count == 0)
        return fail(error, TANDA_BAD_INPUT, "%s: holds no epoch; " SUGGESTION, history->path);
    return status;
}

tanda_status history_read(const char *path, history *made, tanda_error *error) {
    file_view view;
    *made = (history){.path = path};
    tanda_status status = file_view_open(path, &view, error);
    if (status != TANDA_OK) return status;
    status = read_lines(made, &view, error);
    file_view_close(&view);
    return status;
}
