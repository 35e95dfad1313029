/*
 * How good a saved model is on a file: the numbers that scikit-learn gives for the same predictions.
 *
 *   cc examples/evaluate.c $(pkg-config --cflags --libs tanda) -o evaluate
 *   ./evaluate own.safetensors datasets/iris.csv
 */
#include <stdio.h>
#include <tanda.h>

static void print_classes(const tanda_model *model, const tanda_metrics *metrics) {
    for (size_t i = 0; i < metrics->class_count; i++)
        printf("%s: precision %.4f, recall %.4f, f1 %.4f\n", tanda_model_class_name(model, i),
               metrics->classes[i].precision, metrics->classes[i].recall, metrics->classes[i].f1);
    printf("accuracy %.4f, roc_auc %.4f, log_loss %.4f\n", metrics->accuracy, metrics->roc_auc,
           metrics->log_loss);
}

int main(int argc, char **argv) {
    tanda_error error = {0};
    tanda_model *model = NULL;
    tanda_dataset *rows = NULL;
    tanda_device *device = NULL;
    tanda_metrics *metrics = NULL;
    if (argc != 3) {
        fputs("usage: evaluate MODEL DATA\n", stderr);
        return TANDA_USAGE;
    }

    /* The model knows the columns, the categories and the scaling of its training. */
    if (tanda_model_load(argv[1], &model, &error) ||
        tanda_dataset_load_for_model(argv[2], NULL, model, &rows, &error) ||
        tanda_device_open(NULL, &device, NULL, &error) ||
        tanda_metrics_evaluate(device, model, rows, 0, &metrics, &error))
        goto end;
    if (metrics->task == TANDA_TASK_CLASSES)
        print_classes(model, metrics);
    else
        printf("mse %g, mae %g, r2 %g\n", metrics->mse, metrics->mae, metrics->r2);

end:
    if (error.status != TANDA_OK) fprintf(stderr, "evaluate: %s\n", error.message);
    tanda_metrics_free(metrics);
    tanda_device_close(device);
    tanda_dataset_free(rows);
    tanda_model_free(model);
    return (int)error.status;
}
