/* Notes about the data of a training, for people: what is right to do with it, and still worth a look. */
#ifndef TANDA_CLI_DATA_NOTES_H
#define TANDA_CLI_DATA_NOTES_H

#include "cli/report.h"

/* Features that were constant in the training rows, by name. */
void print_constant_note(FILE *stream, const tanda_model *model);

#endif
