/* The rows of libsvm's text, of all of it or of a piece. */
#ifndef TANDA_DATA_LIBSVM_H
#define TANDA_DATA_LIBSVM_H

#include "data/selection.h"
#include "data/table.h"

/* A place in the text, between words. */
typedef struct svm_cursor {
    const char *at, *end;
    size_t line, word; /* from 1 */
} svm_cursor;

typedef struct svm {
    const char *path;
    const request *request;
    svm_cursor start;
    size_t rows;
    uint64_t least, most; /* of the indexes; least > most when there is none */
    uint64_t base;
    size_t columns; /* with that of the label */
    float *values;  /* (columns) of one row */
    double *exact;  /* the same in binary64, or NULL */
} svm;

/* Counts rows and finds indexes, from the start on, with an account of all that is wrong. */
tanda_status svm_survey(svm *svm, tanda_error *error);

/* TANDA_BAD_INPUT where there are none, or labels alone are wanted. */
tanda_status svm_check_rows(const svm *svm, tanda_error *error);

/* Of what was surveyed: which columns there are, their names (svm->columns) or NULL, and which are used. */
tanda_status svm_choose_columns(svm *svm, char ***names, selection *selection, tanda_error *error);
tanda_status svm_describe_indexes(const svm *svm, char **remark, tanda_error *error);

/* The rows from the start on, of which there are svm->rows, into a table; targets may be missing. */
tanda_status svm_fill(svm *svm, const selection *selection, char *const *names, table *table,
                      tanda_error *error);

/* The features that table->exact names, once more. */
tanda_status svm_fill_exact(svm *svm, const selection *selection, table *table, tanda_error *error);

size_t svm_count_rows(const svm *svm);
place svm_find_row(const svm *svm, size_t wanted);

#endif
