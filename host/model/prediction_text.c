#include "model/prediction_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/memory.h"
#include "support/text.h"

size_t best_class(const float *row, size_t columns) {
    size_t best = 0;
    for (size_t i = 1; i < columns; i++)
        if (row[i] > row[best]) best = i;
    return best;
}

void order_classes(size_t *order, const float *row, size_t columns, size_t top) {
    for (size_t i = 0; i < columns; i++) {
        size_t place = i < top ? i : top;
        while (place > 0 && row[i] > row[order[place - 1]]) {
            if (place < top) order[place] = order[place - 1];
            place--;
        }
        if (place < top) order[place] = i;
    }
}

/* Quoting is looked at once, not for each row. */
tanda_status prediction_text_begin(const tanda_model *model, size_t columns, size_t top,
                                   prediction_text *made, tanda_error *error) {
    *made = (prediction_text){.model = model, .columns = columns, .top = top};
    tanda_status status = allocate(&made->order, columns, sizeof *made->order, "classes", error);
    if (status == TANDA_OK)
        status = allocate(&made->class_ends, columns, sizeof *made->class_ends, "classes", error);
    for (size_t i = 0; status == TANDA_OK && model->task == TANDA_TASK_CLASSES && i < columns; i++) {
        csv_add_field(&made->classes, model->class_names[i], strlen(model->class_names[i]));
        made->class_ends[i] = made->classes.size;
    }
    return status == TANDA_OK ? csv_lines_check(&made->classes, error) : status;
}

void prediction_text_free(prediction_text *text) {
    free(text->order);
    free(text->class_ends);
    csv_lines_free(&text->classes);
    *text = (prediction_text){0};
}

static void add_class(const prediction_text *text, size_t class, csv_lines *lines) {
    const size_t begin = class == 0 ? 0 : text->class_ends[class - 1];
    csv_add(lines, text->classes.data + begin, text->class_ends[class] - begin);
}

static void add_copied(const char *copied, size_t length, csv_lines *lines) {
    if (copied == NULL) return;
    csv_add(lines, copied, length);
    csv_add(lines, ",", 1);
}

/* One target: prediction; several: their names, else prediction_1 and so on. */
static void add_target_name(const prediction_text *text, size_t target, csv_lines *lines) {
    const tanda_model *model = text->model;
    char name[32];
    if (model->target_names != NULL) {
        csv_add_field(lines, model->target_names[target], strlen(model->target_names[target]));
        return;
    }
    if (text->columns > 1)
        csv_add(lines, name, text_put(name, sizeof name, "prediction_%zu", target + 1));
    else
        csv_add(lines, "prediction", strlen("prediction"));
}

void prediction_text_header(const prediction_text *text, const char *copied, size_t copied_length,
                            csv_lines *lines) {
    const bool is_classes = text->model->task == TANDA_TASK_CLASSES;
    char names[64];
    add_copied(copied, copied_length, lines);
    if (is_classes && text->top == 0) csv_add(lines, "class", strlen("class"));
    for (size_t i = 0; text->top == 0 && i < text->columns; i++) {
        if (is_classes || i > 0) csv_add(lines, ",", 1);
        if (is_classes)
            add_class(text, i, lines);
        else
            add_target_name(text, i, lines);
    }
    for (size_t i = 1; i <= text->top; i++)
        csv_add(lines, names,
                text_put(names, sizeof names, "%sclass_%zu,probability_%zu", i == 1 ? "" : ",", i, i));
    csv_add(lines, "\n", 1);
}

void prediction_text_row(const prediction_text *text, const float *row, const char *copied,
                         size_t copied_length, csv_lines *lines) {
    const bool is_classes = text->model->task == TANDA_TASK_CLASSES;
    add_copied(copied, copied_length, lines);
    if (is_classes && text->top == 0) add_class(text, best_class(row, text->columns), lines);
    for (size_t i = 0; text->top == 0 && i < text->columns; i++) {
        if (is_classes || i > 0) csv_add(lines, ",", 1);
        csv_add_number(lines, row[i]);
    }
    if (text->top > 0) order_classes(text->order, row, text->columns, text->top);
    for (size_t i = 0; i < text->top; i++) {
        if (i > 0) csv_add(lines, ",", 1);
        add_class(text, text->order[i], lines);
        csv_add(lines, ",", 1);
        csv_add_number(lines, row[text->order[i]]);
    }
    csv_add(lines, "\n", 1);
}
