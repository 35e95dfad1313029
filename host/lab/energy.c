#include <stdlib.h>

#include "lab/lab.h"
#include "support/system_file.h"
#include "support/text.h"

#define MOST_PACKAGES 8

bool lab_read_energy(const char *root, double *joules, char why[LAB_TEXT]) {
    char path[512], text[64];
    bool is_there = false;
    *joules = 0.0;
    why[0] = '\0';
    for (int i = 0; i < MOST_PACKAGES; i++) {
        text_put(path, sizeof path, "%s/sys/class/powercap/intel-rapl:%d/energy_uj", root, i);
        if (!read_system_file(path, text, sizeof text)) break;
        *joules += 1e-6 * strtod(text, NULL);
        is_there = true;
    }
    if (!is_there) text_put(why, LAB_TEXT, "/sys/class/powercap/intel-rapl:0/energy_uj");
    return is_there;
}
