/* .npy that is more than memory is to hold. */
#ifndef TANDA_DATA_NPY_LOAD_H
#define TANDA_DATA_NPY_LOAD_H

#include "data/table.h"

/* More rows than options->memory become a data set that reads them from the file (*taken). Else nothing is done. */
tanda_status npy_load(const char *path, const request *request, tanda_dataset *dataset, bool *taken,
                      tanda_error *error);

#endif
