/* Files whose rows follow one another in one table. */
#ifndef TANDA_DATA_PARTS_H
#define TANDA_DATA_PARTS_H

#include "data/file_names.h"
#include "data/table.h"

typedef struct part_list {
    char **paths;
    size_t count;
} part_list;

/*
 * The path, and options->more_files. A folder stands for its files in the order of their names' bytes, without those
 * that begin with '.' or '_'. TANDA_BAD_INPUT for a folder without files.
 */
tanda_status parts_list(const char *path, const tanda_dataset_options *options, part_list *list,
                        tanda_error *error);
void parts_free(part_list *list);

/*
 * Reads all of them (one as format_read does). The first one says which columns there are, by name where it has a
 * header, and each other has the same header or none. Classes and categories are those of all.
 */
tanda_status parts_read(const part_list *list, const request *request, table *table, tanda_error *error);

#endif
