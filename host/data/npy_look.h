/* For a look at the columns of an .npy whose rows stay in the file. */
#ifndef TANDA_DATA_NPY_LOOK_H
#define TANDA_DATA_NPY_LOOK_H

#include "data/npy_feed.h"

/*
 * Where the file's numbers are wider than binary32, dataset->exact becomes where they lie, in a mapping that the data set
 * gets; whether they are finite has not been looked at. TANDA_BAD_INPUT for a file that cannot be mapped as it was opened.
 */
tanda_status npy_look(const npy_rows *rows, const selection *selection, tanda_dataset *dataset,
                      tanda_error *error);

#endif
