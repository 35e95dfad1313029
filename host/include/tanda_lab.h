/*
 * What the command line needs beside tanda.h: the inside of the library, for verify, bench and inspect, which look into
 * it, and for its words, texts and files. Not installed, and no promise to anybody. The list is to become shorter.
 */
#ifndef TANDA_LAB_H
#define TANDA_LAB_H

#include "backend/backend.h"

#include "backend/profile.h"
#include "backend/selftest.h"
#include "bench/bench.h"
#include "bench/host.h"
#include "data/column_check.h"
#include "data/dataset.h"
#include "data/dialect.h"
#include "data/format_list.h"
#include "data/npy.h"
#include "data/number.h"
#include "data/pipe.h"
#include "data/place.h"
#include "data/preparation.h"
#include "data/profile.h"
#include "data/synthetic.h"
#include "data/vocabulary.h"
#include "fit/apply.h"
#include "fit/fit.h"
#include "fit/folds.h"
#include "fit/settings.h"
#include "model/model.h"
#include "model/model_file.h"
#include "model/names.h"
#include "model/prediction_text.h"
#include "model/preparation_json.h"
#include "page/draw.h"
#include "page/page.h"
#include "page/texts.h"
#include "support/clock.h"
#include "support/digest.h"
#include "support/file.h"
#include "support/file_check.h"
#include "support/file_target.h"
#include "support/file_view.h"
#include "support/file_writer.h"
#include "support/json.h"
#include "support/memory.h"
#include "support/status.h"
#include "support/text.h"

#include "tanda.h"
#include "train/checkpoint.h"
#include "train/checkpoint_file.h"
#include "train/optimizer.h"
#include "train/optimizer_list.h"
#include "train/schedule.h"
#include "verify/golden.h"
#include "verify/lockstep.h"

#endif
