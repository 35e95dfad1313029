#include "backend/remarks.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "support/text.h"

void remark_add(char lines[REMARKS_SIZE], const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0) return;
    text_clean(line);
    const size_t used = strlen(lines);
    if (used + strlen(line) + 2 <= REMARKS_SIZE) text_put(lines + used, REMARKS_SIZE - used, "%s\n", line);
}

static size_t join(const char *lines, char *text, size_t size, size_t used) {
    while (*lines != '\0') {
        const int length = (int)strcspn(lines, "\n");
        used += text_put(text + used, size - used, "%s%.*s", used > 0 ? "; " : "OpenCL: ", length, lines);
        lines += length + 1;
    }
    return used;
}

size_t remarks_join(const device_remarks *remarks, bool with_absences, char *text, size_t size) {
    text[0] = '\0';
    const size_t used = join(remarks->failures, text, size, 0);
    return with_absences ? join(remarks->absences, text, size, used) : used;
}
