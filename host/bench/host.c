#include "bench/host.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/system_file.h"
#include "support/text.h"

#define CPUS "/sys/devices/system/cpu"
#define MOST_PATH 512
#define MOST_LINE 1024
#define MOST_TEXT 8192

/* The first line of a file, without its end; false, and "", where there is none. */
static bool first_line(const char *path, char line[MOST_LINE]) {
    const bool found = read_system_file(path, line, MOST_LINE);
    line[strcspn(line, "\n")] = '\0';
    return found;
}

/* What the first CPU has at most; else what /proc/cpuinfo tells that it has now, as x86's does. */
static size_t find_megahertz(const char *root) {
    char path[MOST_PATH], line[MOST_LINE], text[MOST_TEXT];
    text_put(path, sizeof path, "%s" CPUS "/cpu0/cpufreq/cpuinfo_max_freq", root);
    const size_t kilohertz = first_line(path, line) ? strtoul(line, NULL, 10) : 0;
    if (kilohertz > 0) return kilohertz / 1000;
    text_put(path, sizeof path, "%s/proc/cpuinfo", root);
    read_system_file(path, text, sizeof text);
    const char *place = strstr(text, "cpu MHz"), *colon = place != NULL ? strchr(place, ':') : NULL;
    const double found = colon != NULL ? strtod(colon + 1, NULL) : 0.0;
    return found > 0.0 && found < 1e6 ? (size_t)(found + 0.5) : 0;
}

static bool is_scaling(const char *root, size_t cpus) {
    char path[MOST_PATH], line[MOST_LINE];
    for (size_t i = 0; i < cpus; i++) {
        text_put(path, sizeof path, "%s" CPUS "/cpu%zu/cpufreq/scaling_governor", root, i);
        if (first_line(path, line) && strcmp(line, "performance") != 0) return true;
    }
    return false;
}

static bool cache_line(const char *root, size_t index, const char *name, char line[MOST_LINE]) {
    char path[MOST_PATH];
    text_put(path, sizeof path, "%s" CPUS "/cpu0/cache/index%zu/%s", root, index, name);
    return first_line(path, line);
}

/* A size such as "32K" or "1M". */
static bool read_cache(const char *root, size_t index, bench_cache *cache) {
    char line[MOST_LINE], *unit = NULL;
    if (!cache_line(root, index, "size", line)) return false;
    cache->bytes = strtoul(line, &unit, 10);
    cache->bytes <<= *unit == 'K' ? 10 : *unit == 'M' ? 20 : 0;
    cache->level = cache_line(root, index, "level", line) ? strtoul(line, NULL, 10) : 0;
    cache->sharing = 0;
    if (!cache_line(root, index, "shared_cpu_map", line)) line[0] = '\0';
    for (const char *mask = line; *mask != '\0'; mask++) { /* such as "00000000,00000003" */
        const char digit[2] = {*mask, '\0'};
        cache->sharing += (size_t)__builtin_popcount((unsigned)strtoul(digit, NULL, 16));
    }
    cache_line(root, index, "type", line);
    text_put(cache->type, sizeof cache->type, "%s", line);
    return true;
}

void bench_host_read(const char *root, bench_host *host) {
    *host = (bench_host){0};
    if (gethostname(host->name, sizeof host->name - 1) != 0) host->name[0] = '\0';
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    host->cpus = cpus > 0 ? (size_t)cpus : 0;
    host->megahertz = find_megahertz(root);
    host->is_scaling = is_scaling(root, host->cpus);
    const int loads = getloadavg(host->loads, 3);
    host->load_count = loads > 0 ? (size_t)loads : 0;
    while (host->cache_count < BENCH_MOST_CACHES &&
           read_cache(root, host->cache_count, &host->caches[host->cache_count]))
        host->cache_count++;
}

void bench_host_put(const bench_host *host, json_builder *context) {
    json_builder loads = json_array_begin(), caches = json_array_begin();
    for (size_t i = 0; i < host->cache_count; i++) {
        json_builder cache = json_object_begin();
        json_put_text(&cache, "type", host->caches[i].type);
        json_put_count(&cache, "level", host->caches[i].level);
        json_put_count(&cache, "size", host->caches[i].bytes);
        json_put_count(&cache, "num_sharing", host->caches[i].sharing);
        json_push(&caches, json_end(&cache));
    }
    for (size_t i = 0; i < host->load_count; i++)
        json_push(&loads, json_real(host->loads[i]));
    json_put_text(context, "host_name", host->name);
    json_put_count(context, "num_cpus", host->cpus);
    json_put_count(context, "mhz_per_cpu", host->megahertz);
    json_put(context, "cpu_scaling_enabled", json_boolean(host->is_scaling));
    json_put(context, "caches", json_end(&caches));
    json_put(context, "load_avg", json_end(&loads));
}
