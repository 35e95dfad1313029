/* The formats of data files by name, and what the names of files tell. */
#ifndef TANDA_DATA_FORMAT_LIST_H
#define TANDA_DATA_FORMAT_LIST_H

#include <stdbool.h>

/*
 * X(name, title for people, extension, bound or NULL): each has the functions name_looks_right and name_read. In the order
 * in which contents are looked at: text comes last. An .npz is read by its names (data/npz.c), or by request->member.
 */
#define FORMAT_LIST(X) \
    X(npy, "an .npy array", ".npy", npy_bound) \
    X(npz, "a zip archive such as .npz", ".npz", NULL) \
    X(idx, "IDX data", "ubyte", idx_bound) \
    X(libsvm, "libsvm text", ".svm", NULL) \
    X(csv, "CSV text", ".csv", NULL)

/* Where the name of an array begins in "FILE.npz:NAME"; NULL for the name of a file. */
const char *format_member(const char *path);

/* Whether a file of this name is one of a folder of data. */
bool parts_take(const char *name);

#endif
