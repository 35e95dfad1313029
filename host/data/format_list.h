/* The formats of data files, by name. */
#ifndef TANDA_DATA_FORMAT_LIST_H
#define TANDA_DATA_FORMAT_LIST_H

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

#endif
