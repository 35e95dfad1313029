#include "support/system_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool read_system_file(const char *path, char *text, size_t size) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    for (ssize_t got = file < 0 ? 0 : 1; got != 0 && used + 1 < size;) {
        got = read(file, text + used, size - 1 - used);
        if (got < 0 && errno != EINTR) break;
        if (got > 0) used += (size_t)got;
    }
    text[used] = '\0';
    if (file >= 0) close(file);
    return used > 0;
}
