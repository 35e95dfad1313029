/* Synthetic rows as .npy or CSV files, made and written block by block. */
#ifndef TANDA_DATA_SYNTHETIC_WRITE_H
#define TANDA_DATA_SYNTHETIC_WRITE_H

#include "data/synthetic.h"

/*
 * Rows first ... first + rows - 1: features as binary32 (rows, features) to `path`, and labels (rows) to
 * label_path, int32 classes or binary32 quantities. label_path NULL: the label is one more column of the features,
 * the last. A name that ends in .csv makes a CSV file of x1,x2,...,class (or target), in whose digits all bits are kept.
 * Each file appears whole or not at all.
 */
tanda_status synthetic_write(const synthetic_source *source, uint64_t first, uint64_t rows, const char *path,
                             const char *label_path, tanda_error *error);

#endif
