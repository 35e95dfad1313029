/* bench/gpu_model: Markdown tables of what steps would take on cards. */
#include <getopt.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu_model.h"

typedef struct choices {
    regex_t cards, workloads;
    const char *executor; /* beside the one that would be taken; NULL: none */
    bool with_launches;
} choices;

static const char usage[] =
    "gpu_model [--card REGEX] [--filter REGEX] [--executor NAME] [--launches]\n"
    "  --card      cards whose name matches; default: all\n"
    "  --filter    workloads of tanda bench whose name matches; default: all trainings\n"
    "  --executor  beside the executor that would be taken, this one: ops is what takes a plan op by op\n"
    "  --launches  each kind of launch of a step besides\n";

static bool compile(regex_t *regex, const char *text) {
    return regcomp(regex, text, REG_EXTENDED | REG_NOSUB) == 0;
}

static bool read_choices(int argc, char **argv, choices *choices) {
    static const struct option options[] = {{"card", required_argument, NULL, 'c'},
                                            {"filter", required_argument, NULL, 'f'},
                                            {"executor", required_argument, NULL, 'e'},
                                            {"launches", no_argument, NULL, 'l'},
                                            {0}};
    const char *card = "", *workload = "";
    for (int key; (key = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (key) {
        case 'c':
            card = optarg;
            break;
        case 'f':
            workload = optarg;
            break;
        case 'e':
            choices->executor = optarg;
            break;
        case 'l':
            choices->with_launches = true;
            break;
        default:
            return false;
        }
    return optind == argc && compile(&choices->cards, card) && compile(&choices->workloads, workload);
}

static bool matches(const regex_t *regex, const char *name) {
    return regexec(regex, name, 0, NULL, 0) == 0;
}

static void print_card(const card *card, const choices *choices) {
    printf("\n## %s\n\n%.1f TFLOP/s, %.0f GB/s from memory, %.0f GB/s from %.0f MB of cache; %.0f cores at "
           "%.2f GHz, "
           "%.0f work-items each, in waves of %.0f; latency %.0f cycles, of the cache %.0f; a launch each "
           "%.0f us.\n\n",
           card->name, 2e-12 * card->cores * card->lanes * card->clock, 1e-9 * card->bandwidth,
           1e-9 * card->cache, 1e-6 * card->cache_bytes, card->cores, 1e-9 * card->clock, card->items,
           card->wave, card->latency, card->cache_latency, 1e6 * card->launch);
    printf("| workload | executor | launches | MB | MFLOP | work-items | us | floor us | of limit |");
    if (choices->executor != NULL) printf(" %s: launches | us | ratio |", choices->executor);
    printf("\n|---|---|--:|--:|--:|--:|--:|--:|--:|");
    puts(choices->executor != NULL ? "--:|--:|--:|" : "");
}

static void print_launches(const card *card, const recording *recording) {
    const char *limit = NULL;
    for (size_t i = 0; i < recording->count; i++) {
        const launches *at = &recording->launches[i];
        const double seconds = launch_seconds(card, at, &limit);
        printf("| - %s (%s) | %zu in groups of %zu | %.4g | %.4g | %.4g | | %.4g | | |\n", at->name, limit,
               at->items, at->group, (double)at->count / (double)recording->steps, 1e-6 * at->work.bytes,
               1e-6 * at->work.flop, 1e6 * seconds);
    }
}

static tanda_status print_workload(backend *device, const card *card, const bench_workload *workload,
                                   const choices *choices, tanda_error *error) {
    static recording recording;
    tanda_status status = record_steps(device, card, workload, NULL, &recording, error);
    if (status != TANDA_OK) return status;
    const estimate made = estimate_of(card, workload, &recording);
    printf("| %s | %s | %.3g | %.4g | %.4g | %.1f %% | %s%.4g | %.3g | %.1f %% |", workload->name,
           recording.executor, made.launches, 1e-6 * made.bytes, 1e-6 * made.flop, 100.0 * made.occupancy,
           made.is_unstated ? "\\> " : "", 1e6 * made.seconds, 1e6 * made.floor,
           100.0 * made.floor / made.seconds);
    if (choices->executor != NULL) {
        static struct recording other;
        status = record_steps(device, card, workload, choices->executor, &other, error);
        const estimate beside = estimate_of(card, workload, &other);
        if (status == TANDA_OK)
            printf(" %.3g | %.4g | %.2f |", beside.launches, 1e6 * beside.seconds,
                   beside.seconds / made.seconds);
        else if (status == TANDA_DEVICE) /* it does not fit */
            printf(" - | - | - |");
        else
            return status;
    }
    putchar('\n');
    if (choices->with_launches) print_launches(card, &recording);
    fflush(stdout);
    return TANDA_OK;
}

static tanda_status print_all(backend *device, const choices *choices, tanda_error *error) {
    tanda_status status = TANDA_OK;
    puts("# Steps on cards, by a model\n\nMade by build-release/bench/gpu_model; nothing here was "
         "measured.\n");
    print_assumptions();
    for (size_t c = 0; c < card_count; c++) {
        if (!matches(&choices->cards, cards[c].name)) continue;
        print_card(&cards[c], choices);
        for (size_t w = 0; status == TANDA_OK && w < bench_workload_count; w++)
            if (bench_workloads[w].kind == BENCH_TRAINING &&
                matches(&choices->workloads, bench_workloads[w].name)) {
                status = print_workload(device, &cards[c], &bench_workloads[w], choices, error);
                opencl_release_single((opencl_backend_state *)device);
            }
    }
    return status;
}

int main(int argc, char **argv) {
    choices choices = {.executor = NULL};
    if (!read_choices(argc, argv, &choices)) {
        fputs(usage, stderr);
        return TANDA_USAGE;
    }
    tanda_error error = {0};
    tanda_device *device = NULL;
    const tanda_device_options options = {.size = sizeof options, .device = "opencl", .require_device = true};
    tanda_status status = tanda_device_open(&options, &device, NULL, &error);
    if (status == TANDA_OK) status = print_all(device, &choices, &error);
    if (status != TANDA_OK) fprintf(stderr, "gpu_model: %s\n", error.message);
    tanda_device_close(device);
    regfree(&choices.cards);
    regfree(&choices.workloads);
    return status;
}
