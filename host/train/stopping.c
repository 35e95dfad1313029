#include "train/stopping.h"

bool stopping_hear(stopping *stopping, const tanda_train_options *options, size_t epoch, double score) {
    if (stopping->best_epoch == 0 || score + options->min_delta < stopping->best) {
        stopping->best = score;
        stopping->best_epoch = epoch;
        stopping->waited = 0;
        return true;
    }
    stopping->waited++;
    if (options->patience > 0 && stopping->waited >= options->patience) stopping->stopped = true;
    return false;
}
