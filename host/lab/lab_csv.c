/* The cells as a table, a line for each round. */
#include <stdlib.h>

#include "data/csv_write.h"
#include "lab/lab.h"
#include "support/file_writer.h"
#include "support/text.h"

static void put(csv_lines *lines, const char *text, bool ends) {
    csv_add_field(lines, text, strlen(text));
    csv_add(lines, ends ? "\n" : ",", 1);
}

static void put_number(csv_lines *lines, double value, bool ends) {
    char text[TEXT_NUMBER_SIZE];
    put(lines, text_shortest(value, text), ends);
}

static void put_cell(csv_lines *lines, const lab_run *run, const lab_cell *cell, size_t round) {
    const lab_workload *workload = &run->workloads[cell->workload];
    put(lines, workload->name, false);
    put(lines, run->devices[cell->device].label, false);
    put(lines, lab_family_names[workload->family], false);
    put_number(lines, (double)workload->rows, false);
    put_number(lines, (double)workload->batch, false);
    put_number(lines, (double)round, false);
    put_number(lines, cell->seconds[round], false);
    put_number(lines, cell->cpu_seconds[round], false);
    put_number(lines, workload->flop, false);
    put_number(lines, workload->bytes, false);
    put_number(lines, cell->span > 0.0 ? cell->others_seconds / cell->span : 0.0, false);
    put(lines, cell->digest, false);
    put(lines, cell->differs ? "yes" : "no", true);
}

tanda_status lab_save_csv(const lab_run *run, const char *path, tanda_error *error) {
    static const char title[] = "workload,device,family,rows,batch,round,seconds,cpu_seconds,flop,bytes,"
                                "others_cores,digest,differs\n";
    csv_lines lines = {0};
    csv_add(&lines, title, sizeof title - 1);
    for (size_t i = 0; i < run->cell_count; i++)
        for (size_t round = 0; round < run->cells[i].count; round++)
            put_cell(&lines, run, &run->cells[i], round);
    tanda_status status = csv_lines_check(&lines, error);
    const file_part part = {lines.data, lines.size};
    if (status == TANDA_OK) status = file_write_atomically(path, &part, 1, error);
    csv_lines_free(&lines);
    return status;
}
