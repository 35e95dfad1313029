/* The program from outside: that what it reports, writes and predicts agrees with itself and with arithmetic. */
#include <ctype.h>
#include <math.h>
#include <regex.h>

#include "program.h"

TestSuite(cli_results, .init = enter_folder, .fini = leave_folder);

static bool matches(const char *text, const char *pattern) {
    regex_t compiled;
    cr_assert_eq(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB | REG_NEWLINE), 0, "%s", pattern);
    const bool found = regexec(&compiled, text, 0, NULL, 0) == 0;
    regfree(&compiled);
    return found;
}

/* A model of iris, for the tests that need one. */
static void train_iris(void) {
    json_decref(RUN_JSON("train", "--data", IRIS, "--epochs", "20", "--output", "iris.safetensors"));
}

/* ---- training ----------------------------------------------------------------------------------------- */

Test(cli_results, small_data_sets_are_learned) {
    static const struct {
        const char *data;
        const char *epochs;
        double accuracy;
    } cases[] = {{IRIS, "200", 0.96}, {BREAST_CANCER, "50", 0.98}, {DIGITS, "20", 0.98}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *result = RUN_JSON("train", "--data", cases[i].data, "--epochs", cases[i].epochs);
        cr_expect_geq(json_figure(result, "accuracy"), cases[i].accuracy, "%s: %g", cases[i].data,
                      json_figure(result, "accuracy"));
        json_decref(result);
    }
}

Test(cli_results, a_hidden_layer_learns_what_a_line_cannot) {
    write_text("xor.csv", "a,b,kind\n0,0,no\n0,1,yes\n1,0,yes\n1,1,no\n");
    json_t *line = RUN_JSON("train", "--data", "xor.csv", "--epochs", "500", "--batch", "full");
    json_t *network = RUN_JSON("train", "--data", "xor.csv", "--epochs", "500", "--batch", "full", "--hidden",
                               "16", "--activation", "tanh", "--learning-rate", "0.5");
    cr_expect_leq(json_figure(line, "accuracy"), 0.75);
    cr_expect_eq(json_figure(network, "accuracy"), 1.0);
    cr_expect_eq(json_figure(network, "parameters"), 3 * 16 + 17);
    json_decref(line);
    json_decref(network);
}

Test(cli_results, the_json_of_a_training_has_what_was_promised) {
    static const char *const keys[] = {
        "command",       "version",  "device",       "backend",        "math",  "threads",
        "rows",          "features", "parameters",   "epochs",         "steps", "loss",
        "accuracy",      "val_loss", "val_accuracy", "weights_sha256", "task",  "model",
        "learning_rate", "batch",    "seed",         "scale",          "grade"};
    json_t *result = RUN_JSON("train", "--data", IRIS, "--device", "cpu", "--epochs", "3", "--validation",
                              "0.2", "--output", "m.safetensors");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        cr_expect_not_null(json_object_get(result, keys[i]), "no %s", keys[i]);
    const json_t *seconds = json_object_get(result, "seconds");
    static const char *const parts[] = {"load", "compile", "transfer", "train"};
    for (size_t i = 0; i < 4; i++)
        cr_expect_geq(json_figure(seconds, parts[i]), 0.0);
    cr_expect_eq(json_figure(result, "rows"), 120);
    cr_expect_eq(json_figure(result, "steps"), 3 * 4);
    cr_expect_eq(json_figure(result, "parameters"), 15);
    cr_expect(matches(json_words(result, "weights_sha256"), "^[0-9a-f]{64}$"));
    json_decref(result);
}

Test(cli_results, epoch_lines_follow_keras) {
    const outcome outcome = RUN("train", "--data", IRIS, "--epochs", "4", "--validation", "0.2");
    cr_expect(matches(outcome.err,
                      "^Epoch 1/4 - [0-9.]+s [0-9]{1,3}(s|ms|us)/step - loss: [0-9.e+-]+ - accuracy: "
                      "[0-9.e+-]+ - val_loss: [0-9.e+-]+ - val_accuracy: [0-9.e+-]+$"),
              "%s", outcome.err);
    cr_expect(matches(outcome.err, "^Epoch 4/4 - "));
    cr_expect(matches(outcome.err,
                      "^data: .*iris.csv, 120 rows x 4 features, classes \\(text\\): setosa [0-9]+, "));
    cr_expect(matches(outcome.err, "^model: 4 -> softmax 3, 15 parameters, loss categorical_crossentropy$"));
    cr_expect(matches(outcome.err, "^note: no --output, the model is not kept$"));

    const struct {
        const char *epochs, *every;
        size_t lines;
    } cases[] = {{"10", "4", 3}, {"8", "4", 2}, {"3", "9", 1}};
    for (size_t i = 0; i < 3; i++) {
        const char *err =
            RUN("train", "--data", IRIS, "--epochs", cases[i].epochs, "--report-every", cases[i].every).err;
        size_t lines = 0;
        for (const char *at = err; (at = strstr(at, "Epoch ")) != NULL; at++)
            lines++;
        cr_expect_eq(lines, cases[i].lines, "%s", err);
    }
}

Test(cli_results, equal_seeds_give_equal_weights_on_any_number_of_threads) {
    json_t *one = RUN_JSON("train", "--data", DIGITS, "--device", "cpu", "--hidden", "20", "--threads", "1");
    json_t *three =
        RUN_JSON("train", "--data", DIGITS, "--device", "cpu", "--hidden", "20", "--threads", "3");
    json_t *other = RUN_JSON("train", "--data", DIGITS, "--device", "cpu", "--hidden", "20", "--seed", "1");
    cr_expect_str_eq(json_words(one, "weights_sha256"), json_words(three, "weights_sha256"));
    cr_expect_str_neq(json_words(one, "weights_sha256"), json_words(other, "weights_sha256"));
    json_decref(one);
    json_decref(three);
    json_decref(other);
}

Test(cli_results, a_batch_of_all_rows_or_more_is_a_full_batch) {
    static const char *const batches[] = {"150", "1000"};
    json_t *full = RUN_JSON("train", "--data", IRIS, "--epochs", "5", "--batch", "full");
    cr_expect_eq(json_figure(full, "batch"), 150);
    cr_expect_eq(json_figure(full, "steps"), 5);
    for (size_t i = 0; i < 2; i++) {
        json_t *other = RUN_JSON("train", "--data", IRIS, "--epochs", "5", "--batch", batches[i]);
        cr_expect_eq(json_figure(other, "batch"), 150);
        cr_expect_str_eq(json_words(other, "weights_sha256"), json_words(full, "weights_sha256"));
        json_decref(other);
    }
    const char *err = RUN("train", "--data", IRIS, "--epochs", "100", "--batch", "full").err;
    cr_expect(matches(err, "^Epoch 5/100 - "), "%s", err);
    cr_expect_not(matches(err, "^Epoch 4/100 - "), "%s", err);
    json_decref(full);
}

Test(cli_results, images_are_trained_with_their_labels_in_a_file_of_their_own) {
    static const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 1,
                                           0, 0, 0, 2, 0, 9, 1, 8, 9, 0, 7, 2};
    static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 4, 3, 3, 5, 5};
    FILE *file = fopen("images.idx", "wb");
    cr_assert_eq(fwrite(images, 1, sizeof images, file), sizeof images);
    fclose(file);
    file = fopen("labels.idx", "wb");
    cr_assert_eq(fwrite(labels, 1, sizeof labels, file), sizeof labels);
    fclose(file);
    json_t *trained =
        RUN_JSON("train", "--data", "images.idx", "--labels", "labels.idx", "--epochs", "100", "--output",
                 "m.safetensors", "--validation", "images.idx", "--validation-labels", "labels.idx");
    cr_expect_eq(json_figure(trained, "accuracy"), 1.0);
    cr_expect_eq(json_figure(trained, "val_accuracy"), 1.0);
    cr_expect_str_eq(json_words(trained, "scale"), "minmax");
    cr_expect_eq(
        strncmp(RUN("predict", "m.safetensors", "--data", "images.idx", "--quiet").out, "class,3,5\n3,", 12),
        0);
    json_t *evaluated =
        RUN_JSON("evaluate", "m.safetensors", "--data", "images.idx", "--labels", "labels.idx");
    cr_expect_eq(json_figure(evaluated, "loss"), json_figure(trained, "loss"));
    const outcome alone = RUN("inspect", "images.idx");
    cr_expect_eq(alone.status, 0, "%s", alone.err);
    cr_expect(matches(alone.out, "^Data: images.idx, 4 rows x 2 features, bytes$"), "%s", alone.out);
    cr_expect(matches(alone.out, "^Target: no target"), "%s", alone.out);
    json_decref(trained);
    json_decref(evaluated);
}

Test(cli_results, validation_by_file_and_by_fraction) {
    json_t *file = RUN_JSON("train", "--data", IRIS, "--epochs", "2", "--validation", IRIS);
    cr_expect_eq(json_figure(file, "rows"), 150);
    cr_expect_eq(json_figure(file, "val_loss"), json_figure(file, "loss"));
    cr_expect_eq(json_figure(file, "val_accuracy"), json_figure(file, "accuracy"));
    json_t *fraction = RUN_JSON("train", "--data", IRIS, "--epochs", "2", "--validation", "0.3");
    cr_expect_eq(json_figure(fraction, "rows"), 105);
    cr_expect_eq(json_figure(fraction, "validation_rows"), 45);
    json_decref(file);
    json_decref(fraction);
}

Test(cli_results, init_goes_on_from_the_weights_and_the_scaling_of_a_model) {
    train_iris();
    json_t *before = RUN_JSON("evaluate", "iris.safetensors", "--data", IRIS);
    json_t *after = RUN_JSON("train", "--data", IRIS, "--init", "iris.safetensors", "--epochs", "1",
                             "--learning-rate", "1e-30"); /* too small a step to change any weight */
    cr_expect_eq(json_figure(after, "loss"), json_figure(before, "loss"));
    cr_expect_str_eq(json_words(after, "weights_sha256"), json_words(before, "weights_sha256"));
    json_decref(before);
    json_decref(after);
    const outcome outcome = RUN("train", "--data", IRIS, "--hidden", "8", "--init", "iris.safetensors");
    cr_expect_str_eq(outcome.err,
                     "tanda: --init iris.safetensors: its layers are 4 -> softmax 3, those of this "
                     "training 4 -> relu 8 -> softmax 3; they must be the same\n");
    cr_expect_eq(outcome.status, 3);
}

/* ---- predictions -------------------------------------------------------------------------------------- */

/* Moves past the next field of an unquoted CSV line and returns where it began. */
static const char *next_field(const char **at, size_t *length) {
    const char *begin = *at;
    *length = strcspn(begin, ",\n");
    *at = begin + *length + (begin[*length] != '\0');
    return begin;
}

/* Mean of -log p of the true class: the last column of data, by its name in the header of predictions. */
static double log_loss(const char *data, const char *predictions, size_t *correct) {
    char names[16][32];
    size_t classes = 0, rows = 0, length = 0;
    double sum = 0.0;
    const char *lines = strchr(predictions, '\n') + 1;
    for (const char *at = predictions + strlen("class,"); at < lines; classes++) {
        const char *field = next_field(&at, &length);
        snprintf(names[classes], sizeof names[classes], "%.*s", (int)length, field);
    }
    for (data = strchr(data, '\n') + 1; *data != '\0'; rows++) {
        const size_t line = strcspn(data, "\n");
        const char *comma = memrchr(data, ',', line);
        const size_t truth_length = (size_t)(data + line - comma - 1);
        const char *predicted = next_field(&lines, &length);
        *correct += length == truth_length && strncmp(predicted, comma + 1, length) == 0;
        for (size_t i = 0; i < classes; i++) {
            const double probability = strtod(next_field(&lines, &length), NULL);
            if (strlen(names[i]) == truth_length && strncmp(names[i], comma + 1, truth_length) == 0)
                sum -= log(probability);
        }
        data += line + (data[line] != '\0');
    }
    cr_assert_str_eq(lines, "");
    return sum / (double)rows;
}

Test(cli_results, evaluate_gives_the_log_loss_of_the_probabilities_that_predict_prints) {
    static const struct {
        const char *data, *columns;
        double rows;
    } cases[] = {{IRIS, "class,setosa,versicolor,virginica\n", 150}, {BREAST_CANCER, "class,", 569}};
    for (size_t i = 0; i < 2; i++) {
        RUN("train", "--data", cases[i].data, "--epochs", "5", "--output", "m.safetensors", "--quiet");
        json_t *result = RUN_JSON("evaluate", "m.safetensors", "--data", cases[i].data);
        const outcome outcome = RUN("predict", "m.safetensors", "--data", cases[i].data, "--quiet");
        cr_assert_eq(strncmp(outcome.out, cases[i].columns, strlen(cases[i].columns)), 0, "%.200s",
                     outcome.out);
        size_t correct = 0;
        const double loss = log_loss(file_text(cases[i].data), outcome.out, &correct);
        cr_expect_lt(fabs(json_figure(result, "loss") - loss), 1e-6 * loss, "%.17g and %.17g",
                     json_figure(result, "loss"), loss);
        cr_expect_eq(json_figure(result, "accuracy"), (double)correct / cases[i].rows);
        json_decref(result);
    }
}

Test(cli_results, top_lists_the_most_probable_classes_first) {
    train_iris();
    const char *all = RUN("predict", "iris.safetensors", "--data", IRIS, "--quiet").out;
    const char *top = RUN("predict", "iris.safetensors", "--data", IRIS, "--quiet", "--top", "2").out;
    cr_assert_eq(strncmp(top, "class_1,probability_1,class_2,probability_2\n", 44), 0);
    all = strchr(all, '\n') + 1;
    top = strchr(top, '\n') + 1;
    while (*all != '\0') {
        size_t length = 0, first_length = 0;
        double most = 0.0;
        const char *class = next_field(&all, &length), *first = next_field(&top, &first_length);
        cr_assert(length == first_length && strncmp(class, first, length) == 0);
        for (size_t i = 0; i < 3; i++)
            most = fmax(most, strtod(next_field(&all, &length), NULL));
        cr_expect_eq(strtod(next_field(&top, &length), NULL), most);
        next_field(&top, &length);
        cr_expect_leq(strtod(next_field(&top, &length), NULL), most);
    }
    cr_expect_str_eq(top, "");
    const char *clamped = RUN("predict", "iris.safetensors", "--data", IRIS, "--quiet", "--top", "9").out;
    cr_expect_not_null(strstr(clamped, "class_3,probability_3\n"));
}

Test(cli_results, predict_as_json_holds_the_same_figures) {
    train_iris();
    json_t *result = RUN_JSON("predict", "iris.safetensors", "--data", IRIS);
    const json_t *rows = json_object_get(result, "predictions");
    cr_assert_eq(json_array_size(rows), 150);
    char line[256];
    const json_t *row = json_array_get(rows, 149), *probabilities = json_object_get(row, "probabilities");
    snprintf(line, sizeof line, "\n%s,%.9g,%.9g,%.9g\n", json_words(row, "class"),
             json_figure(probabilities, "setosa"), json_figure(probabilities, "versicolor"),
             json_figure(probabilities, "virginica"));
    const char *csv = RUN("predict", "iris.safetensors", "--data", IRIS, "--quiet").out;
    cr_expect_str_eq(csv + strlen(csv) - strlen(line), line);
    json_decref(result);
}

Test(cli_results, class_names_are_quoted_where_csv_needs_it) {
    write_text("names.csv", "x,kind\n1,\"a,b\"\n2,\"a,b\"\n8,\"say \"\"c\"\"\"\n9,\"say \"\"c\"\"\"\n");
    RUN("train", "--data", "names.csv", "--epochs", "100", "--output", "m.safetensors", "--quiet");
    const char *out = RUN("predict", "m.safetensors", "--data", "names.csv", "--quiet").out;
    static const char begin[] = "class,\"a,b\",\"say \"\"c\"\"\"\n\"a,b\",";
    cr_expect_eq(strncmp(out, begin, strlen(begin)), 0, "%s", out);
    cr_expect_not_null(strstr(out, "\n\"say \"\"c\"\"\","));
}

Test(cli_results, predict_needs_no_target_and_any_order_of_columns) {
    write_text("train.csv", "a,b,kind\n1,9,x\n2,8,x\n8,1,y\n9,2,y\n");
    write_text("new.csv", "other,b,a\n5,9,1\n5,2,9\n");
    write_text("same.csv", "a,b\n1,9\n9,2\n");
    RUN("train", "--data", "train.csv", "--epochs", "50", "--output", "m.safetensors", "--quiet");
    const char *reordered = RUN("predict", "m.safetensors", "--data", "new.csv", "--quiet").out;
    cr_expect_str_eq(reordered, RUN("predict", "m.safetensors", "--data", "same.csv", "--quiet").out);
    cr_expect(matches(reordered, "^x,"));
    cr_expect(matches(reordered, "^y,"));
}

Test(cli_results, regression_reports_the_total_squared_error_of_its_predictions) {
    write_text("line.csv", "x,y\n0,1.5\n1,3.25\n2,5.5\n3,7.25\n4,9.5\n5,11.25\n");
    json_t *trained = RUN_JSON("train", "--data", "line.csv", "--batch", "full", "--epochs", "200",
                               "--output", "m.safetensors");
    cr_expect_str_eq(json_words(trained, "task"), "regression");
    cr_expect_null(json_object_get(trained, "accuracy"));
    cr_expect_lt(json_figure(trained, "loss"), 0.1);
    cr_expect_lt(fabs(json_figure(trained, "squared_error") / 6 - json_figure(trained, "loss")), 1e-9);

    const char *at = RUN("predict", "m.safetensors", "--data", "line.csv", "--quiet").out;
    cr_assert_eq(strncmp(at, "prediction\n", 11), 0);
    static const double targets[] = {1.5, 3.25, 5.5, 7.25, 9.5, 11.25};
    double sum = 0.0;
    at = strchr(at, '\n') + 1;
    for (size_t i = 0; i < 6; i++, at = strchr(at, '\n') + 1)
        sum += (strtod(at, NULL) - targets[i]) * (strtod(at, NULL) - targets[i]);
    cr_expect_lt(fabs(sum - json_figure(trained, "squared_error")), 1e-5 * sum);
    cr_expect_eq(RUN("predict", "m.safetensors", "--data", "line.csv", "--top", "1").status, 2);
    json_decref(trained);
}

/* ---- inspect ------------------------------------------------------------------------------------------ */

/* The number after the last occurrence of "name = ". */
static double named_weight(const char *text, const char *name) {
    const char *found = NULL;
    for (const char *at = text; (at = strstr(at, name)) != NULL; at++)
        found = at;
    cr_assert_not_null(found, "no %s in %s", name, text);
    return strtod(found + strlen(name), NULL);
}

Test(cli_results, the_weights_in_the_units_of_the_data_are_those_of_the_predictions) {
    static const char *const scales[] = {"standard", "minmax", "none"};
    write_text("hours.csv", "hours,passed\n0.5,no\n1,no\n1.5,no\n2,yes\n3,no\n3.5,yes\n4,yes\n6,yes\n");
    write_text("three.csv", "hours\n3\n");
    for (size_t i = 0; i < 3; i++) {
        RUN("train", "--data", "hours.csv", "--batch", "full", "--epochs", "100", "--scale", scales[i],
            "--output", "m.safetensors", "--quiet");
        const char *text = RUN("inspect", "m.safetensors").out;
        const double logit = named_weight(text, "w0 (bias) = ") + 3.0 * named_weight(text, "w1 (hours) = ");
        const char *line =
            strchr(RUN("predict", "m.safetensors", "--data", "three.csv", "--quiet").out, '\n') + 1;
        const double probability = strtod(strrchr(line, ',') + 1, NULL);
        cr_expect_lt(fabs(probability - 1.0 / (1.0 + exp(-logit))), 1e-6, "scale %s", scales[i]);
        cr_expect(matches(text, "^dense_1 +\\(n, 1\\) +sigmoid +2$"), "%s", text);
        cr_expect(matches(text, "^for yes against no:$"));
    }
}

Test(cli_results, inspect_tells_the_digest_that_training_told) {
    json_t *trained =
        RUN_JSON("train", "--data", DIGITS, "--hidden", "12,7", "--epochs", "1", "--output", "m.safetensors");
    json_t *found = RUN_JSON("inspect", "m.safetensors");
    cr_expect_str_eq(json_words(found, "weights_sha256"), json_words(trained, "weights_sha256"));
    cr_expect_str_eq(json_words(found, "kind"), "model");
    cr_expect_eq(json_array_size(json_object_get(found, "layers")), 3);
    cr_expect_eq(json_figure(json_object_get(found, "settings"), "epochs"), 1);
    const char *text = RUN("inspect", "m.safetensors").out;
    cr_expect(matches(text, "^Total parameters: 951 \\(3804 bytes\\)$"), "%s", text);
    cr_expect_null(strstr(text, "w0 (bias)"), "951 weights are too many to print");
    json_decref(trained);
    json_decref(found);
}

Test(cli_results, inspect_describes_the_columns_of_a_data_file) {
    json_t *found = RUN_JSON("inspect", IRIS);
    cr_expect_str_eq(json_words(found, "kind"), "data");
    cr_expect_eq(json_figure(found, "rows"), 150);
    const json_t *column = json_array_get(json_object_get(found, "columns"), 0);
    cr_expect_str_eq(json_words(column, "name"), "sepal_length");
    cr_expect_lt(fabs(json_figure(column, "min") - 4.3), 1e-6);
    cr_expect_lt(fabs(json_figure(column, "mean") - 876.5 / 150), 1e-6);
    cr_expect_lt(fabs(json_figure(column, "max") - 7.9), 1e-6);
    const json_t *class = json_array_get(json_object_get(found, "classes"), 2);
    cr_expect_str_eq(json_words(class, "name"), "virginica");
    cr_expect_eq(json_figure(class, "rows"), 50);
    cr_expect(matches(RUN("inspect", IRIS).out,
                      "^Target: species, classes \\(text\\): setosa 50, versicolor 50, "));
    json_decref(found);
}

Test(cli_results, two_targets_have_one_hash_and_two_columns) {
    char *kept[2];
    static const char *const devices[] = {"cpu", "opencl"};
    for (int i = 0; i < 2; i++) {
        json_t *result = RUN_JSON("train", "--data", IRIS, "--target", "petal_width,petal_length", "--ignore",
                                  "species", "--hidden", "16", "--learning-rate", "0.02", "--loss", "huber",
                                  "--device", devices[i], "--output", "m.safetensors");
        kept[i] = strdup(json_words(result, "weights_sha256"));
        json_decref(result);
    }
    cr_expect_str_eq(kept[0], kept[1]);
    const outcome run = RUN("predict", "m.safetensors", "--data", IRIS, "--quiet");
    cr_assert_eq(run.status, 0, "%s", run.err);
    cr_expect_eq(strncmp(run.out, "petal_width,petal_length\n", 25), 0, "%.60s", run.out);
    cr_expect_eq(count_lines(run.out), 151);
    free(kept[0]);
    free(kept[1]);
}
