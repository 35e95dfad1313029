/* Data for a model that is there already. */
#include "model/model_data.h"

#include "support/options.h"

dataset_expectation model_expect(const tanda_model *model) {
    const preparation *preparation = &model->preparation;
    const bool raw = preparation->columns > 0;
    return (dataset_expectation){.feature_count = raw ? preparation->columns : model->features,
                                 .feature_names = raw ? preparation->names : model->feature_names,
                                 .is_category = preparation->is_category,
                                 .columns = raw ? preparation->of : NULL,
                                 .fills_missing = preparation->fills_missing,
                                 .missing_values = preparation->missing_values,
                                 .missing_value_count = preparation->missing_value_count,
                                 .class_count = model->class_count,
                                 .class_names = model->class_names,
                                 .task = model->task,
                                 .target_name = model->target_name,
                                 .target_count = model_targets(model),
                                 .target_names = model->target_names,
                                 .origins = model->scaling.origin};
}

tanda_status model_prepare_rows(const tanda_model *model, tanda_unknown unknown, tanda_dataset *dataset,
                                tanda_error *error) {
    const tanda_status status = dataset_prepare(dataset, &model->preparation, unknown, error);
    return status == TANDA_OK ? dataset_scale(dataset, &model->scaling, error) : status;
}

tanda_status tanda_dataset_load_for_model(const char *path, const tanda_dataset_options *options,
                                          const tanda_model *model, tanda_dataset **dataset,
                                          tanda_error *error) {
    tanda_dataset_options reading;
    const dataset_expectation expected = model_expect(model);
    tanda_dataset *loaded = NULL;
    tanda_status status = TAKE_OPTIONS(tanda_dataset_options, options, &reading, error);
    reading.task = model->task;
    if (status == TANDA_OK) status = dataset_load(path, &reading, &expected, &loaded, error);
    if (status == TANDA_OK) status = model_prepare_rows(model, reading.unknown, loaded, error);
    if (status != TANDA_OK) {
        tanda_dataset_free(loaded);
        return status;
    }
    *dataset = loaded;
    return TANDA_OK;
}
