#include "lab/page_parts.h"
#include "support/text.h"

#define MOST_SERIES (2 * LAB_MOST_DEVICES)
#define MOST_POINTS LAB_MOST_WORKLOADS

/* The arrays of a picture's series, which borrow them. */
typedef struct room {
    size_t count;
    picture_series series[MOST_SERIES];
    double x[MOST_SERIES][MOST_POINTS], y[MOST_SERIES][MOST_POINTS];
    char titles[MOST_SERIES][LAB_TEXT + 32];
} room;

static picture_series *begin_series(room *room, series_kind kind, int color, bool is_faint) {
    if (room->count == MOST_SERIES) return NULL;
    const size_t at = room->count++;
    room->series[at] = (picture_series){
        .kind = kind, .x = room->x[at], .y = room->y[at], .color = color, .is_faint = is_faint};
    return &room->series[at];
}

static void put_point(room *room, double x, double y) {
    picture_series *series = &room->series[room->count - 1];
    if (series->count == MOST_POINTS) return;
    room->x[room->count - 1][series->count] = x;
    room->y[room->count - 1][series->count++] = y;
}

#define ENTITLE(room, ...) \
    do { \
        text_put((room)->titles[(room)->count - 1], sizeof *(room)->titles, __VA_ARGS__); \
        (room)->series[(room)->count - 1].title = (room)->titles[(room)->count - 1]; \
    } while (0)

static int color_of(size_t device) {
    return 1 + (int)(device % PICTURE_COLORS);
}

static tanda_status put_room(page *page, const room *room, picture *picture, const char *caption,
                             tanda_error *error) {
    size_t points = 0;
    for (size_t i = 0; i < room->count; i++)
        points += room->series[i].count;
    picture->series = room->series;
    picture->series_count = room->count;
    return points > 0 ? page_picture(page, picture, caption, error) : TANDA_OK;
}

/* ---- roofline ------------------------------------------------------------------------------------------------ */

static void put_roof(page *page, room *room, const lab_device *device, size_t index, double least,
                     double most) {
    const double reads = device->limits.read_bandwidth, fma = device->limits.fma_peak;
    if (!(reads > 0.0) || !(fma > 0.0) || begin_series(room, SERIES_LINES, color_of(index), true) == NULL)
        return;
    const double places[] = {least, fma / reads, most};
    ENTITLE(room, SAY(lab_roof), device->label);
    for (size_t i = 0; i < 3; i++)
        if (places[i] >= least && places[i] <= most)
            put_point(room, places[i], (reads * places[i] < fma ? reads * places[i] : fma) * 1e-9);
}

static void put_reached(room *room, const lab_run *run, size_t device) {
    if (begin_series(room, SERIES_POINTS, color_of(device), false) == NULL) return;
    ENTITLE(room, "%s", run->devices[device].label);
    for (size_t i = 0; i < run->cell_count; i++) {
        const lab_workload *workload = &run->workloads[run->cells[i].workload];
        if (run->cells[i].device != device || !(workload->bytes > 0.0)) continue;
        put_point(room, workload->flop / workload->bytes, workload->flop / lab_median(&run->cells[i]) * 1e-9);
    }
}

tanda_status lab_put_roofline(page *page, const lab_run *run, tanda_error *error) {
    room room;
    picture picture = {.name = "roofline",
                       .title = SAY(lab_roofline),
                       .x = {.label = SAY(lab_intensity), .is_log = true},
                       .y = {.label = SAY(lab_rate), .is_log = true}};
    double least = 0.25, most = 4.0;
    room.count = 0;
    for (size_t i = 0; i < run->workload_count; i++) {
        const lab_workload *workload = &run->workloads[i];
        const double at = workload->bytes > 0.0 ? workload->flop / workload->bytes : least;
        most = 2.0 * at > most ? 2.0 * at : most;
    }
    for (size_t i = 0; i < run->device_count; i++) {
        if (run->devices[i].role != LAB_ASKED) continue;
        put_roof(page, &room, &run->devices[i], i, least, most);
        put_reached(&room, run, i);
    }
    return put_room(page, &room, &picture, SAY(lab_roofline_how), error);
}

/* ---- the map -------------------------------------------------------------------------------------------------- */

typedef struct map {
    size_t widths[LAB_MOST_WORKLOADS], batches[LAB_MOST_WORKLOADS], width_count, batch_count;
    char texts[2 * LAB_MOST_WORKLOADS][24];
    const char *names[2][LAB_MOST_WORKLOADS];
    double values[LAB_MOST_WORKLOADS * LAB_MOST_WORKLOADS], most;
    double ties[3][LAB_MOST_WORKLOADS], places[3][LAB_MOST_WORKLOADS];
    size_t tie_count;
} map;

static void fill_map(const lab_run *run, size_t device, map *map) {
    *map = (struct map){.width_count = lab_widths(run, map->widths), .most = 1.0};
    map->width_count = lab_widths(run, map->widths);
    for (size_t w = 0; w < map->width_count; w++) {
        const lab_series series = lab_series_of(run, LAB_MAP, map->widths[w]);
        map->batch_count = series.count;
        for (size_t b = 0; b < series.count; b++) {
            const lab_cell *one = lab_cell_of(run, series.workloads[b], 0),
                           *other = lab_cell_of(run, series.workloads[b], device);
            map->batches[b] = run->workloads[series.workloads[b]].batch;
            double *value = &map->values[w * series.count + b];
            *value = one != NULL && other != NULL ? stat_log2(lab_median(one) / lab_median(other)) : 0.0;
            const double size = *value < 0.0 ? -*value : *value;
            map->most = size > map->most ? size : map->most;
        }
    }
    for (size_t i = 0; i < map->batch_count + map->width_count; i++) {
        const bool is_batch = i < map->batch_count;
        const size_t place = is_batch ? i : i - map->batch_count;
        text_put(map->texts[i], sizeof *map->texts, "%zu",
                 is_batch ? map->batches[place] : map->widths[place]);
        map->names[is_batch ? 0 : 1][place] = map->texts[i];
    }
}

/* The place of so many rows among the batches, whose axis is logarithmic. */
static double index_of(const map *map, double rows) {
    size_t below = 0;
    while (below + 2 < map->batch_count && (double)map->batches[below + 1] <= rows)
        below++;
    const double low = (double)map->batches[below], high = (double)map->batches[below + 1];
    return (double)below + stat_log2(rows / low) / stat_log2(high / low);
}

static void find_ties(const lab_run *run, size_t device, map *map) {
    for (size_t w = 0; w < map->width_count && map->batch_count > 1; w++) {
        const lab_series series = lab_series_of(run, LAB_MAP, map->widths[w]);
        const lab_crossing crossing = lab_crossing_of(run, &series, 0, device);
        const stat_summary *tie = &crossing.measured;
        if (2 * tie->count <= crossing.rounds) continue;
        const double rows[] = {tie->median, tie->low_quartile, tie->high_quartile};
        for (size_t i = 0; i < 3; i++) {
            map->ties[i][map->tie_count] = index_of(map, rows[i]);
            map->places[i][map->tie_count] = (double)w;
        }
        map->tie_count++;
    }
}

tanda_status lab_put_map(page *page, const lab_run *run, size_t device, tanda_error *error) {
    map map;
    char name[32], caption[512], title[3 * LAB_TEXT];
    fill_map(run, device, &map);
    if (map.width_count < 2 || map.batch_count < 2) return TANDA_OK;
    find_ties(run, device, &map);
    text_put(name, sizeof name, "map-%zu", device);
    text_put(title, sizeof title, "%s, %s", run->devices[0].label, run->devices[device].label);
    text_put(caption, sizeof caption, SAY(lab_map_caption), run->devices[0].label, run->devices[device].label,
             run->devices[0].label);
    picture_series series[4] = {
        {.kind = SERIES_HEAT_MAP, .rows = map.width_count, .columns = map.batch_count, .values = map.values}};
    for (size_t i = 0; i < 3; i++)
        series[1 + i] = (picture_series){.kind = i == 0 ? SERIES_LINES_POINTS : SERIES_LINES,
                                         .title = i == 0 ? SAY(lab_tie_line) : NULL,
                                         .count = map.tie_count,
                                         .x = map.ties[i],
                                         .y = map.places[i],
                                         .color = PICTURE_INK,
                                         .is_faint = i > 0};
    const picture picture = {
        .name = name,
        .title = title,
        .x = {.label = SAY(lab_batch), .names = map.names[0], .name_count = map.batch_count},
        .y = {.label = SAY(lab_width), .names = map.names[1], .name_count = map.width_count},
        .color = {.label = SAY(lab_log_ratio), .least = -map.most, .most = map.most},
        .palette = PALETTE_DIVERGING,
        .series = series,
        .series_count = 4};
    return page_picture(page, &picture, caption, error);
}

/* ---- rows and threads ------------------------------------------------------------------------------------------ */

static void put_growth(room *room, const lab_run *run, const lab_series *series, size_t device) {
    if (begin_series(room, SERIES_POINTS, color_of(device), false) == NULL) return;
    ENTITLE(room, "%s", run->devices[device].label);
    for (size_t i = 0; i < series->count; i++) {
        const lab_cell *cell = lab_cell_of(run, series->workloads[i], device);
        if (cell != NULL)
            put_point(room, (double)run->workloads[cell->workload].batch, MICRO * lab_median(cell));
    }
    const lab_line_fit fit = lab_fit(run, series, device);
    if (fit.row.count == 0 || begin_series(room, SERIES_LINES, color_of(device), true) == NULL) return;
    const double last = (double)run->workloads[series->workloads[series->count - 1]].batch;
    for (double rows = (double)run->workloads[series->workloads[0]].batch; rows <= last; rows *= 2.0)
        if (fit.start.median + rows * fit.row.median > 0.0)
            put_point(room, rows, MICRO * (fit.start.median + rows * fit.row.median));
}

tanda_status lab_put_rows(page *page, const lab_run *run, tanda_error *error) {
    room room;
    const lab_series series = lab_series_of(run, LAB_ROWS, 0);
    picture picture = {.name = "rows",
                       .x = {.label = SAY(lab_rows_axis), .is_log = true},
                       .y = {.label = SAY(lab_seconds_axis), .is_log = true}};
    room.count = 0;
    for (size_t i = 0; i < run->device_count; i++)
        if (run->devices[i].role == LAB_ASKED) put_growth(&room, run, &series, i);
    return put_room(page, &room, &picture, SAY(lab_rows_caption), error);
}

static void put_speedup(room *room, const lab_run *run, size_t workload) {
    double alone = 0.0;
    if (begin_series(room, SERIES_LINES_POINTS, 0, false) == NULL) return;
    ENTITLE(room, "%s", run->workloads[workload].name);
    for (size_t d = 0; d < run->device_count; d++) {
        const lab_cell *cell = lab_cell_of(run, workload, d);
        if (run->devices[d].role != LAB_SCALING || cell == NULL) continue;
        if (alone == 0.0) alone = lab_median(cell);
        put_point(room, (double)room->series[room->count - 1].count, alone / lab_median(cell));
    }
}

/* As many times as fast as there are threads; the names of their places on the axis, too. */
static size_t put_ideal(page *page, room *room, const lab_run *run, char (*texts)[24], const char **names) {
    size_t count = 0;
    if (begin_series(room, SERIES_LINES, PICTURE_INK, true) == NULL) return 0;
    ENTITLE(room, "%s", SAY(lab_threads_ideal));
    for (size_t d = 0; d < run->device_count; d++) {
        if (run->devices[d].role != LAB_SCALING) continue;
        text_put(texts[count], sizeof *texts, "%zu", run->devices[d].compute_units);
        names[count] = texts[count];
        put_point(room, (double)count++, (double)run->devices[d].compute_units);
    }
    return count;
}

tanda_status lab_put_threads(page *page, const lab_run *run, tanda_error *error) {
    room room;
    char texts[LAB_MOST_DEVICES][24];
    const char *names[LAB_MOST_DEVICES];
    const lab_series series = lab_series_of_threads(run);
    picture picture = {.name = "threads",
                       .x = {.label = SAY(lab_thread_count), .names = names},
                       .y = {.label = SAY(lab_speedup)}};
    room.count = 0;
    picture.x.name_count = put_ideal(page, &room, run, texts, names);
    for (size_t i = 0; i < series.count; i++)
        put_speedup(&room, run, series.workloads[i]);
    return put_room(page, &room, &picture, SAY(lab_threads_caption), error);
}
