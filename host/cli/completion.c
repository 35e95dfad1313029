#include "cli/completion.h"

#include "cli/completion_values.h"
#include "cli/value.h"

tanda_status completion_print(const char *shell, tanda_error *error) {
    static const char *const names[] = {"bash", "zsh", "fish"};
    static void (*const printers[])(void) = {completion_print_bash, completion_print_zsh,
                                             completion_print_fish};
    size_t index = 0;
    const tanda_status status = shell == NULL ? TANDA_OK
                                              : value_choice("--completion", shell, names,
                                                             sizeof names / sizeof *names, &index, error);
    if (status == TANDA_OK) printers[index]();
    return status;
}
