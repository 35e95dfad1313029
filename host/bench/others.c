/* What other processes, and other guests of the same host, take of the machine meanwhile. */
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench/parts.h"
#include "support/system_file.h"

/* The cores' time since the machine started: all of it but idling and waiting for disks; see proc(5), /proc/stat. */
static double busy_seconds(void) {
    unsigned long long user = 0, nice = 0, system = 0, idle = 0, disk = 0, interrupts = 0, soft = 0,
                       stolen = 0;
    char text[256];
    if (!read_system_file("/proc/stat", text, sizeof text)) return 0.0;
    const int found = sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system,
                             &idle, &disk, &interrupts, &soft, &stolen);
    const unsigned long long ticks = user + nice + system + interrupts + soft + stolen;
    return found == 8 ? (double)ticks / (double)sysconf(_SC_CLK_TCK) : 0.0;
}

static double seconds_of(const struct timeval *time) {
    return (double)time->tv_sec + 1e-6 * (double)time->tv_usec;
}

static double used_by(int who) {
    struct rusage usage;
    if (getrusage(who, &usage) != 0) return 0.0;
    return seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime);
}

static pid_t own_child;

void bench_set_own_child(pid_t child) {
    own_child = child;
}

/* getrusage counts a child when it has ended. */
static double used_by_child(void) {
    clockid_t clock;
    struct timespec time;
    if (own_child == 0 || clock_getcpuclockid(own_child, &clock) != 0 || clock_gettime(clock, &time) != 0)
        return 0.0;
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

double bench_others_seconds(void) {
    const double busy = busy_seconds();
    return busy > 0.0 ? busy - used_by(RUSAGE_SELF) - used_by(RUSAGE_CHILDREN) - used_by_child() : 0.0;
}
